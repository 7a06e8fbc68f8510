"""What the API server says to every object and every pod of every stack."""

import copy
from collections.abc import Callable

import pytest
from cluster.api import Document, Kube
from cluster.control_plane import FOREIGN
from cluster.workload import NO_DEFINITION, Workload

ENFORCE = "pod-security.kubernetes.io/enforce"


def test_the_namespaces_of_its_pods_enforce_the_restricted_standard(workload: Workload) -> None:
    enforcing = {
        each["metadata"]["name"]
        for each in workload.of_kind("Namespace")
        if each["metadata"]["labels"].get(ENFORCE) == "restricted"
    }
    assert workload.pod_namespaces() <= enforcing


def test_every_object_is_accepted_as_rendered_without_a_warning(workload: Workload) -> None:
    answers = {_name(document): (answer.status, answer.message) for document, answer in workload.applied}
    assert {name: said for name, said in answers.items() if said[0] not in {200, 201}} == {}
    assert {
        _name(document): answer.warnings for document, answer in workload.applied if answer.warnings
    } == {}


def test_every_pod_is_admitted_alone_without_a_warning(workload: Workload, kube: Kube) -> None:
    pods = list(workload.pods())
    assert pods
    for pod in pods:
        answer = kube.create(pod, dry_run=True)
        assert (answer.status, answer.message, answer.warnings) == (201, "", ()), pod["metadata"]["name"]


def _root(pod: Document) -> None:
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    for container in _containers(pod):
        container.get("securityContext", {}).pop("runAsUser", None)
        container.get("securityContext", {}).pop("runAsNonRoot", None)


def _host_path(pod: Document) -> None:
    volume = {"name": "host", "hostPath": {"path": "/"}}
    pod["spec"]["volumes"] = [*pod["spec"].get("volumes", []), volume]


def _privileged(pod: Document) -> None:
    for container in _containers(pod):
        container["securityContext"] |= {"privileged": True, "allowPrivilegeEscalation": True}


def _unconfined(pod: Document) -> None:
    for holder in (pod["spec"], *_containers(pod)):
        holder.get("securityContext", {}).pop("seccompProfile", None)


def _host_network(pod: Document) -> None:
    pod["spec"]["hostNetwork"] = True


def _capable(pod: Document) -> None:
    for container in _containers(pod):
        container["securityContext"]["capabilities"] = {"drop": ["ALL"], "add": ["NET_ADMIN"]}


def _escalating(pod: Document) -> None:
    for container in _containers(pod):
        container["securityContext"]["allowPrivilegeEscalation"] = True


REFUSED: dict[Callable[[Document], None], str] = {
    _root: "runAsNonRoot != true",
    _host_path: 'restricted volume types (volume "host" uses restricted volume type "hostPath")',
    _privileged: "must not set securityContext.privileged=true",
    _unconfined: "seccompProfile (pod or container",
    _host_network: "host namespaces (hostNetwork=true)",
    _capable: "must not include",
    _escalating: "allowPrivilegeEscalation != false",
}


@pytest.mark.parametrize("worsen", REFUSED, ids=lambda worsen: worsen.__name__.strip("_"))
def test_a_worse_pod_is_refused_and_told_why(
    worsen: Callable[[Document], None], workload: Workload, kube: Kube
) -> None:
    for pod in workload.pods():
        worsen(pod)
        answer = kube.create(pod, dry_run=True)
        assert answer.status == 403, pod["metadata"]["name"]
        assert 'violates PodSecurity "restricted:' in answer.message
        assert REFUSED[worsen] in answer.message


def test_an_unknown_field_is_refused_in_every_object(workload: Workload, kube: Kube) -> None:
    for document, _ in workload.applied:
        wrong = copy.deepcopy(document)
        wrong.get("spec", wrong)["replicaz"] = 3
        answer = kube.apply(wrong, dry_run=True)
        assert (answer.status, "field not declared in schema" in answer.message) == (500, True), answer


def test_an_unknown_field_is_refused_in_every_pod(workload: Workload, kube: Kube) -> None:
    for pod in workload.pods():
        pod["spec"]["containers"][0]["imagePullPolcy"] = "Always"
        answer = kube.create(pod, dry_run=True)
        assert answer.status == 400
        assert 'unknown field "spec.containers[0].imagePullPolcy"' in answer.message


def test_every_custom_resource_has_a_definition_here(workload: Workload) -> None:
    assert _without_definition(workload) == []


def test_a_wrong_value_in_a_custom_resource_is_refused(workload: Workload, kube: Kube) -> None:
    assert _without_definition(workload) == []
    for document in workload.of_kind("ServiceMonitor"):
        wrong = copy.deepcopy(document)
        wrong["spec"]["endpoints"][0]["interval"] = "often"
        assert "spec.endpoints[0].interval" in kube.apply(wrong, dry_run=True).message
    for document in workload.of_kind("ExternalSecret"):
        wrong = copy.deepcopy(document)
        wrong["spec"]["target"]["creationPolicy"] = "Sometimes"
        assert "spec.target.creationPolicy" in kube.apply(wrong, dry_run=True).message


def _without_definition(workload: Workload) -> list[str]:
    """The custom resources that are not judged here, but for those nobody has a definition of."""
    found = [_name(each) for each in workload.undefined if _group(each) not in NO_DEFINITION]
    if found and FOREIGN:
        pytest.skip(f"KUBECONFIG_TEST: this cluster has no definition of {', '.join(found)}")
    return found


def _containers(pod: Document) -> list[Document]:
    return [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]


def _name(document: Document) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


def _group(document: Document) -> str:
    return str(document["apiVersion"]).partition("/")[0]
