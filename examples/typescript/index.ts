// The same as ../existing-cluster, in TypeScript: the components come as the Pulumi package `langgraph`.
import * as langgraph from "@pulumi/langgraph";
import * as pulumi from "@pulumi/pulumi";

/** What the platform team runs. */
interface Foundation {
    accountId: string;
    region: string;
    vpcId: string;
    dataSubnetIds: string[];
    dataSubnetCidrs: string[];
    dataKeyArn: string;
    logsKeyArn: string;
    clusterName: string;
    clusterArn: string;
    nodeSecurityGroupId: string;
    secretStore: string;
}

const config = new pulumi.Config();
const there = config.requireObject<Foundation>("foundation");

const database = new langgraph.PostgresDatabase("agents-db", {
    accountId: there.accountId,
    region: there.region,
    vpcId: there.vpcId,
    subnetIds: there.dataSubnetIds,
    clientSecurityGroupIds: [there.nodeSecurityGroupId],
    dataKeyArn: there.dataKeyArn,
    logsKeyArn: there.logsKeyArn,
    instanceClass: "db.t4g.medium",
    storageGib: 20,
    // a small one, gone with one `pulumi destroy`
    multiAz: false,
    deletionProtection: false,
    finalSnapshot: false,
    secretRecoveryDays: 0,
});

const identity = new langgraph.PodIdentity("agents", {
    accountId: there.accountId,
    clusterName: there.clusterName,
    clusterArn: there.clusterArn,
    policies: [database.loginPolicy],
});

const workload = new langgraph.AgentWorkload(
    "agents",
    {
        image: config.require("image"),
        database: {
            host: database.host,
            region: there.region,
            cidrs: there.dataSubnetCidrs,
        },
        secretStore: there.secretStore,
        masterSecret: { login: database.masterSecretArn },
        environmentSecrets: {
            env: { remote: { API_KEY_PEPPER: "agents/pepper", OPENAI_API_KEY: "agents/openai" } },
        },
        poolMaxSize: 10,
        api: { minReplicas: 2, maxReplicas: 6 },
        nodeSelector: { pool: "agents" },
        tolerations: [{ key: "agents", effect: "NoSchedule" }],
        callers: { gateway: { namespace: "ingress" } },
        monitoring: { labels: { release: "kube-prometheus-stack" } },
    },
    // pods get their credentials when they are made: the identity comes first
    { dependsOn: [identity] },
);

export const url = workload.url;
export const databaseHost = database.host;
