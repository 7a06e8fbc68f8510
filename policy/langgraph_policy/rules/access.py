"""Who may do what in the cluster."""

from langgraph_policy.model import Fault, Faults, Resource, of_resource

ROLES = (
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
)
BINDINGS = (
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
)
EVERYONE = frozenset(
    {
        "system:anonymous",
        "system:authenticated",
        "system:masters",
        "system:serviceaccounts",
        "system:unauthenticated",
    }
)
ESCALATING = frozenset({"bind", "escalate", "impersonate"})


@of_resource(*ROLES)
def rbac_narrow(resource: Resource) -> Faults:
    """A role in the cluster names its verbs, groups and resources.

    Why: `*` also covers Secrets, and whatever an operator installs tomorrow.

    Fix: list what is used.
    """
    for rule in resource.root.each("rules"):
        for key in ("verbs", "resources", "apiGroups"):
            if "*" in rule.texts(key):
                yield Fault(f"{rule.path}.{key} has *")
        if verbs := sorted(ESCALATING & set(rule.texts("verbs"))):
            yield Fault(f"{rule.path}.verbs has {verbs[0]}: its holder can become anybody")


@of_resource(*BINDINGS)
def rbac_bound_narrowly(resource: Resource) -> Faults:
    """Nobody is bound to cluster-admin, and nothing to everybody.

    Why: that pod's token is the cluster.

    Fix: a role with what is used, bound to one service account.
    """
    if resource.root.seen("roleRef.name") == "cluster-admin":
        yield Fault("it binds cluster-admin")
    for subject in resource.root.each("subjects"):
        if str(subject.seen("name")) in EVERYONE:
            yield Fault(f"it binds {subject.at('name')}")
