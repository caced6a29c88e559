"""Names that templates and code must share, and what speaks up."""

from __future__ import annotations

import ast
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from clickstream_dagster.settings import TICK_MINUTES
from support.templates import FOLDER, TEMPLATES, every, properties, resources, text

ROOT = FOLDER.parent


FUNCTIONS = [(name, held["Properties"]) for _, name, held in resources("AWS::Lambda::Function")]


def constants(file: Path) -> set[str]:
    return {
        name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in re.findall(r"[A-Z][A-Z0-9_]{3,}", node.value)
    }


@pytest.mark.parametrize(("name", "made"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_every_environment_name_is_known_to_the_code(name: str, made: dict[str, Any]) -> None:
    collector = ROOT / "ingest_lambda"
    known = constants(collector / "settings.py") | constants(collector / "log.py")
    if name == "Operations":
        known |= constants(collector / "operations.py")
    if name == "Etl":
        known |= constants(ROOT / "clickstream_dagster" / "settings.py") | {"DAGSTER_HOME"}  # Dagster's own
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


def test_the_machine_and_the_tick_have_the_same_settings_of_the_shop() -> None:
    # Each that sees another setting than the tables were made with owes them anew: they would rebuild them in turns.
    lines = properties("warehouse", "MachineSettings")["Value"]["Fn::Sub"].splitlines()
    machine = {name: value.strip("${}") for name, _, value in (line.partition("=") for line in lines)}
    tick = properties("etl", "Etl")["Environment"]["Variables"]
    # How long things are kept decides nothing that is made: only the machine takes them out.
    shop = {name for name in machine if name.startswith("CLICKSTREAM_") and not name.startswith("CLICKSTREAM_KEEP_")}
    assert len(shop) == 5
    assert {name: tick[name] for name in shop} == {name: {"Ref": machine[name]} for name in shop}
    given = {stack: TEMPLATES["root"]["Resources"][stack]["Properties"]["Parameters"] for stack in ("Warehouse", "Etl")}
    for name in shop:
        assert given["Warehouse"][machine[name]] == given["Etl"][machine[name]] == {"Ref": machine[name]}


ALARMS = {name: held["Properties"] for _, name, held in resources("AWS::CloudWatch::Alarm")}


def test_each_alarm_tells_somebody_and_says_where_it_is_explained() -> None:
    for name, made in ALARMS.items():
        assert made["AlarmActions"][0] == {"Ref": "Alerts"}, name
        assert made["AlarmDescription"].endswith(f"See docs/runbook.md, {name}."), name
    assert properties("monitoring", "Alerts")["Subscription"] == [
        {"Protocol": "email", "Endpoint": {"Ref": "AlertEmail"}}
    ]


def test_the_runbook_has_a_paragraph_for_each_alarm_and_no_other() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    table = runbook.partition("## Alarms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == ALARMS.keys() | {"Budget"}


def test_every_number_of_ours_that_is_watched_is_one_that_is_told() -> None:
    ours = {"Fn::Sub": "Clickstream/${Environment}"}
    watched = {
        (made["Dimensions"][0]["Value"], made["MetricName"]) for made in ALARMS.values() if made["Namespace"] == ours
    }
    drawn = properties("monitoring", "Dashboard")["DashboardBody"]["Fn::Sub"]
    for line in re.findall(r'\[\["Clickstream/\$\{Environment\}".*', drawn):
        _, metric, _, service = re.findall(r'"([^"]+)"', line)[:4]
        watched |= {(service, one) for one in [metric, *re.findall(r'\["\.", "(\w+)"', line)]}
    assert len(watched) == 14
    told = {"ingest": ROOT / "ingest_lambda" / "handler.py", "etl": ROOT / "clickstream_dagster" / "tick_numbers.py"}
    for service, metric in watched:
        assert f'"{metric}"' in told[service].read_text(), (service, metric)
    spaces = [made["Environment"]["Variables"].get("CLICKSTREAM_METRICS_NAMESPACE") for name, made in FUNCTIONS]
    assert spaces.count(ours) == 3


def test_a_machine_that_hangs_is_started_again_and_no_other_alarm_does_anything() -> None:
    acting = {name: made["AlarmActions"][1:] for name, made in ALARMS.items() if len(made["AlarmActions"]) > 1}
    assert {name: [text(one) for one in actions] for name, actions in acting.items()} == {
        "WarehouseHangs": ["arn:aws:automate:eu-central-1:ec2:reboot"]
    }
    # The reboot is EC2's only for this number; the other one would restart a machine whose hardware is broken.
    assert ALARMS["WarehouseHangs"]["MetricName"] == "StatusCheckFailed_Instance"
    assert ALARMS["WarehouseHangs"]["EvaluationPeriods"] * ALARMS["WarehouseHangs"]["Period"] >= 600


def test_what_the_machine_says_of_its_dashboard_and_memory_is_an_alarm() -> None:
    watched = {name: ALARMS[name]["MetricName"] for name in ("ServicesDown", "MemoryShort")}
    assert watched == {"ServicesDown": "ServicesDown", "MemoryShort": "MemoryAvailableMB"}
    script = (FOLDER / "instance" / "machine_health.sh").read_text()
    probes = (FOLDER / "instance" / "probes.sh").read_text()
    [asked] = re.findall(r"for service in ([\w ]+); do", script)
    assert {"dashboard", "webserver", "daemon"} <= set(asked.split())
    assert all(f"{name}_answers()" in probes for name in asked.split())


def test_silence_is_an_alarm_where_something_must_be_heard() -> None:
    heard = {name for name, made in ALARMS.items() if made["TreatMissingData"] == "breaching"}
    assert heard == {"MissedTick", "StaleTables", "WarehouseUnhealthy", "OltpUnhealthy"}
    assert ALARMS["MissedTick"]["MetricName"] == "Invocations"
    assert ALARMS["MissedTick"]["Period"] == 3600
    assert ALARMS["MissedTick"]["EvaluationPeriods"] == {"Fn::If": ["IsHourly", 2, 1]}


def test_the_tick_comes_each_hour_or_as_often_as_is_chosen_and_leaves_what_fails() -> None:
    rule = properties("etl", "Tick")
    often = {"Fn::Sub": "cron(3/${TickMinutes} * * * ? *)"}
    assert rule["ScheduleExpression"] == {"Fn::If": ["IsHourly", "cron(5 * * * ? *)", often]}
    assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    failed = properties("etl", "TickFailures")
    assert failed["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert failed["MaximumRetryAttempts"] == 2


def test_how_often_the_tick_comes_is_one_choice_that_the_function_rule_and_alarms_share() -> None:
    choices = [TEMPLATES[name]["Parameters"]["TickMinutes"] for name in ("root", "etl", "monitoring")]
    assert all(choice["AllowedValues"] == list(TICK_MINUTES) and choice["Default"] == 60 for choice in choices)
    for name in ("etl", "monitoring"):
        assert TEMPLATES[name]["Conditions"]["IsHourly"] == {"Fn::Equals": [{"Ref": "TickMinutes"}, 60]}
    for stack in ("Etl", "Monitoring"):
        assert properties("root", stack)["Parameters"]["TickMinutes"] == {"Ref": "TickMinutes"}
    assert properties("etl", "Etl")["Environment"]["Variables"]["CLICKSTREAM_TICK_MINUTES"] == {"Ref": "TickMinutes"}
    # What waits for a retry is not older than the next tick.
    assert properties("etl", "TickFailures")["MaximumEventAgeInSeconds"] == {"Fn::If": ["IsHourly", 3300, 240]}
    # One event that fails for good, with its two retries, is an alarm; a single error that the next tick mends is none.
    assert ALARMS["EtlErrors"]["Threshold"] == {"Fn::If": ["IsHourly", 1, 3]}


def test_the_example_of_an_environment_is_one() -> None:
    example = yaml.safe_load((FOLDER / "environments" / "example.yml").read_text())
    assert example.pop("Region")
    assert example.keys() <= TEMPLATES["root"]["Parameters"].keys()


def depends_on_a_choice(stack: str, part: Any) -> bool:
    """Does it change when a parameter does that can change in the life of an installation?"""
    fixed = {"Environment", "AvailabilityZone", "AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix"}
    names = {
        *every(part, "Ref"),
        *(name for one in every(part, "Fn::Sub") for name in re.findall(r"\$\{([\w:]+)\}", one)),
    }
    return bool((names - fixed) & TEMPLATES[stack]["Parameters"].keys())


def test_what_has_a_name_of_ours_is_never_replaced_by_a_choice() -> None:
    # CloudFormation makes the new one first, which cannot have the name of the old one: the deployment would fail.
    named = 0
    for stack, name, held in resources():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", held["Type"]).schema
        paths = [path.split("/")[2:] for path in schema.get("createOnlyProperties", [])]
        made = {
            "/".join(path): reduce(lambda part, key: (part or {}).get(key), path, held["Properties"]) for path in paths
        }
        if any(path.endswith("Name") and path != "FunctionName" and value for path, value in made.items()):
            named += 1
            # Where the choice is the name itself, as that of a domain is, the new one is called otherwise.
            others = {path: value for path, value in made.items() if value != {"Ref": "CollectorDomain"}}
            assert not [path for path, value in others.items() if depends_on_a_choice(stack, [value])], (stack, name)
    assert named > 25


def test_the_collector_refuses_what_goes_around_cloudfront_only_when_told() -> None:
    # A tracker that still sends to the API itself drops what is refused: it needs a time in which both are let in.
    root = TEMPLATES["root"]
    assert root["Conditions"]["IsCloudFrontOnly"] == {"Fn::Equals": [{"Ref": "CloudFront"}, "only"]}
    asked = root["Resources"]["Ingest"]["Properties"]["Parameters"]["OriginSecretParameter"]["Fn::If"]
    assert (asked[0], asked[2]) == ("IsCloudFrontOnly", "")
    assert root["Resources"]["Frontend"]["Properties"]["Parameters"]["CloudFront"]["Fn::If"][0] == "HasCloudFront"
