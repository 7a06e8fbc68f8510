import pytest
from infra.infra_workloads import documents, local, named, of_kind, pod_templates

from langgraph_components.errors import InvalidArgs
from langgraph_components.local_postgres import LocalPostgres
from langgraph_components.local_redis import LocalRedis

PIN = "sha256:" + "0a" * 32


@pytest.fixture
def found(graph):
    return documents(graph(local))


def container(found, name):
    (one,) = pod_templates(found)[f"StatefulSet/{name}"]["spec"]["containers"]
    return one


def test_each_store_has_a_restricted_namespace_a_volume_and_a_name(found):
    for namespace, name, port in (
        ("langgraph-postgres", "postgres", 5432),
        ("langgraph-redis", "valkey", 6379),
    ):
        labels = named(found, "Namespace", namespace)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        service = named(found, "Service", name)
        assert (service["metadata"]["namespace"], service["spec"]["clusterIP"]) == (namespace, "None")
        assert [each["port"] for each in service["spec"]["ports"]] == [port]
        store = named(found, "StatefulSet", name)["spec"]
        assert (store["replicas"], store["serviceName"]) == (1, name)
        assert store["persistentVolumeClaimRetentionPolicy"] == {
            "whenDeleted": "Delete",
            "whenScaled": "Retain",
        }


def test_only_folders_that_must_be_are_writable(found):
    writable = {
        name: {m["mountPath"] for m in container(found, name)["volumeMounts"] if not m.get("readOnly")}
        for name in ("postgres", "valkey")
    }
    assert writable == {
        "postgres": {"/var/lib/postgresql", "/var/run/postgresql", "/tmp"},
        "valkey": {"/data", "/tmp"},
    }
    for name in writable:
        assert container(found, name)["securityContext"]["readOnlyRootFilesystem"]


def test_every_mount_has_its_volume(found):
    for owner, template in pod_templates(found).items():
        spec = template["spec"]
        claims = named(found, *owner.split("/"))["spec"].get("volumeClaimTemplates", [])
        there = {v["name"] for v in spec["volumes"]} | {c["metadata"]["name"] for c in claims}
        assert {m["name"] for c in spec["containers"] for m in c["volumeMounts"]} == there


def test_no_password_is_in_a_command_line_or_a_variable(graph, found):
    passwords = [r.inputs["stringData"] for r in graph(local).resources if r.type.endswith(":Secret")]
    assert passwords
    for template in pod_templates(found).values():
        assert "-password-result" not in str(template)
        assert "redis://:" not in str(template)


def test_postgres_is_asked_over_tcp_as_it_sets_itself_up_on_its_socket(found):
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(found, "postgres")[probe]["exec"]["command"][:3] == ["pg_isready", "-h", "127.0.0.1"]


def test_the_workload_waits_until_its_stores_serve(graph):
    recorded = graph(local)
    assert recorded.named("postgres-store").urn in recorded.named("agent-migration").depends_on
    assert recorded.named("redis-store").urn in recorded.named("agent-redis-secret").depends_on


def test_the_workload_logs_in_with_what_the_store_made(found):
    secrets = {each["metadata"]["name"]: each["stringData"] for each in of_kind(found, "Secret")}
    assert secrets["agent-server-master"] == {
        "username": "postgres",
        "password": secrets["postgres-files"]["password"],
    }
    serving = secrets["agent-server-database"]
    assert serving["username"] == "langgraph_app"
    assert (
        serving["password"]
        == secrets["agent-server-application"]["password"]
        != secrets["postgres-files"]["password"]
    )
    url = secrets["agent-server-redis"]["REDIS_URL"]
    assert url.endswith("@valkey.langgraph-redis.svc:6379/0")
    password = url.removeprefix("redis://:").split("@")[0]
    assert f"requirepass {password}\n" in secrets["valkey-files"]["valkey.conf"]


@pytest.mark.parametrize(
    ("component", "image"), [(LocalPostgres, "postgres:18"), (LocalRedis, "valkey/valkey:8.2")]
)
def test_the_image_is_a_tag_until_it_is_pinned(graph, component, image):
    def images(**args):
        found = documents(graph(lambda: component("store", args)))
        return [c["image"] for t in pod_templates(found).values() for c in t["spec"]["containers"]]

    assert images() == [image]
    assert images(image_digest=PIN) == [f"{image}@{PIN}"]
    assert images(image="mirror.example/db:1") == ["mirror.example/db:1"]


@pytest.mark.parametrize(
    ("component", "wrong", "said"),
    [
        (LocalPostgres, {"image_digest": "latest"}, "LocalPostgresArgs.image_digest: String should match"),
        (LocalPostgres, {"max_connections": 5}, "LocalPostgresArgs.max_connections: should be greater than"),
        (
            LocalPostgres,
            {"application_role": "a b"},
            "LocalPostgresArgs.application_role: String should match",
        ),
        (LocalRedis, {"memory": "192Mi"}, "LocalRedisArgs.memory: String should match"),
        (LocalRedis, {"colour": "red"}, "LocalRedisArgs.colour: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused(graph, component, wrong, said):
    with pytest.raises(InvalidArgs) as refused:
        graph(lambda: component("store", wrong))
    assert str(refused.value).startswith(said)


def test_the_volume_and_its_class_are_chosen(graph):
    found = documents(
        graph(
            lambda: LocalPostgres(
                "store", {"storage_size": "9Gi", "storage_class": "fast", "max_connections": 50}
            )
        )
    )
    (claim,) = named(found, "StatefulSet", "postgres")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "9Gi"
    assert container(found, "postgres")["args"][-1] == "max_connections=50"
