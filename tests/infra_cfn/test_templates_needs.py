"""Nothing that is needed is missing: no emulator asks for a right, so a right that is gone would be met on AWS only."""

from __future__ import annotations

from typing import Any

import pytest

from clickstream_dagster.settings import DEFAULT_TICK_SECONDS
from infra_cfn.packages.contents import ETL
from support.templates import TEMPLATES, allows, properties, resources, role_statements, several, text


def parameter(name: str) -> str:
    return f"arn:aws:ssm:eu-central-1:111122223333:parameter/clickstream/prod/{name}"


def logs_of(function: str) -> list[tuple[str, str]]:
    stream = f"arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/clickstream-prod-{function}:log-stream:x"
    return [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]


SESSION = [
    (action, "*")
    for action in (
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    )
]
LETTERS = "arn:aws:sqs:eu-central-1:111122223333:<EtlDeadLetters>"
RAW, KEPT, RELEASES = "arn:aws:s3:::raw", "arn:aws:s3:::warehouse", "arn:aws:s3:::artifacts/releases"
NEEDED: dict[str, list[tuple[str, str]]] = {
    "ingest/CollectorRole": [
        ("s3:PutObject", f"{RAW}/events/2026/01/01/00/event-1.json"),
        ("s3:PutObject", f"{RAW}/rejected/2026/01/01/00/event-1.json"),
        ("ssm:GetParameter", parameter("ingest/hash_salt")),
        ("ssm:GetParameter", parameter("ingest/origin_secret")),
        ("sqs:SendMessage", "<DeadLetters.Arn>"),
        *logs_of("ingest"),
    ],
    "etl/EtlRole": [
        *(("s3:GetObject", f"{RAW}/{prefix}/1") for prefix in ("events", "rejected", "operations", "year=2026")),
        ("s3:ListBucket", RAW),
        ("ssm:GetParameters", parameter("warehouse/loader_password")),
        ("ssm:GetParameters", parameter("warehouse/dagster_password")),
        ("sqs:SendMessage", "<DeadLetters.Arn>"),
        ("sns:Publish", "arn:aws:sns:eu-central-1:111122223333:clickstream-prod-batches"),
        # What AWSLambdaVPCAccessExecutionRole has for the subnet.
        *((f"ec2:{verb}NetworkInterface", "*") for verb in ("Create", "Delete")),
        *((f"ec2:Describe{what}", "*") for what in ("NetworkInterfaces", "Subnets")),
        *((f"ec2:{verb}PrivateIpAddresses", "*") for verb in ("Assign", "Unassign")),
        *logs_of("etl"),
    ],
    "monitoring/OperationsRole": [
        *((f"sqs:{verb}", LETTERS) for verb in ("GetQueueUrl", "ReceiveMessage", "DeleteMessage")),
        ("cloudwatch:GetMetricData", "*"),
        ("s3:PutObject", f"{RAW}/operations/2026/01/01/00/metrics.json"),
        *logs_of("operations"),
    ],
    "warehouse/MachineRole": [
        ("s3:GetObject", f"{RELEASES}/1/instance.tar.gz"),
        ("s3:GetObject", f"{RAW}/events/1"),
        *(
            (f"s3:{verb}", f"{RAW}/{root}/2026/01/01/00/packed-1.ndjson.gz")
            for verb in ("PutObject", "DeleteObject")
            for root in ("events", "rejected")
        ),
        ("s3:DeleteObject", f"{RAW}/events/2026/01/01/00/event-1.json"),
        ("s3:ListBucket", RAW),
        ("s3:ListBucket", KEPT),
        *((f"s3:{verb}", f"{KEPT}/backups/1") for verb in ("GetObject", "PutObject", "DeleteObject")),
        *((f"s3:{verb}", f"{KEPT}/dagster-logs/1") for verb in ("GetObject", "PutObject")),
        *((f"s3:{verb}", f"{KEPT}/sessions/1.log") for verb in ("PutObject", "PutObjectAcl")),
        ("ssm:GetParameter", parameter("machine/settings")),
        *((f"ssm:{verb}Parameter", parameter("warehouse/reader_password")) for verb in ("Get", "Put")),
        *SESSION,
    ],
    "oltp/MachineRole": [
        ("s3:GetObject", f"{RELEASES}/oltp.tar.gz"),
        *(
            (f"ssm:{verb}Parameter", parameter(name))
            for verb in ("Get", "Put")
            for name in ("oltp/shop_password", "warehouse/shop_reader_password")
        ),
        ("ssm:PutParameter", parameter("oltp/certificate")),
        *SESSION,
    ],
    "frontend/ShopBuildRole": [
        *(
            ("ssm:GetParameter", parameter(name))
            for name in ("shop/session_secret", "oltp/shop_password", "oltp/certificate")
        ),
        *(
            (f"logs:{verb}", "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/amplify/app")
            for verb in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
        ),
    ],
}
ROLES = {f"{file}/{name}": held for file, name, held in resources("AWS::IAM::Role")}


@pytest.mark.parametrize("role", NEEDED)
def test_a_role_may_do_all_that_its_code_does(role: str) -> None:
    allowed = [one for one in role_statements(ROLES[role]) if one["Effect"] == "Allow"]
    assert [need for need in NEEDED[role] if not allows(allowed, *need)] == []


def test_every_role_has_its_needs_written_down() -> None:
    assert ROLES.keys() - {"storage/SnapshotRole"} == NEEDED.keys()  # that one has AWS's own policy


def let_in(stack: str, function: str) -> set[tuple[str, str]]:
    """Who may call a function: the service, and from where."""
    held = [one for file, _, one in resources("AWS::Lambda::Permission") if file == stack]
    return {
        (text(one["Properties"]["Principal"]), text(one["Properties"]["SourceArn"]))
        for one in held
        if one["Properties"]["FunctionName"] == {"Ref": function}
    }


def test_who_calls_a_function_is_let_in() -> None:
    api = "arn:aws:execute-api:eu-central-1:111122223333:<Api>/*"
    assert let_in("ingest", "Collector") == {("apigateway.amazonaws.com", api)}
    assert properties("ingest", "Integration")["IntegrationUri"] == {"Fn::GetAtt": ["Collector", "Arn"]}
    rules = [(file, name, held["Properties"]["Targets"]) for file, name, held in resources("AWS::Events::Rule")]
    rules = [rule for rule in rules if rule[1] != "PatchReminder"]  # it writes a mail
    assert len(rules) == 2
    for stack, rule, [target] in rules:
        function = target["Arn"]["Fn::GetAtt"][0]
        assert let_in(stack, function) == {("events.amazonaws.com", f"<{rule}.Arn>")}


def test_what_publishes_is_let_in() -> None:
    alarms, reminder = properties("monitoring", "AlertsPolicy")["PolicyDocument"]["Statement"]
    assert (reminder["Principal"], reminder["Action"]) == ({"Service": "events.amazonaws.com"}, "sns:Publish")
    rule = text(reminder["Condition"]["ArnEquals"]["aws:SourceArn"]).rpartition("rule/")[2]
    assert rule == text(properties("monitoring", "PatchReminder")["Name"])
    assert (alarms["Principal"], alarms["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    ticks = [
        one for one in properties("etl", "DeadLettersPolicy")["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"
    ]
    assert [(one["Principal"], one["Action"], text(one["Resource"])) for one in ticks] == [
        ({"Service": "events.amazonaws.com"}, "sqs:SendMessage", "<DeadLetters.Arn>")
    ]


def test_the_private_machines_find_what_they_ask_for() -> None:
    vpc = properties("network", "Vpc")
    assert vpc["EnableDnsSupport"] and vpc["EnableDnsHostnames"]
    endpoints = {text(held["ServiceName"]).rsplit(".")[-1]: held for held in all_of("AWS::EC2::VPCEndpoint")}
    assert endpoints.keys() == {"s3", "ssm", "ssmmessages"}
    assert several(endpoints["s3"]["RouteTableIds"]) == [
        f"<{name}RouteTable>" for name in ("Public", "Analytics", "Etl")
    ]
    assert endpoints["ssm"]["PrivateDnsEnabled"] and endpoints["ssmmessages"]["PrivateDnsEnabled"]
    asking = properties("network", "EndpointSecurityGroup")["SecurityGroupIngress"]
    assert {one["SourceSecurityGroupId"]["Ref"] for one in asking} == {
        f"{name}SecurityGroup" for name in ("Dw", "Etl", "Oltp")
    }


def test_what_must_come_first_comes_first() -> None:
    made = {(file, name): held.get("DependsOn") for file, name, held in resources()}
    assert made["warehouse", "WarehouseMachine"] == "MachineSettings"
    assert made["warehouse", "FirstBootEnded"] == "WarehouseMachine"
    assert made["oltp", "OltpMachine"] == "AddressOfTheInterface"
    assert made["oltp", "FirstBootEnded"] == "OltpMachine"
    assert made["network", "InternetRoute"] == "InternetGatewayAttachment"
    # A group that Lambda made itself would keep everything for ever, and be in the way of ours.
    for stack, function in (("ingest", "Collector"), ("etl", "Etl"), ("monitoring", "Operations")):
        assert made[stack, function] == f"{function}Logs"


#: By AWS's own pages, since nothing here can be asked: the words that an alarm on a number of AWS's must use.
NUMBERS = {
    "AWS/ApiGateway": ("ApiId", {"5xx", "Latency"}),
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles", "Invocations"}),
    "AWS/SQS": ("QueueName", {"ApproximateNumberOfMessagesVisible"}),
    "AWS/EC2": ("InstanceId", {"StatusCheckFailed", "StatusCheckFailed_Instance"}),
}


def test_each_alarm_on_a_number_of_aws_watches_one_that_there_is() -> None:
    alarms = [one for one in all_of("AWS::CloudWatch::Alarm") if isinstance(one["Namespace"], str)]
    assert len(alarms) > 8
    for one in alarms:
        dimension, metrics = NUMBERS[one["Namespace"]]
        assert [named["Name"] for named in one["Dimensions"]] == [dimension], one["AlarmName"]
        assert one["MetricName"] in metrics, one["AlarmName"]


def test_the_disks_that_are_snapshotted_are_those_that_hold_data() -> None:
    wanted = properties("storage", "DailySnapshots")["PolicyDetails"]["TargetTags"]
    volumes = {name: held for _, name, held in resources("AWS::EC2::Volume")}
    assert volumes.keys() == {"WarehouseVolume", "OltpVolume"}
    for name, held in volumes.items():
        assert [tag for tag in held["Properties"]["Tags"] if tag in wanted] == wanted, name
        assert held["Properties"]["Encrypted"] is True
        assert (held["DeletionPolicy"], held["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot"), name
    for stack in ("Storage", "Auth"):
        assert TEMPLATES["root"]["Resources"][stack]["DeletionPolicy"] == "RetainExceptOnCreate"


def all_of(kind: str) -> list[dict[str, Any]]:
    return [held["Properties"] for _, _, held in resources(kind)]


def test_the_tick_has_its_time_and_speaks_encrypted() -> None:
    tick = properties("etl", "Etl")
    # Monitoring takes a run for dead after this: not while its Lambda may still live.
    assert 900 == tick["Timeout"] < DEFAULT_TICK_SECONDS
    told = tick["Environment"]["Variables"]
    assert told["DW_PG_SSL"] == "true"
    assert f"{told['DAGSTER_HOME']}/dagster.yaml" in {f"/var/task/{place}" for place in ETL.placed}
    collector = properties("ingest", "Collector")["Timeout"]
    assert collector < properties("ingest", "Integration")["TimeoutInMillis"] / 1000 < 30


def test_a_token_of_this_shop_s_and_a_header_of_the_tracker_s_are_taken() -> None:
    assert properties("ingest", "Customers")["JwtConfiguration"] == {
        "Issuer": {"Ref": "Issuer"},
        "Audience": [{"Ref": "ShopClient"}],
    }
    cors = properties("ingest", "Api")["CorsConfiguration"]
    assert {"authorization", "content-encoding", "content-type"} <= set(cors["AllowHeaders"])
    assert cors["AllowOrigins"] == {"Ref": "ShopOrigins"}
    assert "AllowCredentials" not in cors
