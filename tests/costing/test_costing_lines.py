"""What each resource costs, reckoned by hand: a month has 730 hours, and 30.4167 days."""

import pytest
from costing.costing_world import estimate, estimated, lines, of, recording, resource, usage

VPC = resource("aws:ec2/vpc:Vpc", "vpc")


def database(**inputs):
    given = {"instanceClass": "db.t4g.medium", "allocatedStorage": 20, "maxAllocatedStorage": 100, **inputs}
    return resource("aws:rds/instance:Instance", "database", **given)


def nodes(capacity="ON_DEMAND", least=3, most=12, desired=3):
    return resource(
        "aws:eks/nodeGroup:NodeGroup",
        "nodes",
        instanceTypes=["m7g.xlarge"],
        capacityType=capacity,
        scalingConfig={"minSize": least, "maxSize": most, "desiredSize": desired},
    )


def api(cpu="500m"):
    container = {"resources": {"requests": {"cpu": cpu}}}
    return resource(
        "kubernetes:apps/v1:Deployment",
        "api",
        metadata={"labels": {"app.kubernetes.io/component": "api"}},
        spec={"template": {"spec": {"containers": [container]}}},
    )


def autoscaled(least=3, most=50):
    metric = {"resource": {"target": {"averageUtilization": 70}}}
    spec = {"minReplicas": least, "maxReplicas": most, "metrics": [metric]}
    return resource("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "autoscaler", spec=spec)


GROWING = resource("kubernetes:helm.sh/v3:Release", "autoscaler-chart", chart="cluster-autoscaler")


def test_a_control_plane_costs_ten_cents_an_hour():
    found = of(0, resource("aws:eks/cluster:Cluster", "eks"))
    assert found["Kubernetes control plane"] == (730, 73.0)


def test_nodes_are_their_least_number_while_nothing_runs():
    assert of(0, nodes(), GROWING, api(), autoscaled())["nodes, m7g.xlarge"] == (2190, 357.41)


def test_without_an_autoscaler_of_nodes_there_are_as_many_as_are_desired():
    found = of(10**6, nodes(desired=5), api(), autoscaled(), server_ms_per_run=1000)
    assert found["nodes, m7g.xlarge"][0] == 5 * 730


def test_nodes_grow_with_the_mean_of_the_day_and_end_at_their_most():
    busy = {"server_ms_per_run": 1000}
    few = of(100_000, nodes(), GROWING, api(), autoscaled(), **busy)["nodes, m7g.xlarge"][0] / 730
    many = of(10**7, nodes(), GROWING, api(), autoscaled(most=500), **busy)["nodes, m7g.xlarge"][0] / 730
    # 1.157 cores on average / 0.35 of each pod = 4 pods, 7 on a node; then 331 pods on at most 12 nodes
    assert (few, many) == (3, 12)


def test_pods_need_nodes_as_the_scheduler_would_place_them():
    found = of(2_000_000, nodes(), GROWING, api(), autoscaled(most=500), server_ms_per_run=1000)
    # 23.1 cores / 0.35 = 67 pods of 500m; an m7g.xlarge offers 3920m less 400m: 7 pods; 10 nodes
    assert found["nodes, m7g.xlarge"][0] == 10 * 730


def test_a_spot_node_is_somewhere_between_a_tenth_and_the_whole_price():
    found = estimate(recording(nodes("SPOT", least=1, desired=1), GROWING, api(), autoscaled()), usage(0))
    (line,) = [each for each in found.lines if "Spot" in each.charge.what]
    assert (line.monthly.low, line.monthly.high) == (11.91, 119.14)


def test_disks_are_as_large_as_the_template_says():
    template = resource(
        "aws:ec2/launchTemplate:LaunchTemplate", "node", blockDeviceMappings=[{"ebs": {"volumeSize": 50}}]
    )
    assert of(0, nodes(), template, GROWING, api(), autoscaled())["disks of the nodes"] == (150, 12.0)


def test_a_standby_is_a_second_database_with_a_second_storage():
    one, two = of(0, database()), of(0, database(multiAz=True))
    assert one["PostgreSQL, db.t4g.medium"] == (730, 47.45)
    assert two["PostgreSQL, db.t4g.medium with a standby"] == (1460, 94.9)
    assert (one["its storage"], two["its storage"]) == ((20, 2.3), (40, 4.6))


def test_a_replica_is_named_and_has_no_backups_of_its_own():
    found = of(
        0,
        resource(
            "aws:rds/instance:Instance", "replica", instanceClass="db.t4g.medium", replicateSourceDb="x"
        ),
    )
    assert set(found) == {"PostgreSQL replica, db.t4g.medium", "its replica storage"}


def test_rows_are_kept_as_long_as_the_settings_say():
    settings = {
        "RETENTION_RUNS_DAYS": "10",
        "RETENTION_CHECKPOINTS_DAYS": "1",
        "RETENTION_EVENTS_SECONDS": "3600",
        "RETENTION_THREADS_DAYS": "100",
    }
    kept = resource("kubernetes:core/v1:ConfigMap", "settings", data=settings)
    mib = {f"stored_{what}_kib_per_run": 1024 for what in ("history", "run", "events", "thread")}
    found = of(1024, kept, database(), **mib)
    # a GiB a day: 1 + 10 + 1/24 + 100 days
    assert found["its storage"][0] == pytest.approx(100)
    assert of(1024, kept, database(maxAllocatedStorage=1000), **mib)["its storage"][0] == pytest.approx(
        111.0417, rel=1e-4
    )


def test_threads_that_are_kept_for_ever_are_as_many_as_the_horizon_holds():
    plan = (database(maxAllocatedStorage=10_000),)
    nothing = {f"stored_{what}_kib_per_run": 0 for what in ("history", "run", "events")}
    year = of(1024, *plan, stored_thread_kib_per_run=1024, **nothing)["its storage"][0]
    half = of(1024, *plan, stored_thread_kib_per_run=1024, horizon_months=6, **nothing)["its storage"][0]
    assert year == pytest.approx(365) == 2 * half


def test_backups_are_free_up_to_the_size_of_the_database():
    kept = database(backupRetentionPeriod=14)
    assert of(0, kept)["backups beyond its size"] == (0, 0)
    stored = {f"stored_{what}_kib_per_run": 0 for what in ("history", "run", "events", "thread")}
    # 14 days of 2 GiB of log, 20 of them free
    assert of(2048, kept, wal_kib_per_run=1024, **stored)["backups beyond its size"][0] == pytest.approx(8)
    assert of(2048, database(), wal_kib_per_run=1024, **stored)["backups beyond its size"][0] == 0


def test_a_master_password_that_rds_keeps_is_a_secret():
    assert of(0, database(manageMasterUserPassword=True))["secrets of the master users"] == (1, 0.4)


def test_cache_nodes_are_counted_by_clusters_or_by_shards():
    def cache(**inputs):
        return resource(
            "aws:elasticache/replicationGroup:ReplicationGroup",
            "cache",
            nodeType="cache.t4g.small",
            engine="valkey",
            **inputs,
        )

    assert of(0, cache(numCacheClusters=2))["Valkey, cache.t4g.small"] == (1460, 37.38)
    assert of(0, cache(numNodeGroups=2, replicasPerNodeGroup=1))["Valkey, cache.t4g.small"][0] == 4 * 730


def test_redis_of_another_engine_is_told_as_not_priced():
    cache = resource(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "cache",
        nodeType="cache.t4g.small",
        engine="redis",
    )
    found = estimate(recording(cache), usage(0))
    assert [each.reason for each in found.unpriced] == ["the table has Valkey's prices, not redis's"]
    assert not found.lines


def test_what_goes_to_models_passes_nat_and_leaves_aws():
    gateway = resource("aws:ec2/natGateway:NatGateway", "nat")
    flow = {"model_sent_kib_per_run": 1024, "model_received_kib_per_run": 512}
    found = of(1024, gateway, **flow)
    assert found["NAT gateways"] == (730, 32.85)
    assert found["of it, data to the internet"] == (pytest.approx(30.4167, rel=1e-4), 2.74)
    assert found["data through NAT"] == (pytest.approx(45.625), 2.05)


def test_traces_leave_by_nat_only_where_the_stack_sends_them():
    gateway = resource("aws:ec2/natGateway:NatGateway", "nat")
    traced = resource(
        "kubernetes:core/v1:ConfigMap",
        "settings",
        data={"RETENTION_RUNS_DAYS": "30", "LANGCHAIN_TRACING_V2": "true"},
    )
    flow = {"model_sent_kib_per_run": 0, "model_received_kib_per_run": 0, "trace_kib_per_run": 1024}
    assert of(1024, gateway, **flow)["data through NAT"][0] == 0
    assert of(1024, gateway, traced, **flow)["data through NAT"][0] == pytest.approx(30.4167, rel=1e-4)


def test_interface_endpoints_cost_by_zone_and_gateway_endpoints_nothing():
    paid = resource(
        "aws:ec2/vpcEndpoint:VpcEndpoint", "logs", vpcEndpointType="Interface", subnetIds=["a", "b", "c"]
    )
    free = resource("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", vpcEndpointType="Gateway", routeTableIds=["r"])
    assert of(0, paid, free) == {"interface endpoints": (2190, 21.9)}
    assert of(0, free) == {}


def test_a_balancer_has_hours_units_and_an_address_in_each_zone():
    balancer = resource("aws:lb/loadBalancer:LoadBalancer", "alb", internal=False, subnets=["a", "b"])
    found = of(0, balancer)
    assert (found["balancer"], found["its public addresses"]) == ((730, 16.43), (1460, 7.3))
    # 2 GiB an hour are two units; 50 new connections a second as well
    by_traffic = of(48 * 1024, balancer, body_kib_per_run=1024, requests_per_run=1)
    by_connections = of(86_400, balancer, body_kib_per_run=0, requests_per_run=50)
    assert by_traffic["its units of capacity"][0] == pytest.approx(2 * 730)
    assert by_connections["its units of capacity"][0] == pytest.approx(2 * 730)


def test_a_balancer_inside_has_no_public_address():
    found = of(1000, resource("aws:lb/loadBalancer:LoadBalancer", "alb", internal=True, subnets=["a", "b"]))
    assert "its public addresses" not in found
    assert "answers to the internet" not in found


def test_a_firewall_costs_itself_its_rules_and_its_requests():
    found = of(100_000, resource("aws:wafv2/webAcl:WebAcl", "waf", rules=[{}, {}]), requests_per_run=2)
    assert (found["firewall"][1], found["its rules"][1]) == (5.0, 2.0)
    assert found["requests through it"] == (pytest.approx(6.0833, rel=1e-4), 3.65)


def test_secrets_that_somebody_else_made_are_counted_by_their_names():
    def data(*keys):
        return {"refreshInterval": "1h", "data": [{"remoteRef": {"key": key}} for key in keys]}

    found = of(
        0,
        VPC,
        resource("kubernetes:external-secrets.io/v1:ExternalSecret", "one", spec=data("arn:aws:x", "team/a")),
        resource("kubernetes:external-secrets.io/v1:ExternalSecret", "two", spec=data("team/a", "team/b")),
    )
    assert found["secrets that you made"] == (2, 0.8)
    assert found["reading of secrets"][0] == pytest.approx(4 * 730 / 10_000)


def test_attachments_lie_there_as_long_as_their_threads_and_are_written_once():
    found = of(1024, resource("aws:s3/bucket:Bucket", "attachments"), attachment_kib_per_run=1024)
    assert found["attachments"] == (pytest.approx(365), 8.39)
    assert found["attachments written"][0] == pytest.approx(1024 * 730 / 24 / 1000)
    assert of(1024, resource("aws:s3/bucket:Bucket", "attachments"))["attachments written"][0] == 0


def test_logs_cost_when_taken_in_and_as_long_as_they_are_kept():
    def group(name, days):
        return resource("aws:cloudwatch/logGroup:LogGroup", name, name=name, retentionInDays=days)

    found = of(
        0,
        group("/aws/eks/x/cluster", 30),
        group("/aws/rds/instance/x/postgresql", 365),
        group("/ours/flow", 0),
        control_plane_log_gb=100,
        database_log_gb=30,
        flow_log_gb_per_node=10,
    )
    assert found["log of Kubernetes"] == (100, 50.0)
    assert found["log of Kubernetes, kept 30 days"] == (100, 3.0)
    assert found["log of PostgreSQL, kept 365 days"][0] == pytest.approx(365)
    # a log that is never deleted is counted as one of a year
    assert found["log of the network, kept 365 days"][0] == pytest.approx(10 * 365 / 30)


def test_volumes_that_a_chart_claims_are_counted_with_its_replicas():
    def claim(size):
        return {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": size}}}}}

    values = {"a": {"replicas": 2, "storage": claim("50Gi")}, "b": {"storage": claim("512Mi")}}
    chart = resource("kubernetes:helm.sh/v3:Release", "stack", chart="x", values=values)
    assert of(0, VPC, chart)["volumes of monitoring"] == (100.5, 8.04)


def test_a_stack_without_aws_costs_nothing_here():
    found = estimated("local", 50_000)
    assert found.lines == ()
    assert found.monthly.high == 0


def test_prod_idle_is_what_its_rows_say():
    found = lines(estimated("prod"))
    assert found["PostgreSQL, db.m7g.xlarge with a standby"] == (1460, 492.02)
    assert found["nodes, m7g.xlarge"] == (2190, 357.41)
    assert found["interface endpoints"] == (10_950, 109.5)
    assert found["volumes of monitoring"] == (102, 8.16)
    assert found["secrets that you made"][0] == 2
