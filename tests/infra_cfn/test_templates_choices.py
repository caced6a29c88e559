"""What a person can switch on besides: a name for the collector, a notice of each tick, a shell that is written down."""

from __future__ import annotations

import re
from typing import Any

from support.templates import FOLDER, TEMPLATES, properties, resources, text


def given(stack: str, name: str) -> Any:
    """What the root hands down."""
    return properties("root", stack)["Parameters"][name]


def test_a_notice_of_each_batch_is_off_unless_chosen_and_lambda_itself_sends_it() -> None:
    for name in ("root", "etl"):
        assert TEMPLATES[name]["Parameters"]["BatchNotice"]["Default"] == "no"
    assert TEMPLATES["etl"]["Conditions"]["HasNotice"] == {"Fn::Equals": [{"Ref": "BatchNotice"}, "yes"]}
    assert (given("Etl", "BatchNotice"), given("Etl", "AlertEmail")) == ({"Ref": "BatchNotice"}, {"Ref": "AlertEmail"})
    assert TEMPLATES["etl"]["Resources"]["Batches"]["Condition"] == "HasNotice"
    chosen, told, otherwise = properties("etl", "TickFailures")["DestinationConfig"]["OnSuccess"]["Fn::If"]
    assert (chosen, told, otherwise) == ("HasNotice", {"Destination": {"Ref": "Batches"}}, {"Ref": "AWS::NoValue"})
    topic = properties("etl", "Batches")
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": {"Ref": "AlertEmail"}}]
    # The role's right names the topic by its name, since a role with a condition in it could not be read by these tests.
    assert text(topic["TopicName"]) == "clickstream-prod-batches"


def test_a_name_of_the_collector_s_own_needs_its_certificate_and_is_what_is_told() -> None:
    domain, mapping = properties("ingest", "Domain"), properties("ingest", "DomainMapping")
    assert domain["DomainName"] == {"Ref": "CollectorDomain"}
    [how] = domain["DomainNameConfigurations"]
    assert how == {
        "CertificateArn": {"Ref": "CollectorCertificate"}, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"
    }  # fmt: skip
    assert mapping == {"ApiId": {"Ref": "Api"}, "DomainName": {"Ref": "Domain"}, "Stage": {"Ref": "Stage"}}
    chosen, named, _ = TEMPLATES["ingest"]["Outputs"]["CollectorUrl"]["Value"]["Fn::If"]
    assert (chosen, named) == ("HasDomain", {"Fn::Sub": "https://${CollectorDomain}/clickstream"})
    for _, name, held in resources("AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping"):
        assert held["Condition"] == "HasDomain", name
    asserted = str(TEMPLATES["root"]["Rules"]["DomainNeedsItsCertificate"]["Assertions"])
    assert "CollectorCertificate" in asserted and "CloudFront" in asserted
    pattern = TEMPLATES["root"]["Parameters"]["CollectorDomain"]["AllowedPattern"]
    for name, is_one in {
        "": 1,
        "collect.shop.example": 1,
        "https://shop.example": 0,
        "shop.example/x": 0,
        "*.shop.example": 0,
    }.items():
        assert bool(re.fullmatch(pattern, name)) == bool(is_one), name


def test_a_shell_is_written_down_where_the_machine_may_write_and_for_a_year() -> None:
    shell = properties("warehouse", "Shell")
    kept = shell["Content"]["inputs"]
    assert (shell["DocumentType"], shell["Content"]["sessionType"]) == ("Session", "Standard_Stream")
    assert (kept["s3BucketName"], kept["s3KeyPrefix"]) == ({"Ref": "WarehouseBucket"}, "sessions")
    # A document with a name of ours cannot be replaced by one of the same name.
    assert shell["UpdateMethod"] == "NewVersion"
    rules = properties("storage", "WarehouseBucket")["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "sessions/"] == [365]
    name = text(shell["Name"]).replace("prod", "ENV")
    for page in ("runbook", "security"):
        assert f"--document-name {name}" in (FOLDER.parent / "docs" / f"{page}.md").read_text()


def test_the_access_log_is_where_cloudwatch_keeps_no_list_of_groups() -> None:
    # A policy of the account's names each other group that something is delivered to, and holds 5,120 characters.
    assert text(properties("ingest", "AccessLogs")["LogGroupName"]).startswith("/aws/vendedlogs/")
