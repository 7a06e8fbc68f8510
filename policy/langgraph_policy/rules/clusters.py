"""EKS, its nodes and their disks."""

from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import must_be, must_be_off, must_be_on, must_have_own_key
from langgraph_policy.rules.networks import is_everyone
from langgraph_policy.values import Node, plain

CLUSTER = "aws:eks/cluster:Cluster"
NODES = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE = "aws:ec2/instance:Instance"
VOLUME = "aws:ebs/volume:Volume"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@of_resource(CLUSTER)
def cluster_endpoint(resource: Resource) -> Faults:
    """The API of a cluster is private, or open to named networks only.

    Why: it is the way to every secret and pod; the whole internet tries it within minutes.

    Fix: cluster.endpoint_public_cidrs: your networks, or [] for none; endpointPrivateAccess stays true.
    """
    network = resource.root.part("vpcConfig")
    yield from must_be_on(network, "endpointPrivateAccess")
    if plain(network.seen("endpointPublicAccess")) is False:
        return
    cidrs = network.values("publicAccessCidrs")
    if not cidrs:
        yield Fault("vpcConfig.publicAccessCidrs is not set: everyone")
    yield from (
        Fault(f"vpcConfig.publicAccessCidrs has {cidr}: everyone") for cidr in cidrs if is_everyone(cidr)
    )


@of_resource(CLUSTER)
def cluster_logs(resource: Resource) -> Faults:
    """A cluster writes all five logs of its control plane.

    Why: what an intruder or a colleague did is in `audit` and `authenticator` alone, and cannot be had
    afterwards.

    Fix: enabledClusterLogTypes: api, audit, authenticator, controllerManager, scheduler.
    """
    there = resource.root.values("enabledClusterLogTypes")
    if missing := [each for each in LOGS if each not in there]:
        yield Fault(f"enabledClusterLogTypes has no {', '.join(missing)}")


@of_resource(CLUSTER)
def cluster_secrets_own_key(resource: Resource) -> Faults:
    """Secrets in a cluster are encrypted with a KMS key of ours.

    Why: a copy of etcd is worth nothing without the key, and the key can be taken away.

    Fix: encryptionConfig with resources: [secrets] and provider.keyArn.
    """
    config = resource.root.part("encryptionConfig")
    if "secrets" not in config.values("resources"):
        yield Fault("encryptionConfig does not cover secrets")
    yield from must_have_own_key(config, "provider.keyArn")


@of_resource(CLUSTER)
def cluster_access(resource: Resource) -> Faults:
    """Who may enter a cluster is in its access entries, and nowhere else.

    Why: the old ConfigMap is edited from inside, and whoever creates the cluster would be its admin for ever,
    unseen.

    Fix: accessConfig with authenticationMode: API and bootstrapClusterCreatorAdminPermissions: false.
    """
    access = resource.root.part("accessConfig")
    yield from must_be(access, "authenticationMode", "API")
    yield from must_be_off(access, "bootstrapClusterCreatorAdminPermissions")


@of_resource(CLUSTER, strict_only=True)
def cluster_deletion_protection(resource: Resource) -> Faults:
    """In prod, AWS refuses to delete the cluster.

    Why: everything that runs goes with it, and comes back with other addresses.

    Fix: cluster.deletion_protection: true.
    """
    yield from must_be_on(resource.root, "deletionProtection")


@of_resource(TEMPLATE, INSTANCE)
def nodes_metadata(resource: Resource) -> Faults:
    """A machine's metadata needs a token, and its answer goes one hop.

    Why: else a pod, or a request that a graph is talked into, borrows the role of the node.

    Fix: metadataOptions with httpTokens: required and httpPutResponseHopLimit: 1.
    """
    options = resource.root.part("metadataOptions")
    yield from must_be(options, "httpTokens", "required")
    yield from must_be(options, "httpPutResponseHopLimit", 1)


@of_resource(NODES)
def nodes_no_ssh(resource: Resource) -> Faults:
    """Nodes take no SSH.

    Why: a key on a node is a way round every access entry and every log; Session Manager is neither.

    Fix: no remoteAccess.
    """
    if resource.root.seen("remoteAccess") is not None:
        yield Fault("remoteAccess is set")


@of_resource(TEMPLATE, VOLUME)
def disks_own_key(resource: Resource) -> Faults:
    """Disks are encrypted with a KMS key of ours.

    Why: they hold images, logs and what pods write; a snapshot of one is readable by whoever gets it.

    Fix: encrypted: true and kmsKeyId, for each block device of a launch template.
    """
    if resource.type == VOLUME:
        yield from _encrypted(resource.root)
        return
    disks = list(resource.root.each("blockDeviceMappings"))
    if not disks:
        yield Fault("blockDeviceMappings is not set: the disk is the image's, encrypted or not")
    for disk in disks:
        yield from _encrypted(disk.part("ebs"))


def _encrypted(disk: Node) -> Faults:
    yield from must_be_on(disk, "encrypted")
    yield from must_have_own_key(disk, "kmsKeyId")


@of_resource(CLASS)
def volumes_own_key(resource: Resource) -> Faults:
    """A storage class of EBS makes volumes that are encrypted with a KMS key of ours.

    Why: what a claim asks for is made by the class; nobody looks at the volume afterwards.

    Fix: parameters with encrypted: "true" and kmsKeyId.
    """
    if resource.root.seen("provisioner") == "ebs.csi.aws.com":
        yield from _encrypted(resource.root.part("parameters"))


@of_resource(CLASS)
def volumes_tagged(resource: Resource) -> Faults:
    """A storage class of EBS gives its volumes the tags `project` and `stack`.

    Why: a volume outlives its pod and its claim; without a tag nobody knows whose it is, or dares to delete
    it.

    Fix: parameters tagSpecification_1: project=… and tagSpecification_2: stack=….
    """
    if resource.root.seen("provisioner") != "ebs.csi.aws.com":
        return
    given = [str(value) for key, value in resource.root.mapping("parameters").items() if "tagSpec" in key]
    if missing := [tag for tag in ("project", "stack") if not any(g.startswith(f"{tag}=") for g in given)]:
        yield Fault(f"parameters give no {' and no '.join(missing)}")


@of_resource(TEMPLATE)
def nodes_tagged(resource: Resource) -> Faults:
    """Machines, disks and network interfaces of nodes have the tags `project` and `stack`.

    Why: a provider's default tags do not reach what a launch template makes, and nodes are most of the bill.

    Fix: tagSpecifications for instance, volume and network-interface with both tags.
    """
    tagged = {
        str(node.at("resourceType")): node.mapping("tags") for node in resource.root.each("tagSpecifications")
    }
    for kind in ("instance", "volume", "network-interface"):
        if missing := [tag for tag in ("project", "stack") if tag not in tagged.get(kind, {})]:
            yield Fault(f"tagSpecifications gives no {' and no '.join(missing)} to {kind}")
