"""What the flow logs of a network may do."""

from typing import Any

from langgraph_components.pure.iam import Policy, allow, document, partition


def trust_flow_logs(account_id: str, region: str) -> Policy:
    """The flow logs of this account and region."""
    source = f"arn:{partition(region)}:ec2:{region}:{account_id}:vpc-flow-log/*"
    conditions = {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": source}}
    principal = {"Service": "vpc-flow-logs.amazonaws.com"}
    return document(allow("FlowLogs", ["sts:AssumeRole"], principal=principal, conditions=conditions))


def write_flow_logs(group_arn: Any, streams_arn: Any) -> Policy:
    """Write to one log group, and see no other."""
    actions = (
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    )
    return document(allow("WriteFlowLogs", actions, [group_arn, streams_arn]))
