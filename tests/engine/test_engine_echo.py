"""The stand-in for a cloud is no easier than one: it remembers nothing, and replaces what would lose data."""

from engine.echo import changed, name_of, plain, type_of, wire
from engine.echo_outputs import is_regional, outputs_of, replacing
from engine.order import Goes
from engine.state import State

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:eks/cluster:Cluster"
URN = (
    "urn:pulumi:dev::project::langgraph:index:Platform$langgraph:index:Network$aws:ec2/vpc:Vpc::network::main"
)


def test_a_urn_tells_type_and_name() -> None:
    assert type_of(URN) == "aws:ec2/vpc:Vpc"
    assert name_of(URN) == "network::main"


def test_properties_survive_the_wire() -> None:
    properties = {"a": {"b": [1.0, "x", None, True]}, "c": {}}
    assert plain(wire(properties)) == properties


def test_changes_are_all_that_differs_but_for_the_engines_own() -> None:
    assert changed({"a": 1, "b": 2, "__defaults": []}, {"a": 1, "b": 3, "c": 4, "__defaults": [1]}) == [
        "b",
        "c",
    ]


def test_what_a_cloud_answers_with_a_new_resource_is_answered_so() -> None:
    assert replacing(INSTANCE, {"kmsKeyId": "a", "tags": {}}, {"kmsKeyId": "b", "tags": {"a": "b"}}) == [
        "kmsKeyId"
    ]
    assert (
        replacing(CLUSTER, {"accessConfig": {}, "version": "1.36"}, {"accessConfig": {}, "version": "1.37"})
        == []
    )
    assert replacing("aws:ec2/routeTable:RouteTable", {"vpcId": "a"}, {"vpcId": "b"}) == []


def test_another_name_makes_another_object_of_kubernetes() -> None:
    old = {"metadata": {"name": "a", "namespace": "n"}, "spec": {"x": 1}}
    new = {"metadata": {"name": "b", "namespace": "n"}, "spec": {"x": 2}}
    assert replacing("kubernetes:core/v1:ConfigMap", old, new) == ["metadata"]
    assert replacing("kubernetes:core/v1:ConfigMap", old, {**old, "spec": {"x": 2}}) == []


def test_all_that_is_of_a_region_is_replaced_in_another_one() -> None:
    assert is_regional(INSTANCE)
    assert not is_regional("aws:iam/role:Role")
    assert not is_regional("kubernetes:core/v1:ConfigMap")


def test_what_only_a_cloud_knows_is_made_up_once_and_for_ever() -> None:
    first = outputs_of(INSTANCE, "database-1", {"engine": "postgres"})
    again = outputs_of(INSTANCE, "database-1", {"engine": "postgres", "tags": {"a": "b"}})
    assert first["engine"] == "postgres"
    assert first.items() <= again.items()
    assert outputs_of(INSTANCE, "database-2", {})["address"] != first["address"]


def test_what_is_made_up_stands_beside_the_inputs_of_the_same_object() -> None:
    found = outputs_of(CLUSTER, "cluster-1", {"vpcConfig": {"subnetIds": ["a"]}, "name": "mine"})
    assert found["vpcConfig"].keys() == {"subnetIds", "clusterSecurityGroupId"}
    assert found["name"] == "mine"


def of(name: str, type_: str, **more: object) -> dict[str, object]:
    return {"urn": f"urn:pulumi:dev::p::{type_}::{name}", "type": type_, "custom": True, **more}


def chain() -> State:
    """A cluster, nodes in it, a provider that waits for the nodes, and an object of that provider."""
    cluster, nodes = of("cluster", CLUSTER), of("nodes", "aws:eks/nodeGroup:NodeGroup")
    nodes["propertyDependencies"] = {"clusterName": [cluster["urn"]], "labels": None}
    provider = of("kube", "pulumi:providers:kubernetes", dependencies=[nodes["urn"]])
    thing = of("thing", "kubernetes:core/v1:ConfigMap", provider=f"{provider['urn']}::id")
    return State({"deployment": {"resources": [cluster, nodes, provider, thing]}})


def test_an_order_is_kept_by_dependencies_and_not_by_luck() -> None:
    kept = Goes("kubernetes:", CLUSTER, "through the provider and the nodes")
    wrong = Goes(CLUSTER, "kubernetes:", "the other way round")
    assert kept.unsaid(chain()) == []
    assert wrong.unsaid(chain()) == [f"{CLUSTER} cluster does not need kubernetes:core/v1:ConfigMap thing"]


def test_an_order_is_broken_by_what_is_begun_too_early() -> None:
    rule = Goes("kubernetes:", CLUSTER, "an object goes first")
    ((thing, cluster),) = rule.pairs(chain())
    well = [("begun", thing.urn), ("done", thing.urn), ("begun", cluster.urn), ("done", cluster.urn)]
    assert rule.broken(chain(), well) == []
    early = [well[0], well[2], well[1], well[3]]
    assert rule.broken(chain(), early) == [f"{cluster} was begun before {thing} was gone"]
