"""One cluster for all tests: our own, or the one that KUBECONFIG_TEST names."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cluster.api import Document, Kube, opened
from cluster.build import GoMissing, are_built
from cluster.control_plane import FOREIGN, ControlPlane, OpensslMissing, control_plane
from cluster.manifests import STACKS, rendered
from cluster.metrics import Metrics, served_metrics
from cluster.workload import Workload, placed

BUILD_SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that finds nothing built waits for the build."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if here and not FOREIGN and not are_built():
        for item in here:
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[ControlPlane | None]:
    """The control plane of this run; None if it is someone else's cluster that is tested."""
    if FOREIGN:
        yield None
        return
    try:
        with control_plane() as plane:
            yield plane
    except (GoMissing, OpensslMissing) as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def kube(own_cluster: ControlPlane | None) -> Iterator[Kube]:
    """The API of the cluster under test."""
    if own_cluster:
        kubectl, kubeconfig = str(own_cluster.bin / "kubectl"), own_cluster.kubeconfig
    else:
        kubectl, kubeconfig = shutil.which("kubectl"), Path(FOREIGN or "")
        assert kubectl, "KUBECONFIG_TEST is set and there is no kubectl on PATH"
    with opened(Path(kubectl), kubeconfig) as found:
        yield found


@pytest.fixture(scope="session")
def plane(own_cluster: ControlPlane | None) -> ControlPlane:
    """Our own cluster, for what no other one offers."""
    if own_cluster is None:
        pytest.skip("KUBECONFIG_TEST: needs the fake nodes and the quick autoscaler of our own cluster")
    return own_cluster


Plan = Callable[[str], list[Document]]


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The objects of a stack, rendered once."""

    @cache
    def once(stack: str) -> list[Document]:
        return rendered(stack, tmp_path_factory.mktemp(stack))

    return once


@pytest.fixture(scope="session", params=STACKS)
def workload(request: pytest.FixtureRequest, kube: Kube, plan: Plan) -> Iterator[Workload]:
    """A rendered stack, applied."""
    with placed(kube, request.param, plan(request.param), dry_run=bool(FOREIGN)) as found:
        yield found


@pytest.fixture(scope="module")
def production(kube: Kube, plan: Plan) -> Iterator[Workload]:
    """The stack `prod` once more, for a module that leaves it in another state than it found it."""
    with placed(kube, "own", plan("prod"), dry_run=bool(FOREIGN)) as found:
        yield found


@pytest.fixture
def metrics(plane: ControlPlane, kube: Kube) -> Iterator[Metrics]:
    """What the autoscaler is told."""
    with served_metrics(plane, kube) as found:
        yield found
