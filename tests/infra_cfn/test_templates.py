"""The stacks: what nests what, what is kept, and that every parameter and output fits."""

from __future__ import annotations

import pytest

from support.templates import TEMPLATES, every, resources

NESTED = {name: held for _, name, held in resources("AWS::CloudFormation::Stack")}
FILE_OF = {name: held["Properties"]["TemplateURL"]["Fn::Sub"].rpartition("/")[2][:-5] for name, held in NESTED.items()}
HOLDS_DATA = ("AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::Cognito::UserPool", "AWS::SQS::Queue", "AWS::Logs::LogGroup")


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
