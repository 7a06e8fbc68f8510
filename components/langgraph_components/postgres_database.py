# pyright: reportUninitializedInstanceVariable=false
# reason: the outputs are set by the one of two methods that makes or adopts the database
"""PostgreSQL on RDS, or one that is there already, with the application's login."""

from typing import Any, Optional

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, rds

from langgraph_components import postgres_logins as logins
from langgraph_components.args import In
from langgraph_components.data_access import client_only_group
from langgraph_components.ordering import after as known_after
from langgraph_components.physical_names import of_stack
from langgraph_components.postgres_args import Credentials, ExistingDatabase, PostgresDatabaseArgs
from langgraph_components.pure import data_policies, postgres
from langgraph_components.pure import iam as policies

_IDENTIFIER_LIMIT = 50
"""RDS admits 63; the replicas' and the snapshot's names add to it."""


class PostgresDatabase(pulumi.ComponentResource):
    """A PostgreSQL whose master role only migrates; the application uses IAM or an alternating one."""

    host: pulumi.Output[str]
    """Host of the primary."""
    port: pulumi.Output[int]
    """Port of the primary and of the replicas."""
    database: pulumi.Output[str]
    """Name of the database."""
    read_host: Optional[pulumi.Output[str]]
    """Host of the first replica; None without replicas."""
    master_secret_arn: pulumi.Output[str]
    """Secret with `username` and `password` of the role that migrates; where RDS keeps it, 7 days old."""
    application_secret_arn: Optional[pulumi.Output[str]]
    """Secret with `username` and `password` of the role that serves; None with `credentials: iam`."""
    resource_id: Optional[pulumi.Output[str]]
    """`db-…`, by which IAM names the primary; None for an existing database that has none."""
    security_group_id: pulumi.Output[str]
    """Security group of primary and replicas."""
    login_policy: pulumi.Output[str]
    """Policy, as JSON, that lets a role of AWS log in as the application: for `PodIdentity`.

    Without statements where `credentials: secret` needs no such role."""
    max_connections: pulumi.Output[int]
    """Connections that each instance admits, nominally."""

    def __init__(
        self, name: str, args: PostgresDatabaseArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the instance, its replicas, parameters, log groups and security group."""
        super().__init__("langgraph:index:PostgresDatabase", name, {}, opts)
        self._name = name
        self._args = settings = PostgresDatabaseArgs.of(args)
        login = self._create() if settings.existing is None else self._adopt(settings.existing)
        self._login = login if settings.credentials is Credentials.IAM else []
        self.application_secret_arn = logins.application_secret(name, settings, parent=self)
        self.max_connections = pulumi.Output.from_input(settings.admitted())
        self.login_policy = pulumi.Output.json_dumps(policies.document(*self.login_statements()))
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "database": self.database,
                "readHost": self.read_host,
                "masterSecretArn": self.master_secret_arn,
                "applicationSecretArn": self.application_secret_arn,
                "resourceId": self.resource_id,
                "securityGroupId": self.security_group_id,
                "loginPolicy": self.login_policy,
                "maxConnections": self.max_connections,
            }
        )

    def login_statements(self) -> list[policies.Statement]:
        """What the application's role in AWS needs to log in: nothing, with `credentials: secret`."""
        if not self._login:
            return []
        region, account = self._args.region, self._args.account_id

        def arn(resource_id: str) -> str:
            return data_policies.database_user_arn(region, account, resource_id)

        return [data_policies.database_login([known.apply(arn) for known in self._login])]

    def _adopt(self, existing: ExistingDatabase) -> list[pulumi.Output[str]]:
        self.host = _output(existing.host)
        self.port = pulumi.Output.from_input(existing.port)
        self.database = pulumi.Output.from_input(existing.database)
        self.read_host = _optional(existing.read_host)
        self.master_secret_arn = _output(existing.master_secret_arn)
        self.resource_id = _optional(existing.resource_id)
        self.security_group_id = _output(existing.security_group_id)
        return [id_ for id_ in (self.resource_id, _optional(existing.read_resource_id)) if id_ is not None]

    def _create(self) -> list[pulumi.Output[str]]:
        args = self._args
        group, rules = client_only_group(
            self._name,
            parent=self,
            description="PostgreSQL of the platform",
            port=postgres.PORT,
            vpc_id=args.vpc_id,
            clients=args.client_security_group_ids,
        )
        shared = self._shared(group)
        made = logins.master_password(self._name, args, parent=self)
        primary = self._primary(shared, made)
        replicas = [self._replica(index, primary, shared) for index in range(args.replicas)]
        self.host = known_after(primary.address, *rules)
        self.port = primary.port
        self.database = pulumi.Output.from_input(args.database)
        self.read_host = known_after(replicas[0].address, *rules) if replicas else None
        self.master_secret_arn = (
            primary.master_user_secrets.apply(lambda found: str(found[0].secret_arn))
            if made is None
            else logins.master_secret(self._name, args, made, parent=self, after=primary)
        )
        self.resource_id = primary.resource_id
        self.security_group_id = group.id
        return [instance.resource_id for instance in (primary, *replicas)]

    def _shared(self, group: ec2.SecurityGroup) -> dict[str, Any]:
        """What primary and replicas have in common."""
        args = self._args
        return {
            "instance_class": args.instance_class,
            "max_allocated_storage": args.max_storage_gib,
            "storage_type": "gp3",
            "storage_encrypted": True,
            "vpc_security_group_ids": [group.id],
            "parameter_group_name": self._parameters().name,
            "publicly_accessible": False,
            "iam_database_authentication_enabled": args.credentials is Credentials.IAM,
            "ca_cert_identifier": "rds-ca-rsa2048-g1",
            "auto_minor_version_upgrade": True,
            "copy_tags_to_snapshot": True,
            "maintenance_window": args.maintenance_window,
            "enabled_cloudwatch_logs_exports": list(postgres.LOGS),
            "apply_immediately": args.apply_immediately,
            **self._monitoring(),
            **self._insights(),
        }

    def _primary(self, shared: dict[str, Any], made: Optional[pulumi.Output[str]]) -> rds.Instance:
        args, identifier = self._args, self._identifier()
        subnets = rds.SubnetGroup(
            f"{self._name}-subnets",
            description="Data subnets of the platform",
            subnet_ids=args.subnet_ids,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return rds.Instance(
            self._name,
            identifier=identifier,
            engine="postgres",
            engine_version=str(args.engine_major),
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            allow_major_version_upgrade=args.allow_major_version_upgrade,
            blue_green_update={"enabled": True} if args.blue_green else None,
            allocated_storage=args.storage_gib,
            db_name=args.database,
            db_subnet_group_name=subnets.name,
            port=postgres.PORT,
            username=args.master_username,
            password=made,
            manage_master_user_password=True if made is None else None,
            master_user_secret_kms_key_id=args.data_key_arn if made is None else None,
            kms_key_id=args.data_key_arn,
            deletion_protection=args.deletion_protection,
            multi_az=args.multi_az,
            backup_retention_period=args.backup_days,
            backup_window=args.backup_window,
            delete_automated_backups=not args.final_snapshot,
            skip_final_snapshot=not args.final_snapshot,
            # kept as the identifier is, so also there while no snapshot is wanted
            final_snapshot_identifier=f"{identifier}-final",
            opts=self._stateful(self._logs(identifier)),
            **shared,
        )

    def _replica(self, index: int, primary: rds.Instance, shared: dict[str, Any]) -> rds.Instance:
        """A copy in the same region: RDS refuses to be told its key, which is the primary's.

        It holds nothing of its own, so nothing keeps it from being taken away again.
        """
        identifier = f"{self._identifier()}-replica-{index}"
        return rds.Instance(
            f"{self._name}-replica-{index}",
            identifier=identifier,
            replicate_source_db=primary.identifier,
            skip_final_snapshot=True,
            deletion_protection=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=self._logs(identifier, f"-replica-{index}"),
                ignore_changes=["identifier", "replicateSourceDb"],
            ),
            **shared,
        )

    def _identifier(self) -> str:
        return of_stack(self._name, limit=_IDENTIFIER_LIMIT)

    def _stateful(self, after: list[cloudwatch.LogGroup]) -> pulumi.ResourceOptions:
        """RDS upgrades the minor version: only a wanted major upgrade compares what is set with what runs."""
        ignored = ["identifier", "finalSnapshotIdentifier"]
        if not self._args.allow_major_version_upgrade:
            ignored.append("engineVersion")
        return pulumi.ResourceOptions(
            parent=self, protect=self._args.protect, depends_on=after, ignore_changes=ignored
        )

    def _parameters(self) -> rds.ParameterGroup:
        args = self._args
        chosen = postgres.parameters(
            log_min_duration_ms=args.log_min_duration_ms,
            idle_in_transaction_seconds=args.idle_in_transaction_seconds,
            max_connections=args.max_connections,
            blue_green=args.blue_green,
        )
        return rds.ParameterGroup(
            f"{self._name}-parameters",
            family=f"postgres{args.engine_major}",
            description="PostgreSQL of the platform",
            parameters=[
                rds.ParameterGroupParameterArgs(name=name, value=value, apply_method=method)
                for name, value, method in chosen
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _logs(self, identifier: str, label: str = "") -> list[cloudwatch.LogGroup]:
        """Made before RDS makes them, which would keep everything for ever and unencrypted."""
        return [
            cloudwatch.LogGroup(
                f"{self._name}{label}-log-{kind}",
                name=f"/aws/rds/instance/{identifier}/{kind}",
                retention_in_days=self._args.log_retention_days,
                kms_key_id=self._args.logs_key_arn,
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["name"]),
            )
            for kind in postgres.LOGS
        ]

    def _monitoring(self) -> dict[str, Any]:
        if not self._args.monitoring_interval_seconds:
            return {"monitoring_interval": 0}
        role = iam.Role(
            f"{self._name}-monitoring",
            description="RDS writes samples of the operating system to CloudWatch",
            assume_role_policy=pulumi.Output.json_dumps(
                policies.trust_service("monitoring.rds.amazonaws.com", account_id=self._args.account_id)
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        attached = iam.RolePolicyAttachment(
            f"{self._name}-monitoring",
            role=role.name,
            policy_arn=f"arn:{policies.partition(self._args.region)}:iam::aws:policy/{postgres.MONITORING_POLICY}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        # RDS refuses a role that may not write yet
        ready = pulumi.Output.all(role.arn, attached.id).apply(lambda found: str(found[0]))
        return {"monitoring_interval": self._args.monitoring_interval_seconds, "monitoring_role_arn": ready}

    def _insights(self) -> dict[str, Any]:
        mode = self._args.insights
        if mode is postgres.Insights.OFF:
            return {"performance_insights_enabled": False}
        return {
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": self._args.data_key_arn,
            "performance_insights_retention_period": postgres.INSIGHTS_DAYS[mode],
            "database_insights_mode": mode.value,
        }


def _output(given: In[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(given)


def _optional(given: Optional[In[str]]) -> Optional[pulumi.Output[str]]:
    return None if given is None else pulumi.Output.from_input(given)
