"""The network: no NAT, nobody let in but the listed, and a gateway to S3 for what is needed and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.templates import TEMPLATES, allows, every, properties, resources, role_statements, several, text


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


def test_the_warehouse_reaches_the_shop_s_orders_by_one_port_and_no_range() -> None:
    [into] = [rule for rule in ingress_rules() if rule.get("GroupId") == {"Ref": "OltpSecurityGroup"}]
    assert (into["SourceSecurityGroupId"], into["FromPort"]) == ({"Ref": "DwSecurityGroup"}, 5432)
    out = [
        one
        for one in properties("network", "DwSecurityGroup")["SecurityGroupEgress"]
        if one.get("DestinationSecurityGroupId") == {"Ref": "OltpSecurityGroup"}
    ]
    assert [one["ToPort"] for one in out] == [5432]


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


NEEDED = [
    # dnf signs nothing, and CloudFormation's URL is signed by its own account
    ("s3:GetObject", "arn:aws:s3:::al2023-repos-eu-central-1-de612dc2/core/mirrors/2023.10/aarch64/mirror.list", False),
    ("s3:PutObject", "arn:aws:s3:::cloudformation-waitcondition-eu-central-1/anything", False),
    ("s3:GetObject", "arn:aws:s3:::amazon-ssm-eu-central-1/latest/VERSION", False),
    ("s3:GetObject", "arn:aws:s3:::patch-baseline-snapshot-eu-central-1/x", False),
    ("s3:GetObject", "arn:aws:s3:::artifacts/releases/0.2.0-abc/instance.tar.gz", True),
    ("s3:GetObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", True),
    ("s3:ListBucket", "arn:aws:s3:::raw", True),
    ("s3:PutObject", "arn:aws:s3:::raw/events/2026/01/01/00/packed-1.ndjson.gz", True),
    ("s3:DeleteObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", True),
    ("s3:PutObject", "arn:aws:s3:::warehouse/backups/1/clickstream_dw.dump", True),
    ("s3:PutObjectAcl", "arn:aws:s3:::warehouse/sessions/you-1.log", True),
]
REFUSED = [
    ("s3:PutObject", "arn:aws:s3:::raw/events/2026/01/01/00/event-1.json", True),
    ("s3:PutObject", "arn:aws:s3:::somebody-elses-bucket/loot", True),
    ("s3:PutObjectAcl", "arn:aws:s3:::warehouse/backups/1/clickstream_dw.dump", True),
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


def test_every_description_of_a_rule_is_one_that_ec2_takes() -> None:
    # cfn-lint does not look at it, and EC2 refuses the group: the first deployment would end there.
    groups = [
        held["Properties"] for _, _, held in resources("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress")
    ]
    said = [*every(groups, "Description"), *every(groups, "GroupDescription")]
    assert len(said) > 15
    assert [one for one in said if not re.fullmatch(r"[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}", one)] == []
