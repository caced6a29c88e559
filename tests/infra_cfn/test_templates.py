"""What the templates promise, read from the templates themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.templates import FOLDER, TEMPLATES, allows, every, properties, resources, role_statements, several, text

ROOT = FOLDER.parent
NESTED = {name: held for _, name, held in resources("AWS::CloudFormation::Stack")}
FILE_OF = {name: held["Properties"]["TemplateURL"]["Fn::Sub"].rpartition("/")[2][:-5] for name, held in NESTED.items()}
HOLDS_DATA = ("AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::Cognito::UserPool", "AWS::SQS::Queue", "AWS::Logs::LogGroup")
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
MAY_WRITE = {"CollectorRole": {"events", "rejected"}, "OperationsRole": {"operations"}}


# --- one stack for each lifecycle, and a root that nests them


def test_the_root_nests_every_template_but_those_that_are_deployed_on_their_own() -> None:
    assert set(FILE_OF.values()) == TEMPLATES.keys() - {"root", "artifacts", "waf"}


@pytest.mark.parametrize("stack", NESTED)
def test_a_nested_stack_gets_each_parameter_it_needs_and_no_other(stack: str) -> None:
    known = TEMPLATES[FILE_OF[stack]]["Parameters"]
    given = NESTED[stack]["Properties"]["Parameters"]
    assert {name for name, about in known.items() if "Default" not in about} <= given.keys() <= known.keys()


def test_every_output_that_the_root_reads_is_there() -> None:
    read = [parts for parts in every(TEMPLATES["root"], "Fn::GetAtt") if parts[1].startswith("Outputs.")]
    assert len(read) > 30
    for stack, output in read:
        assert output.removeprefix("Outputs.") in TEMPLATES[FILE_OF[stack]]["Outputs"], (stack, output)


def test_a_parameter_means_the_same_in_the_root_and_below_it() -> None:
    for stack, held in NESTED.items():
        for name, value in held["Properties"]["Parameters"].items():
            if value == {"Ref": name} and name not in ("AvailabilityZone",):
                above, below = TEMPLATES["root"]["Parameters"][name], TEMPLATES[FILE_OF[stack]]["Parameters"][name]
                for rule in ("AllowedValues", "AllowedPattern", "MinValue", "MaxValue"):
                    assert above.get(rule) == below.get(rule) or rule not in below, (stack, name, rule)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_in_a_group_and_every_template_says_what_it_is(name: str) -> None:
    read = TEMPLATES[name]
    groups = read["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(read["Parameters"])
    assert len(read["Description"]) > 60


def test_what_the_root_tells_is_exported_under_its_stack_s_name() -> None:
    for name, output in TEMPLATES["root"]["Outputs"].items():
        assert output["Export"]["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}


def test_what_holds_data_says_what_becomes_of_it() -> None:
    found = [(name, held) for _, name, held in resources(*HOLDS_DATA, "AWS::CloudFormation::Stack")]
    assert len(found) > 15
    for name, held in found:
        assert "DeletionPolicy" in held and "UpdateReplacePolicy" in held, name
    kept = {name for name, held in found if held["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate", "Snapshot")}
    assert kept == {"Storage", "Auth", "RawBucket", "WarehouseBucket", "WarehouseVolume", "OltpVolume", "UserPool"}


def test_when_nothing_runs_what_holds_data_stays() -> None:
    unconditional = {name for name, held in NESTED.items() if "Condition" not in held}
    assert unconditional == {"Storage", "Auth"}


# --- the network


def test_there_is_no_nat() -> None:
    kinds = {held["Type"] for _, _, held in resources()}
    assert not [kind for kind in kinds if "Nat" in kind or "EgressOnly" in kind or "TransitGateway" in kind]


def test_only_the_public_subnet_has_a_way_to_the_internet() -> None:
    routes = [held["Properties"] for _, _, held in resources("AWS::EC2::Route")]
    assert [(route["RouteTableId"], route["GatewayId"]) for route in routes] == [
        ({"Ref": "PublicRouteTable"}, {"Ref": "InternetGateway"})
    ]
    tables = {
        held["Properties"]["SubnetId"]["Ref"]: held["Properties"]["RouteTableId"]["Ref"]
        for _, _, held in resources("AWS::EC2::SubnetRouteTableAssociation")
    }
    assert tables == {
        "PublicSubnet": "PublicRouteTable",
        "AnalyticsSubnet": "AnalyticsRouteTable",
        "EtlSubnet": "EtlRouteTable",
    }
    cidrs = {name: held["Properties"]["CidrBlock"] for _, name, held in resources("AWS::EC2::Subnet")}
    assert cidrs == {"PublicSubnet": "10.0.1.0/24", "AnalyticsSubnet": "10.0.2.0/24", "EtlSubnet": "10.0.3.0/24"}
    assert properties("network", "Vpc")["CidrBlock"] == "10.0.0.0/16"


def ingress_rules() -> list[dict[str, Any]]:
    found = []
    for _, _, held in resources("AWS::EC2::SecurityGroup"):
        for rule in held["Properties"].get("SecurityGroupIngress", []):
            found.append(rule["Fn::If"][1] if "Fn::If" in rule else rule)
    return found + [held["Properties"] for _, _, held in resources("AWS::EC2::SecurityGroupIngress")]


def test_nobody_is_let_in_but_by_a_group_or_a_listed_range() -> None:
    rules = ingress_rules()
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(5432, 5432), (22, 22), (443, 443)}
    for rule in rules:
        assert not {"CidrIpv6", "SourcePrefixListId"} & rule.keys()
        if "CidrIp" in rule:
            about = TEMPLATES["network"]["Parameters"][rule["CidrIp"]["Ref"]]
            assert about["Default"] == ""
            for wide in ("0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/8", "203.0.113.0/15", "::/0", "any"):
                assert not re.fullmatch(about["AllowedPattern"], wide), wide
            assert re.fullmatch(about["AllowedPattern"], "203.0.113.7/32")
        else:
            assert rule["SourceSecurityGroupId"]["Ref"].endswith("SecurityGroup")


def test_who_may_reach_the_warehouse() -> None:
    into = [rule for rule in ingress_rules() if rule.get("GroupId") == {"Ref": "DwSecurityGroup"}]
    assert {rule["SourceSecurityGroupId"]["Ref"] for rule in into} == {"EtlSecurityGroup", "ShinySecurityGroup"}
    assert {rule["FromPort"] for rule in into} == {5432}
    for group in ("DwSecurityGroup", "ShinySecurityGroup", "EtlSecurityGroup"):
        assert "SecurityGroupIngress" not in properties("network", group)


def test_the_private_machine_has_no_public_address_and_no_machine_a_key() -> None:
    [interface] = properties("warehouse", "WarehouseMachine")["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is False
    assert not properties("network", "AnalyticsSubnet")["MapPublicIpOnLaunch"]
    assert TEMPLATES["root"]["Resources"]["Warehouse"]["Properties"]["Parameters"]["Subnet"] == {
        "Fn::GetAtt": ["Network", "Outputs.AnalyticsSubnet"]
    }
    assert not [name for name, _, _ in resources("AWS::EC2::EIP") if name != "oltp"]
    assert not list(every(TEMPLATES, "KeyName"))
    options = list(every(TEMPLATES, "MetadataOptions"))
    assert len(options) == len(list(resources("AWS::EC2::Instance"))) == 2
    assert {one["HttpTokens"] for one in options} == {"required"}


def test_a_machine_is_never_replaced_while_it_holds_its_disk() -> None:
    # CloudFormation replaces a machine when its launch template changes: nothing in there may change with a release.
    for name in ("warehouse", "oltp"):
        assert {text(one) for one in every(properties(name, "MachineTemplate"), "Ref")} <= {"<Architecture>"}
        image = properties(name, "MachineTemplate")["LaunchTemplateData"]["ImageId"]["Fn::If"]
        assert all(one.startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-") for one in image[1:])
        assert "${Release}" not in str(list(every(TEMPLATES[name], "UserData")))


# --- the gateway to S3

NEEDED = [
    # dnf signs nothing, and CloudFormation's URL is signed by its own account
    ("s3:GetObject", "arn:aws:s3:::al2023-repos-eu-central-1-de612dc2/core/mirrors/2023.10/aarch64/mirror.list", False),
    ("s3:PutObject", "arn:aws:s3:::cloudformation-waitcondition-eu-central-1/anything", False),
    ("s3:GetObject", "arn:aws:s3:::amazon-ssm-eu-central-1/latest/VERSION", False),
    ("s3:GetObject", "arn:aws:s3:::patch-baseline-snapshot-eu-central-1/x", False),
    ("s3:GetObject", "arn:aws:s3:::artifacts/releases/0.2.0-abc/instance.tar.gz", True),
    ("s3:GetObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", True),
    ("s3:ListBucket", "arn:aws:s3:::raw", True),
    ("s3:PutObject", "arn:aws:s3:::warehouse/backups/1/clickstream_dw.dump", True),
]
REFUSED = [
    ("s3:PutObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", True),
    ("s3:PutObject", "arn:aws:s3:::somebody-elses-bucket/loot", True),
    ("s3:GetObject", "arn:aws:s3:::somebody-elses-bucket/tool", True),
    ("s3:GetObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", False),
    ("s3:PutObject", "arn:aws:s3:::al2023-repos-eu-central-1-de612dc2/x", False),
]


@pytest.fixture(scope="module")
def gateway() -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = properties("network", "S3Gateway")["PolicyDocument"]["Statement"]
    assert {statement["Principal"] for statement in statements} == {"*"}
    return statements


@pytest.mark.parametrize(("action", "resource", "signed"), NEEDED)
def test_the_gateway_lets_through_what_is_needed(
    gateway: list[dict[str, Any]], action: str, resource: str, signed: bool
) -> None:
    assert allows(gateway, action, resource, signed=signed)


@pytest.mark.parametrize(("action", "resource", "signed"), REFUSED)
def test_the_gateway_lets_through_nothing_else(
    gateway: list[dict[str, Any]], action: str, resource: str, signed: bool
) -> None:
    assert not allows(gateway, action, resource, signed=signed)


def test_what_a_role_inside_may_do_with_s3_passes_the_gateway(gateway: list[dict[str, Any]]) -> None:
    asked = [
        (action, resource.replace("*", "x"))
        for name in ("warehouse", "oltp", "etl")
        for held in TEMPLATES[name]["Resources"].values()
        if held["Type"] == "AWS::IAM::Role"
        for statement in role_statements(held)
        for action in several(statement["Action"])
        for resource in several(statement["Resource"])
        if action.startswith("s3:")
    ]
    assert len(asked) > 10
    assert [one for one in asked if not allows(gateway, *one)] == []


def test_the_gateway_serves_every_subnet() -> None:
    tables = {name for _, name, _ in resources("AWS::EC2::RouteTable")}
    assert {one["Ref"] for one in properties("network", "S3Gateway")["RouteTableIds"]} == tables
    services = {text(held["Properties"]["ServiceName"]) for _, _, held in resources("AWS::EC2::VPCEndpoint")}
    assert services == {f"com.amazonaws.eu-central-1.{name}" for name in ("s3", "ssm", "ssmmessages")}


# --- rights

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
    for _, name, held in resources("AWS::IAM::Role"):
        written = {
            resource
            for statement in role_statements(held)
            for resource in several(statement["Resource"])
            if resource.startswith("arn:aws:s3:::raw/") and set(several(statement["Action"])) - {"s3:GetObject"}
        }
        assert written == {f"arn:aws:s3:::raw/{prefix}/*" for prefix in MAY_WRITE.get(name, ())}, name
    collector = [
        action
        for one in role_statements(TEMPLATES["ingest"]["Resources"]["CollectorRole"])
        for action in several(one["Action"])
    ]
    assert [action for action in collector if action.startswith("s3:")] == ["s3:PutObject"]


def test_the_tick_s_own_code_cannot_touch_network_interfaces() -> None:
    statements = list(role_statements(TEMPLATES["etl"]["Resources"]["EtlRole"]))
    [plug] = [one for one in statements if one["Sid"] == "LetLambdaPlugItIntoTheSubnet"]
    [deny] = [one for one in statements if one["Effect"] == "Deny"]
    assert deny["Action"] == plug["Action"]
    assert text(deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]).endswith(":function:clickstream-prod-etl")


# --- buckets, queues, the API

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
    assert steps == {"events/": ["STANDARD_IA", "GLACIER"], "rejected/": ["STANDARD_IA", "GLACIER"]}
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


# --- names that the code knows

FUNCTIONS = [(name, held["Properties"]) for _, name, held in resources("AWS::Lambda::Function")]


def constants(file: Path) -> set[str]:
    return {
        name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in re.findall(r"[A-Z][A-Z0-9_]{3,}", node.value)
    }


@pytest.mark.parametrize(("name", "made"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_every_environment_name_is_known_to_the_settings(name: str, made: dict[str, Any]) -> None:
    package = made["Handler"].partition(".")[0]
    known = constants(ROOT / package / "settings.py")
    if package == "clickstream_dagster":
        # Those of Dagster itself, and of the collector's settings, which open the raw bucket.
        known |= constants(ROOT / "ingest_lambda" / "settings.py") | {"DAGSTER_HOME"}
    assert made["Environment"]["Variables"].keys() <= known


@pytest.mark.parametrize(("name", "made"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_a_function_s_handler_is_there(name: str, made: dict[str, Any]) -> None:
    *path, handler = made["Handler"].split(".")
    code = ast.parse((ROOT / Path(*path)).with_suffix(".py").read_text())
    assert handler in {node.name for node in code.body if isinstance(node, ast.FunctionDef)}
    assert made["Runtime"] == "python3.13"
    assert (
        text(made["Code"]["S3Key"])
        == f"releases/<Release>/{'etl' if name == 'Etl' else 'ingest'}_lambda-<Architecture>.zip"
    )


def test_the_machine_is_told_what_its_bootstrap_reads() -> None:
    told = re.findall(r"^([A-Z_]+)=", properties("warehouse", "MachineSettings")["Value"]["Fn::Sub"], re.M)
    known = re.findall(r"^([A-Z_]+)=", (FOLDER / "instance" / "machine.env.example").read_text(), re.M)
    assert set(told) - {"RELEASE", "ARTIFACTS_BUCKET"} <= set(known)


# --- what speaks up

ALARMS = {name: held["Properties"] for _, name, held in resources("AWS::CloudWatch::Alarm")}


def test_each_alarm_tells_somebody_and_says_where_it_is_explained() -> None:
    for name, made in ALARMS.items():
        assert made["AlarmActions"] == [{"Ref": "Alerts"}], name
        assert made["AlarmDescription"].endswith(f"See docs/runbook.md, {name}."), name
    assert properties("monitoring", "Alerts")["Subscription"] == [
        {"Protocol": "email", "Endpoint": {"Ref": "AlertEmail"}}
    ]


def test_the_runbook_has_a_paragraph_for_each_alarm_and_no_other() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    table = runbook.partition("## Alarms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == ALARMS.keys() | {"Budget"}


def test_silence_is_an_alarm_where_something_must_be_heard() -> None:
    heard = {name for name, made in ALARMS.items() if made["TreatMissingData"] == "breaching"}
    assert heard == {"MissedTick", "StaleTables", "WarehouseUnhealthy", "OltpUnhealthy"}
    assert ALARMS["MissedTick"]["MetricName"] == "Invocations"
    assert ALARMS["MissedTick"]["Period"] * ALARMS["MissedTick"]["EvaluationPeriods"] == 7200


def test_the_tick_comes_each_hour_and_leaves_what_fails() -> None:
    rule = properties("etl", "Tick")
    assert rule["ScheduleExpression"] == "cron(5 * * * ? *)"
    assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    failed = properties("etl", "TickFailures")
    assert failed["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert failed["MaximumRetryAttempts"] == 2


def test_the_example_of_an_environment_is_one() -> None:
    example = yaml.safe_load((FOLDER / "environments" / "example.yml").read_text())
    assert example.keys() <= TEMPLATES["root"]["Parameters"].keys()
