"""Rights: each role names what it may do; buckets, the API and logs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.templates import TEMPLATES, every, properties, resources, role_statements, several, text

#: Their resource cannot be named: AWS knows none for them.
WITHOUT_RESOURCE = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "cloudwatch:GetMetricData",
}
#: The machine packs, and deletes what is packed; of new objects it writes packs alone.
MAY_WRITE = {
    ("ingest", "CollectorRole"): {"events/*", "rejected/*"},
    ("monitoring", "OperationsRole"): {"operations/*"},
    ("warehouse", "MachineRole"): {"events/*/packed-*", "rejected/*/packed-*", "events/*", "rejected/*"},
}


ROLES = [(f"{file}/{name}", held) for file, name, held in resources("AWS::IAM::Role")]


@pytest.mark.parametrize(("name", "held"), ROLES, ids=[name for name, _ in ROLES])
def test_a_role_names_each_action_and_each_resource(name: str, held: dict[str, Any]) -> None:
    for statement in role_statements(held):
        actions = several(statement["Action"])
        assert not [action for action in actions if "*" in action]
        if "*" in several(statement["Resource"]):
            assert set(actions) <= WITHOUT_RESOURCE, name
        for resource in several(statement["Resource"]):
            assert resource == "*" or resource.split(":", 5)[-1].strip("*/") or resource.startswith("<"), resource
    managed = [text(one) for one in held["Properties"].get("ManagedPolicyArns", [])]
    assert managed in ([], ["arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"])


def test_who_may_write_raw_events() -> None:
    for file, name, held in resources("AWS::IAM::Role"):
        written = {
            resource
            for statement in role_statements(held)
            for resource in several(statement["Resource"])
            if resource.startswith("arn:aws:s3:::raw/") and set(several(statement["Action"])) - {"s3:GetObject"}
        }
        assert written == {f"arn:aws:s3:::raw/{key}" for key in MAY_WRITE.get((file, name), ())}, name
    collector = [
        action
        for one in role_statements(TEMPLATES["ingest"]["Resources"]["CollectorRole"])
        for action in several(one["Action"])
    ]
    assert [action for action in collector if action.startswith("s3:")] == ["s3:PutObject"]
    machine = list(role_statements(TEMPLATES["warehouse"]["Resources"]["MachineRole"]))
    put = [one for one in machine if "s3:PutObject" in several(one["Action"])]
    assert all(
        text(key).endswith("/packed-*") for one in put for key in several(one["Resource"]) if ":raw/" in text(key)
    )


def test_the_tick_s_own_code_cannot_touch_network_interfaces() -> None:
    statements = list(role_statements(TEMPLATES["etl"]["Resources"]["EtlRole"]))
    [plug] = [one for one in statements if one["Sid"] == "LetLambdaPlugItIntoTheSubnet"]
    [deny] = [one for one in statements if one["Effect"] == "Deny"]
    assert deny["Action"] == plug["Action"]
    assert text(deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]).endswith(":function:clickstream-prod-etl")


BUCKETS = [(file, name, held["Properties"]) for file, name, held in resources("AWS::S3::Bucket")]


@pytest.mark.parametrize(("file", "name", "made"), BUCKETS, ids=[name for _, name, _ in BUCKETS])
def test_a_bucket_is_encrypted_versioned_closed_and_speaks_tls_only(file: str, name: str, made: dict[str, Any]) -> None:
    assert made["VersioningConfiguration"] == {"Status": "Enabled"}
    assert len(made["PublicAccessBlockConfiguration"]) == 4 and all(made["PublicAccessBlockConfiguration"].values())
    assert list(every(made["BucketEncryption"], "SSEAlgorithm")) == ["AES256"]
    policies = [held["Properties"] for _, _, held in resources("AWS::S3::BucketPolicy")]
    [policy] = [one for one in policies if one["Bucket"] == {"Ref": name}]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert several(statement["Resource"]) == [f"<{name}.Arn>", f"<{name}.Arn>/*"]


def test_raw_events_grow_cold() -> None:
    rules = properties("storage", "RawBucket")["LifecycleConfiguration"]["Rules"]
    steps = {
        rule["Prefix"]: [one["StorageClass"] for one in rule["Transitions"]] for rule in rules if "Transitions" in rule
    }
    assert steps == {"events/": ["STANDARD_IA", "GLACIER_IR"], "rejected/": ["STANDARD_IA", "GLACIER_IR"]}
    assert not [rule for rule in rules if "ExpirationInDays" in rule and rule["Prefix"] != "operations/"]


def test_the_api_has_each_path_open_and_signed_in() -> None:
    routes = {
        held["Properties"]["RouteKey"]: held["Properties"]["AuthorizationType"]
        for _, _, held in resources("AWS::ApiGatewayV2::Route")
    }
    from ingest_lambda.request import PATHS, SIGNED_IN_PATHS

    assert routes == {f"POST {path}": "NONE" for path in PATHS} | {f"POST {path}": "JWT" for path in SIGNED_IN_PATHS}
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= properties("ingest", "Stage")[
        "DefaultRouteSettings"
    ].keys()


def test_no_log_has_a_visitor_s_address() -> None:
    logged = properties("ingest", "Stage")["AccessLogSettings"]["Format"]
    assert set(re.findall(r"\$context\.([\w.]+)", logged)) == {
        "requestId",
        "requestTime",
        "routeKey",
        "status",
        "responseLength",
        "responseLatency",
        "integrationLatency",
        "error.message",
        "integrationErrorMessage",
    }
    assert not list(resources("AWS::EC2::FlowLog"))


def test_the_secret_of_cloudfront_is_sent_in_the_header_that_the_collector_reads() -> None:
    from ingest_lambda.request import DOOR_HEADER

    [sent] = every(TEMPLATES["frontend"], "OriginCustomHeaders")
    assert [one["HeaderName"] for one in sent] == [DOOR_HEADER]
