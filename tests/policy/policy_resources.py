"""Resources for examples: few words, whole objects."""

import json
from copy import deepcopy
from typing import Any

from langgraph_policy import Resource

Json = dict[str, Any]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/ours"
AWS_KEY = "arn:aws:kms:eu-west-1:111122223333:alias/aws/rds"
DIGEST = "agents@sha256:" + "0" * 64


def made(type_: str, inputs: Json | None = None, name: str = "it", **more: Any) -> Resource:
    """A resource; `to` are the resources that an input is made of."""
    references = {key: (each.urn,) for key, each in more.pop("to", {}).items()}
    urn = f"urn:pulumi:prod::project::{type_}::{name}"
    return Resource(type_, name, urn, inputs or {}, references=references, **more)


def changed(inputs: Json, **changes: Any) -> Json:
    """The inputs with other values, by dotted path (`__` for a dot); None takes one away."""
    copy = deepcopy(inputs)
    for path, value in changes.items():
        *above, last = path.split("__")
        found: Any = copy
        for step in above:
            found = found[int(step)] if step.isdigit() else found[step]
        if value is None:
            found.pop(last)
        else:
            found[int(last) if last.isdigit() else last] = value
    return copy


DATABASE: Json = {
    "publiclyAccessible": False,
    "storageEncrypted": True,
    "kmsKeyId": KEY,
    "manageMasterUserPassword": True,
    "masterUserSecretKmsKeyId": KEY,
    "performanceInsightsEnabled": True,
    "performanceInsightsKmsKeyId": KEY,
    "parameterGroupName": "ours",
    "backupRetentionPeriod": 14,
    "multiAz": True,
    "deletionProtection": True,
    "skipFinalSnapshot": False,
    "finalSnapshotIdentifier": "last",
    "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
}
CACHE: Json = {
    "atRestEncryptionEnabled": True,
    "kmsKeyId": KEY,
    "transitEncryptionEnabled": True,
    "transitEncryptionMode": "required",
    "userGroupIds": ["users"],
    "subnetGroupName": "data",
    "automaticFailoverEnabled": True,
    "multiAzEnabled": True,
    "numCacheClusters": 2,
    "snapshotRetentionLimit": 1,
}
CLUSTER: Json = {
    "vpcConfig": {
        "endpointPrivateAccess": True,
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["203.0.113.0/24"],
    },
    "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
    "encryptionConfig": {"provider": {"keyArn": KEY}, "resources": ["secrets"]},
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    "deletionProtection": True,
}
TEMPLATE: Json = {
    "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "kmsKeyId": KEY}}],
    "tagSpecifications": [
        {"resourceType": kind, "tags": {"project": "p", "stack": "s"}}
        for kind in ("instance", "volume", "network-interface")
    ],
}
CLASS: Json = {
    "provisioner": "ebs.csi.aws.com",
    "parameters": {
        "encrypted": "true",
        "kmsKeyId": KEY,
        "tagSpecification_1": "project=p",
        "tagSpecification_2": "stack=s",
    },
}
CONTAINER: Json = {
    "name": "api",
    "image": DIGEST,
    "env": [{"name": "DATABASE_PASSWORD_FILE", "value": "/run/secrets/password"}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    "readinessProbe": {"httpGet": {"path": "/ready"}},
    "livenessProbe": {"httpGet": {"path": "/health"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
}
DEPLOYMENT: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server", "namespace": "agents"},
    "spec": {
        "replicas": 3,
        "template": {
            "metadata": {"labels": {"app": "server"}},
            "spec": {
                "automountServiceAccountToken": False,
                "serviceAccountName": "server",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [CONTAINER],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        },
    },
}
POD = "spec__template__spec"
FIRST = f"{POD}__containers__0"
BUDGET: Json = {
    "metadata": {"name": "server", "namespace": "agents"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "server"}}},
}
DENY: Json = {
    "metadata": {"name": "deny", "namespace": "agents"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}


def policy(**statement: Any) -> str:
    """A document of one statement that allows something."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
