import copy

import pytest
from infra.infra_linter import CHECKS, faults, restricted
from infra.infra_schemas import problems
from infra.infra_workloads import cloud, documents, local, of_kind, pod_templates


@pytest.fixture(params=[cloud, local], ids=["cloud", "local"])
def found(graph, request):
    return documents(graph(request.param))


def test_the_linter_finds_no_fault(found):
    assert faults(found) == {}


def test_pod_security_restricted_admits_every_pod(found):
    assert {name: restricted(template) for name, template in pod_templates(found).items()} == {
        name: [] for name in pod_templates(found)
    }


def test_every_namespace_of_ours_enforces_restricted_at_a_fixed_version(found):
    for namespace in of_kind(found, "Namespace"):
        labels = namespace["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.36"


def test_every_object_fits_its_schema_without_an_unknown_field(found):
    assert [problem for document in found for problem in problems(document)] == []


def test_every_object_has_a_name_a_namespace_and_our_labels(found):
    for document in found:
        metadata = document["metadata"]
        assert metadata["name"]
        assert document["kind"] == "Namespace" or metadata["namespace"].startswith("langgraph")
        assert metadata["labels"]["app.kubernetes.io/part-of"] == "langgraph-platform"


def _api(found):
    (deployment,) = (d for d in of_kind(found, "Deployment") if d["metadata"]["name"] == "agent-server")
    return deployment


def _container(found):
    return _api(found)["spec"]["template"]["spec"]["containers"][0]


def _pod(found):
    return _api(found)["spec"]["template"]["spec"]


def _one(found, kind):
    return of_kind(found, kind)[0]


WORSE = {
    "dangling-service": lambda f: _one(f, "Service")["spec"]["selector"].update(x="y"),
    "dangling-others": lambda f: _one(f, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].update(
        x="y"
    ),
    "dangling-horizontalpodautoscaler": lambda f: _one(f, "HorizontalPodAutoscaler")["spec"][
        "scaleTargetRef"
    ].update(name="x"),
    "deprecated-service-account-field": lambda f: _pod(f).update(serviceAccount="x"),
    "docker-sock": lambda f: _pod(f)["volumes"].append({"hostPath": {"path": "/var/run/docker.sock"}}),
    "drop-net-raw-capability": lambda f: _container(f)["securityContext"]["capabilities"].update(drop=[]),
    "duplicate-env-var": lambda f: _container(f).update(env=[{"name": "A", "value": ""}] * 2),
    "env-var-secret": lambda f: _container(f).update(env=[{"name": "API_KEY", "value": ""}]),
    "host-ipc": lambda f: _pod(f).update(hostIPC=True),
    "host-network": lambda f: _pod(f).update(hostNetwork=True),
    "host-pid": lambda f: _pod(f).update(hostPID=True),
    "invalid-target-ports": lambda f: _one(f, "Service")["spec"]["ports"][0].update(targetPort="x"),
    "job-ttl-seconds-after-finished": lambda f: _one(f, "Job")["spec"].pop("ttlSecondsAfterFinished"),
    "latest-tag": lambda f: _container(f).update(image="x:latest"),
    "liveness-readiness-startup-port": lambda f: _container(f)["livenessProbe"]["httpGet"].update(port="x"),
    "mismatching-selector": lambda f: _api(f)["spec"]["selector"]["matchLabels"].update(x="y"),
    "no-anti-affinity": lambda f: _pod(f).pop("affinity"),
    "no-extensions-v1beta": lambda f: _api(f).update(apiVersion="extensions/v1beta1"),
    "no-read-only-root-fs": lambda f: _container(f)["securityContext"].pop("readOnlyRootFilesystem"),
    "non-existent-service-account": lambda f: _pod(f).update(serviceAccountName="x"),
    "pdb": lambda f: _one(f, "PodDisruptionBudget")["spec"].update(minAvailable=3),
    "privilege-escalation-container": lambda f: _container(f)["securityContext"].pop(
        "allowPrivilegeEscalation"
    ),
    "privileged-container": lambda f: _container(f)["securityContext"].update(privileged=True),
    "run-as-non-root": lambda f: _pod(f)["securityContext"].pop("runAsNonRoot"),
    "sensitive-host-mounts": lambda f: _pod(f)["volumes"].append({"hostPath": {"path": "/etc"}}),
    "ssh-port": lambda f: _container(f)["ports"].append({"name": "ssh", "containerPort": 22}),
    "unsafe-sysctls": lambda f: _pod(f)["securityContext"].update(sysctls=[{"name": "kernel.msgmax"}]),
    "unset-cpu-requirements": lambda f: _container(f)["resources"]["requests"].pop("cpu"),
    "unset-memory-requirements": lambda f: _container(f)["resources"]["limits"].pop("memory"),
    "default-service-account": lambda f: _pod(f).pop("serviceAccountName"),
    "token-mounted": lambda f: _pod(f).pop("automountServiceAccountToken"),
    "privileged-ports": lambda f: _container(f)["ports"].append({"name": "x", "containerPort": 80}),
    "exposed-services": lambda f: _one(f, "Service")["spec"].update(type="LoadBalancer"),
}


def test_every_check_finds_what_it_is_named_after(graph):
    good = documents(graph(cloud))
    assert WORSE.keys() == CHECKS.keys()
    for name, worsen in WORSE.items():
        bad = copy.deepcopy(good)
        worsen(bad)
        assert CHECKS[name](bad), name


REFUSED = {
    "hostNetwork": lambda f: _pod(f).update(hostNetwork=True),
    "volume hostPath": lambda f: _pod(f)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    "sysctls": lambda f: _pod(f)["securityContext"].update(sysctls=[{"name": "x"}]),
    "api: runAsUser": lambda f: _pod(f)["securityContext"].update(runAsUser=0),
    "api: runAsNonRoot": lambda f: _pod(f)["securityContext"].pop("runAsNonRoot"),
    "api: seccompProfile": lambda f: _pod(f)["securityContext"].pop("seccompProfile"),
    "api: privileged": lambda f: _container(f)["securityContext"].update(privileged=True),
    "api: allowPrivilegeEscalation": lambda f: _container(f)["securityContext"].pop(
        "allowPrivilegeEscalation"
    ),
    "api: capabilities.drop": lambda f: _container(f)["securityContext"].pop("capabilities"),
    "api: capabilities.add": lambda f: _container(f)["securityContext"]["capabilities"].update(
        add=["NET_ADMIN"]
    ),
    "api: hostPort": lambda f: _container(f)["ports"][0].update(hostPort=80),
    "api: probe host": lambda f: _container(f)["livenessProbe"]["httpGet"].update(host="10.0.0.1"),
    "api: procMount": lambda f: _container(f)["securityContext"].update(procMount="Unmasked"),
}


def test_pod_security_refuses_each_weakness_by_name(graph):
    good = documents(graph(cloud))
    for fault, worsen in REFUSED.items():
        bad = copy.deepcopy(good)
        worsen(bad)
        assert fault in restricted(_api(bad)["spec"]["template"])
