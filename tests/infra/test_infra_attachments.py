import json

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from langgraph_components.attachments import Attachments
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import data_policies

KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
ARGS = {"account_id": "123456789012", "region": "eu-west-1", "data_key_arn": KEY}
NAME = "langgraph-platform-test-files-123456789012-eu-west-1"
BUCKET = f"arn:aws:s3:::{NAME}"


def declared(graph, **more):
    return graph(lambda: Attachments("files", {**ARGS, **more}))


def the(found, type_):
    (resource,) = found.of_type(f"aws:s3/{type_}")
    return resource


def rules(found):
    lifecycle = the(found, "bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    return {rule["id"]: rule for rule in lifecycle.inputs["rules"]}


def test_nothing_in_it_can_become_public(graph):
    found = declared(graph)
    block = the(found, "bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert block == {
        "bucket": NAME,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    owner = the(found, "bucketOwnershipControls:BucketOwnershipControls").inputs["rule"]
    assert owner == {"objectOwnership": "BucketOwnerEnforced"}
    assert found.of_type("aws:s3/bucketAcl:BucketAcl") == []


def test_objects_are_encrypted_with_our_key_through_a_key_of_the_bucket(graph):
    kind = "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    (rule,) = the(declared(graph), kind).inputs["rules"]
    assert rule == {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
        "bucketKeyEnabled": True,
    }


def test_who_comes_without_tls_is_refused_everything(graph):
    found = declared(graph)
    policy = the(found, "bucketPolicy:BucketPolicy")
    statements = json.loads(policy.inputs["policy"])["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert [statement["Condition"] for statement in statements] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]
    for statement in statements:
        assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
        assert statement["Resource"] == [BUCKET, f"{BUCKET}/*"]
    assert the(found, "bucketPublicAccessBlock:BucketPublicAccessBlock").urn in policy.depends_on


def test_what_was_deleted_can_be_restored_for_a_while_and_leftovers_go(graph):
    found = declared(graph)
    versions = the(found, "bucketVersioning:BucketVersioning")
    assert versions.inputs["versioningConfiguration"] == {"status": "Enabled"}
    leftovers = rules(found)["leftovers"]
    assert leftovers["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert leftovers["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    lifecycle = the(found, "bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert versions.urn in lifecycle.depends_on


def test_attachments_stay_unless_an_age_is_given(graph):
    assert rules(declared(graph))["expiry"]["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rules(declared(graph, expire_days=90))["expiry"]["expiration"] == {"days": 90}


def test_a_bucket_that_holds_something_is_deleted_only_where_that_was_asked_for(graph):
    assert the(declared(graph), "bucket:Bucket").inputs["forceDestroy"] is False
    assert the(declared(graph, force_destroy=True), "bucket:Bucket").inputs["forceDestroy"] is True


def test_only_the_bucket_is_protected(graph):
    found = declared(graph, protect=True)
    assert [r.type for r in found.resources if r.protect] == ["aws:s3/bucket:Bucket"]


def test_every_child_belongs_to_the_component(graph):
    found = declared(graph)
    component = found.named("files", "langgraph:index:Attachments")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}


def test_the_name_is_unique_in_the_world_and_one_that_s3_admits(graph):
    assert the(declared(graph), "bucket:Bucket").inputs["bucket"] == NAME
    long = graph(lambda: Attachments("files-of-a-team-with-a-long-name", ARGS), stack="production")
    assert len(the(long, "bucket:Bucket").inputs["bucket"]) <= 63


# K4: what the application may do


def outputs_of(graph, **more):
    def program():
        files = Attachments("files", {**ARGS, **more})
        pulumi.export("bucket", files.bucket)
        pulumi.export("arn", files.arn)
        pulumi.export("statements", files.access_statements())

    return graph(program).outputs


def test_the_application_reaches_this_bucket_and_this_key_and_nothing_else(graph):
    told = outputs_of(graph)
    assert (told["bucket"], told["arn"]) == (NAME, BUCKET)
    objects, listing, key = told["statements"]
    assert objects["Action"] == ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    assert objects["Resource"] == [f"{BUCKET}/*"]
    assert listing["Action"] == ["s3:ListBucket"]
    assert listing["Resource"] == [BUCKET]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["attachments/*"]}}
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key["Resource"] == [KEY]
    assert key["Condition"] == {
        "StringEquals": {
            "kms:ViaService": "s3.eu-west-1.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": BUCKET,
        }
    }


def test_no_action_and_no_resource_is_everything(graph):
    for statement in outputs_of(graph)["statements"]:
        assert not any("*" in action for action in statement["Action"])
        assert "*" not in statement["Resource"]
        assert statement["Effect"] == "Allow"


def test_another_prefix_is_what_can_be_listed(graph):
    _, listing, _ = outputs_of(graph, prefix="uploads/")["statements"]
    assert listing["Condition"]["StringLike"]["s3:prefix"] == ["uploads/*"]


@pytest.mark.parametrize(
    ("region", "service", "partition"),
    [
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn", "aws-cn"),
        ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com", "aws-us-gov"),
    ],
)
def test_other_partitions_have_their_own_names(graph, region, service, partition):
    key = data_policies.attachments_access("b", "b/*", "k", region, "p/")[2]
    assert key["Condition"]["StringEquals"]["kms:ViaService"] == service
    assert outputs_of(graph, region=region)["arn"].startswith(f"arn:{partition}:s3:::")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"account_id": "1"}, "AttachmentsArgs.account_id: "),
        ({"prefix": "/"}, "AttachmentsArgs.prefix: "),
        (
            {"noncurrent_days": 0},
            "AttachmentsArgs.noncurrent_days: should be greater than or equal to 1 (got 0)",
        ),
        ({"public": True}, "AttachmentsArgs.public: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(graph, wrong, said):
    with pytest.raises(InvalidArgs) as caught:
        declared(graph, **wrong)
    assert str(caught.value).startswith(said)


def test_the_schema_of_other_languages_has_every_argument_and_output():
    definition = Analyzer("langgraph").analyze_component(Attachments)
    needed = {key for key, value in definition.inputs.items() if not value.optional}
    assert needed == {"accountId", "region", "dataKeyArn"}
    assert set(definition.outputs) == {"bucket", "arn", "accessPolicy"}
