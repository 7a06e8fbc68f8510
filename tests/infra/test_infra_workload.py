import pytest
from infra.infra_workloads import (
    DIGEST,
    cloud,
    cloud_args,
    documents,
    environment,
    local,
    named,
    of_kind,
    pod_templates,
)

from langgraph_components.agent_workload import AgentWorkload, AgentWorkloadArgs
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure.budget import Times, server_environment
from lgp.planning.monitor import RecordingMonitor
from lgp.planning.values import holds_secret


@pytest.fixture
def found(graph):
    return documents(graph(cloud))


def settings(found):
    (one,) = (each for each in of_kind(found, "ConfigMap") if "HOST" in each["data"])
    return one


def test_everything_a_workload_needs_is_declared_once(graph):
    recorded = graph(cloud)
    assert {each["kind"] for each in documents(recorded)} == {
        "ConfigMap",
        "CronJob",
        "Deployment",
        "ExternalSecret",
        "HorizontalPodAutoscaler",
        "Job",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "TargetGroupBinding",
    }
    assert recorded.duplicates == ()
    component = recorded.named("agent")
    assert {r.parent for r in recorded.resources if r is not component} == {component.urn}
    assert not [r.name for r in recorded.resources if r.protect]


def test_nothing_starts_before_the_policies_and_nothing_serves_before_the_migration(graph):
    recorded = graph(cloud)
    policies = {r.urn for r in recorded.resources if r.type.endswith(":NetworkPolicy")}
    job = recorded.named("agent-migration")
    assert policies <= set(job.depends_on)
    for name in ("agent-api", "agent-worker", "agent-retention"):
        assert {job.urn, *policies} <= set(recorded.named(name).depends_on)


def test_the_migration_is_made_anew_and_not_changed(graph):
    job = graph(cloud).named("agent-migration")
    assert job.inputs["metadata"]["name"] == f"agent-migrate-{DIGEST[:12]}"
    assert job.delete_before_replace
    assert job.ignore_changes == ("spec.ttlSecondsAfterFinished",)


def test_the_number_of_api_pods_is_the_autoscalers_alone(graph, found):
    api = graph(cloud).named("agent-api")
    assert "replicas" not in api.inputs["spec"]
    assert api.ignore_changes == ("spec.replicas",)
    assert named(found, "Deployment", "agent-server-worker")["spec"]["replicas"] == 2


def test_the_settings_are_the_numbers_of_the_budget_and_the_contract(found):
    data = settings(found)["data"]
    assert data | server_environment(Times(), pool_min=5, pool_max=20) == data
    assert data["DATABASE_URL"] == (
        "postgresql://langgraph_app@db.example:5432/langgraph"
        "?sslmode=verify-full&sslrootcert=/app/certs/rds-global-bundle.pem"
    )
    assert data["DATABASE_READ_URL"].startswith("postgresql://langgraph_app@replica.example:5432/")
    assert (data["DATABASE_AUTH"], data["AWS_REGION"], data["AUTH"]) == ("iam", "eu-west-1", "keys")
    assert data["RETENTION_SWEEP_SECONDS"] == "0"
    assert data["ATTACHMENTS_BUCKET"] == "files"
    assert data["HOST"] == "0.0.0.0"


def test_a_changed_setting_is_a_new_config_map_and_so_new_pods(graph, found):
    changed = documents(graph(lambda: cloud(log_level="DEBUG")))
    before, after = settings(found), settings(changed)
    assert before["immutable"]
    assert before["metadata"]["name"] != after["metadata"]["name"]
    for old, new in ((found, before), (changed, after)):
        for name in (
            "Deployment/agent-server",
            "Deployment/agent-server-worker",
            "CronJob/agent-server-retention",
        ):
            (container,) = pod_templates(old)[name]["spec"]["containers"]
            assert container["envFrom"] == [{"configMapRef": {"name": new["metadata"]["name"]}}]


def test_a_changed_setting_does_not_migrate_again(graph, found):
    changed = documents(graph(lambda: cloud(log_level="DEBUG", workers={"replicas": 0})))
    assert of_kind(found, "Job") == of_kind(changed, "Job")
    assert not [each for each in of_kind(changed, "Deployment") if "worker" in each["metadata"]["name"]]


def test_times_of_the_pod_are_those_of_the_budget(found):
    for name in ("Deployment/agent-server", "Deployment/agent-server-worker"):
        spec = pod_templates(found)[name]["spec"]
        assert spec["terminationGracePeriodSeconds"] == Times().grace == 60
        (container,) = spec["containers"]
        assert container["lifecycle"]["preStop"]["sleep"]["seconds"] == Times().pre_stop == 20


def test_the_containers_have_the_sizes_and_ports_that_were_asked_for(found):
    (container,) = pod_templates(found)["Deployment/agent-server"]["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "2000m", "memory": "2Gi"},
    }
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "http": 8000,
        "metrics": 9464,
    }
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["command"][-1] == "serve"


def test_secrets_are_files_that_the_operator_keeps(found):
    secrets = {each["metadata"]["name"]: each["spec"] for each in of_kind(found, "ExternalSecret")}
    assert secrets.keys() == {
        "agent-server-master",
        "agent-server-env",
        "agent-server-redis",
        "agent-server-models",
    }
    master = {each["secretKey"]: each["remoteRef"] for each in secrets["agent-server-master"]["data"]}
    assert master.keys() == {"username", "password"}
    assert master["password"]["property"] == "password"
    assert "REDIS_URL" in secrets["agent-server-redis"]["target"]["template"]["data"]
    assert of_kind(found, "Secret") == []


def test_only_the_migration_sees_the_master(found):
    using = {
        name
        for name, template in pod_templates(found).items()
        if "agent-server-master" in str(template["spec"]["volumes"])
    }
    assert using == {f"Job/agent-migrate-{DIGEST[:12]}"}
    migration = environment(pod_templates(found)[f"Job/agent-migrate-{DIGEST[:12]}"])
    assert migration["DATABASE_URL"].startswith("postgresql://db.example:5432/")
    assert migration["DATABASE_AUTH"] == "file"
    assert migration["APPLICATION_ROLE"] == "langgraph_app"
    assert "APPLICATION_ROLE_PASSWORD_FILE" not in migration


def test_pods_start_without_an_optional_secret_only(found):
    volumes = pod_templates(found)["Deployment/agent-server"]["spec"]["volumes"]
    (environment_,) = (each["projected"]["sources"] for each in volumes if each["name"] == "environment")
    assert {each["secret"]["name"]: each["secret"].get("optional", False) for each in environment_} == {
        "agent-server-env": False,
        "agent-server-redis": False,
        "agent-server-models": True,
    }


def test_alternating_roles_change_the_migration_and_nothing_that_serves(graph):
    def turn(number):
        database = {"host": "db", "auth": "file", "cidrs": ["10.0.1.0/24"], "generation": number}
        remote = {"remote": {"password": "app", "username": "app"}}
        return documents(
            graph(
                lambda: cloud(
                    database=database,
                    database_secret=remote,
                    application_secret={"remote": {"password": "app"}},
                )
            )
        )

    odd, even = turn(1), turn(2)
    assert [job["metadata"]["name"] for job in of_kind(odd, "Job")] == [f"agent-migrate-{DIGEST[:12]}-1"]
    assert environment(pod_templates(odd)[f"Job/agent-migrate-{DIGEST[:12]}-1"])["APPLICATION_ROLE"].endswith(
        "_a"
    )
    assert environment(pod_templates(even)[f"Job/agent-migrate-{DIGEST[:12]}-2"])[
        "APPLICATION_ROLE"
    ].endswith("_b")
    assert of_kind(odd, "Deployment", "ConfigMap") == of_kind(even, "Deployment", "ConfigMap")


def test_values_become_plain_secrets_that_stay_secret(graph):
    recorded = graph(local)
    made = [r for r in recorded.resources if r.type == "kubernetes:core/v1:Secret"]
    assert {r.name for r in made if r.name.startswith("agent")} == {
        "agent-application-secret",
        "agent-database-secret",
        "agent-master-secret",
        "agent-redis-secret",
    }
    assert all(holds_secret(r.inputs["stringData"]) for r in made)
    others = [r.name for r in recorded.resources if r not in made and holds_secret(r.inputs)]
    assert others == []


def test_without_operators_none_of_their_objects_is_declared(graph):
    found = documents(graph(local))
    assert {each["apiVersion"] for each in found} <= {
        "v1",
        "apps/v1",
        "batch/v1",
        "autoscaling/v2",
        "networking.k8s.io/v1",
    }
    assert [each["metadata"]["name"] for each in of_kind(found, "Service")].count("agent-server-metrics") == 0
    assert of_kind(found, "PodDisruptionBudget") == []


def test_prometheus_finds_the_monitor_and_the_monitor_the_pods(found):
    monitor = named(found, "ServiceMonitor", "agent-server")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    service = named(found, "Service", "agent-server-metrics")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ["metrics"]
    wanted = service["spec"]["selector"].items()
    scraped = {name for name, t in pod_templates(found).items() if wanted <= t["metadata"]["labels"].items()}
    assert scraped == {"Deployment/agent-server", "Deployment/agent-server-worker"}
    assert named(found, "PrometheusRule", "agent-server")["metadata"]["labels"]["release"] == "prometheus"
    assert (
        named(found, "ConfigMap", "agent-server-dashboards")["metadata"]["labels"]["grafana_dashboard"] == "1"
    )


def test_the_balancer_registers_pods_by_address(graph, found):
    spec = named(found, "TargetGroupBinding", "agent-server")["spec"]
    assert (spec["targetType"], spec["serviceRef"]) == ("ip", {"name": "agent-server", "port": 8000})
    assert "networking" not in spec
    balancer = {"cidrs": ["10.0.0.0/24"], "target_group_arn": "arn:1", "security_group_id": "sg-1"}
    opened = named(documents(graph(lambda: cloud(balancer=balancer))), "TargetGroupBinding", "agent-server")
    (rule,) = opened["spec"]["networking"]["ingress"]
    assert rule["from"] == [{"securityGroup": {"groupID": "sg-1"}}]


def test_a_private_ca_is_trusted_by_serving_and_migrating_pods(graph):
    found = documents(graph(lambda: cloud(ca_bundle="-----BEGIN CERTIFICATE-----")))
    (bundle,) = (each for each in of_kind(found, "ConfigMap") if "ca.pem" in each["data"])
    data = settings(found)["data"]
    assert data["SSL_CERT_FILE"] == data["REQUESTS_CA_BUNDLE"] == "/etc/ssl/private-ca/ca.pem"
    for template in pod_templates(found).values():
        (volume,) = (each for each in template["spec"]["volumes"] if each["name"] == "ca")
        assert volume["configMap"]["name"] == bundle["metadata"]["name"]
    assert environment(pod_templates(found)[f"Job/agent-migrate-{DIGEST[:12]}"])["SSL_CERT_FILE"]


def test_files_of_users_can_be_on_a_shared_volume(graph):
    found = documents(graph(lambda: local(attachments={"volume_size": "5Gi", "access": "ReadWriteOnce"})))
    claim = named(found, "PersistentVolumeClaim", "agent-server-attachments")["spec"]
    assert (claim["accessModes"], claim["resources"]) == (["ReadWriteOnce"], {"requests": {"storage": "5Gi"}})
    folder = settings(found)["data"]["ATTACHMENTS_DIR"]
    (container,) = pod_templates(found)["Deployment/agent-server"]["spec"]["containers"]
    (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == folder)
    assert not mount.get("readOnly")


def test_workers_can_be_replaced_all_at_once(graph):
    found = documents(graph(lambda: cloud(workers={"replicas": 1, "strategy": "Recreate", "concurrency": 4})))
    worker = named(found, "Deployment", "agent-server-worker")["spec"]
    assert worker["strategy"] == {"type": "Recreate"}
    assert environment(worker["template"]) == {"WORKER_CONCURRENCY": "4"}


def test_tracing_is_off_until_it_is_wanted(graph, found):
    assert settings(found)["data"]["LANGCHAIN_TRACING_V2"] == "false"
    tracing = {"enabled": True, "project": "prod", "endpoint": "https://eu.api.smith.langchain.com"}
    data = settings(documents(graph(lambda: cloud(tracing=tracing))))["data"]
    assert (data["LANGCHAIN_TRACING_V2"], data["LANGCHAIN_PROJECT"]) == ("true", "prod")
    assert data["LANGCHAIN_ENDPOINT"] == "https://eu.api.smith.langchain.com"


def test_an_existing_namespace_is_used_and_not_made(graph):
    found = documents(graph(lambda: cloud(namespace="teams", create_namespace=False)))
    assert of_kind(found, "Namespace") == []
    assert {each["metadata"]["namespace"] for each in found} == {"teams"}


def test_the_outputs_name_what_was_made(graph):
    told = {}

    def program():
        made = AgentWorkload("agent", cloud_args())
        for name in ("namespace", "service_name", "service_account", "deployment_name", "hpa_name", "url"):
            getattr(made, name).apply(lambda value, name=name: told.setdefault(name, value))

    graph(program)
    assert told == {
        "namespace": "langgraph",
        "service_name": "agent-server",
        "service_account": "agent-server",
        "deployment_name": "agent-server",
        "hpa_name": "agent-server",
        "url": "http://agent-server.langgraph.svc:8000",
    }


BAD_PEER = {"port": 4318}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"image_hash": "v1"}, "AgentWorkloadArgs.image_hash: 12 to 64 hex digits"),
        (
            {"database_secret": {"existing": "x"}},
            "AgentWorkloadArgs.database_secret: give it with database.auth: file, and only then",
        ),
        ({"secret_store": None}, "AgentWorkloadArgs.secret_store: is required by secrets with login, remote"),
        ({"environment": {"PORT": "1"}}, "environment: PORT cannot be set here"),
        ({"environment": {"OPENAI_API_KEY": "sk"}}, "environment: OPENAI_API_KEY cannot be set here"),
        ({"pool_min_size": 30}, "pool_min_size: 30 is above pool_max_size 20"),
        ({"egress_proxy_url": "http://x"}, "egress_proxy: give it together with egress_proxy_url"),
        (
            {
                "egress_proxy": {"cidrs": ["10.0.0.1/32"]},
                "egress_proxy_url": "http://me:pw@x",
                "provider_egress": False,
            },
            "egress_proxy_url: leave the login out",
        ),
        (
            {"egress_proxy": {"cidrs": ["10.0.0.1/32"]}, "egress_proxy_url": "http://x"},
            "provider_egress: set it to false",
        ),
        ({"collector": BAD_PEER}, "AgentWorkloadArgs.collector: give exactly one of cidrs, namespace"),
        ({"api": {"min_replicas": 9, "max_replicas": 3}}, "AgentWorkloadArgs.api.min_replicas: 9 is above"),
        ({"api": {"cpu_request": "half"}}, "AgentWorkloadArgs.api.cpu_request: String should match"),
        ({"attachments": {}}, "AgentWorkloadArgs.attachments: give exactly one of bucket, volume_size"),
        ({"master_secret": {}}, "AgentWorkloadArgs.master_secret: give exactly one of existing"),
        ({"retention": {"colour": 1}}, "AgentWorkloadArgs.retention.colour: there is no such setting"),
        (
            {"database": {"host": "db", "cidrs": ["10.0.0.0/24"]}},
            "AgentWorkloadArgs.database.region: is required by auth: iam",
        ),
        (
            {"database": {"host": "db", "region": "r", "cidrs": ["10.0.0.0/24"], "ssl": "disable"}},
            "AgentWorkloadArgs.database.ssl: RDS takes tokens of IAM over TLS only",
        ),
        (
            {"database": {"host": "db", "region": "r", "cidrs": ["10.0.0.0/24"], "generation": 1}},
            "AgentWorkloadArgs.database.generation: alternates passwords",
        ),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_to_change(graph, wrong, said):
    with pytest.raises(InvalidArgs) as refused:
        graph(lambda: cloud(**wrong))
    assert said in str(refused.value)


def test_a_secret_value_is_never_told_by_a_refusal():
    with pytest.raises(InvalidArgs) as refused:
        AgentWorkloadArgs.of({**_plain(), "environment": {"OPENAI_API_KEY": "sk-very-secret"}})
    assert "sk-very-secret" not in str(refused.value)


def _plain():
    return {
        "image": "x",
        "image_hash": DIGEST,
        "database": {"host": "db", "region": "r", "cidrs": ["10.0.0.0/24"]},
        "master_secret": {"existing": "master"},
    }


def test_the_defaults_are_those_of_the_request():
    args = AgentWorkloadArgs.of(_plain())
    assert (args.api.min_replicas, args.api.max_replicas, args.api.cpu_percent) == (3, 50, 70)
    assert (args.pool_min_size, args.pool_max_size, args.workers.replicas) == (5, 20, 0)
    assert args.api.memory_percent is None


# How Pulumi changes them


@pytest.fixture
def asked(graph, monkeypatch):
    """`asked(program)`: what the program asks of the engine for each resource, by its logical name."""

    def run(program):
        found, noted = {}, RecordingMonitor._note

        def note(monitor, request):
            found[request.name] = request
            noted(monitor, request)

        monkeypatch.setattr(RecordingMonitor, "_note", note)
        graph(program)
        return found

    return run


def seconds(request):
    """Of a creation and of an update."""
    given = request.customTimeouts
    return [int(text.removesuffix("s")) for text in (given.create, given.update)]


def test_an_update_waits_longer_for_the_migration_than_kubernetes_does(asked, graph):
    (job,) = of_kind(documents(graph(cloud)), "Job")
    assert min(seconds(asked(cloud)["agent-migration"])) > job["spec"]["activeDeadlineSeconds"]


@pytest.mark.parametrize(("pods", "expected"), [(3, 600), (20, 600), (50, 1500)])
def test_an_update_waits_for_a_rollout_of_every_pod_one_after_the_other(asked, pods, expected):
    found = asked(lambda: cloud(api={"max_replicas": pods}, workers={"replicas": pods}))
    assert seconds(found["agent-api"]) == seconds(found["agent-worker"]) == [expected, expected]


def test_a_binding_is_never_changed_where_its_webhook_would_refuse(asked):
    binding = asked(cloud)["agent-binding"]
    assert list(binding.replaceOnChanges) == ["spec.targetGroupARN", "spec.targetType"]
    assert binding.deleteBeforeReplace is True
