"""CloudFormation through our hands: what is changed, what is refused, what is told when it fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra_cfn.commands import stacks
from infra_cfn.commands.account import Trouble
from infra_cfn.commands.failures import first_failure
from support.templates import FOLDER

NAME = "clickstream-prod-artifacts"
BUCKET = (FOLDER / "artifacts.yaml").read_text()
TAGS = {"project": "clickstream"}


def change(body: str = BUCKET, **how: Any) -> bool:
    return stacks.change(NAME, template={"TemplateBody": body}, parameters={"Environment": "prod"}, tags=TAGS, **how)


def test_a_stack_is_made_and_then_there_is_nothing_to_change(cloudformation: None) -> None:
    assert change()
    assert stacks.need(NAME).outputs["ArtifactsBucket"]
    assert not change()


def test_what_holds_data_is_not_lost_unless_told(cloudformation: None) -> None:
    change()
    before = stacks.need(NAME)
    renamed = re.sub(r"\bArtifactsBucket(:\n    Type: AWS::S3::Bucket\n|\.Arn|\n|\])", r"Another\1", BUCKET)
    assert "\n  Another:\n    Type: AWS::S3::Bucket" in renamed
    with pytest.raises(Trouble, match=r"ArtifactsBucket \(remove\).*Nothing was changed"):
        change(renamed)
    assert stacks.need(NAME) == before
    assert change(renamed, allow_loss=True)


def test_a_plan_changes_nothing_and_leaves_nothing(cloudformation: None) -> None:
    assert not change(plan_only=True)
    assert stacks.find(NAME) is None


def test_the_first_failure_is_told_and_the_next_try_starts_afresh(cloudformation: None) -> None:
    broken = """
  Broken:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://nowhere.s3.amazonaws.com/none.yaml"}
"""
    with pytest.raises(Trouble, match=f"{NAME}/Broken .*failed first: .*nowhere"):
        change(BUCKET.replace("\nOutputs:", f"{broken}\nOutputs:"))
    assert stacks.need(NAME).status == "ROLLBACK_COMPLETE"
    assert change()


def test_the_parameters_that_are_not_given_stay(cloudformation: None) -> None:
    body = """
Parameters: {Kept: {Type: String, Default: a}, Changed: {Type: String, Default: a}}
Resources: {Topic: {Type: "AWS::SNS::Topic", Properties: {DisplayName: !Sub "${Kept}${Changed}"}}}
"""
    stacks.change(NAME, template={"TemplateBody": body}, parameters={"Kept": "b"}, tags=TAGS)
    previous: dict[str, str | bool] = {"UsePreviousTemplate": True}
    assert stacks.change(NAME, template=previous, parameters={"Changed": "c"}, tags=TAGS, keep_others=True)
    assert stacks.need(NAME).parameters == {"Kept": "b", "Changed": "c"}


def event(at: int, resource: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=at),
        "StackName": "clickstream-prod-Etl",
        "LogicalResourceId": resource,
        "ResourceType": "AWS::Lambda::Function",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            "decreases account's UnreservedConcurrentExecution below its minimum value of [10]",
            "EtlReservedConcurrency: 0",
        ),
        (
            "WaitCondition received failed message: 'Step 30_postgres failed' for uniqueId: bootstrap",
            "--keep-what-failed",
        ),
        ("User: arn:aws:iam::1:user/x is not authorized to perform: lambda:CreateFunction", "docs/deploy.md"),
        ("The t4g.small instance type is not supported in your requested Availability Zone", "AvailabilityZone"),
    ],
)
def test_of_many_failures_the_first_that_explains_is_told(reason: str, advice: str) -> None:
    events = [
        event(5, "Etl", "CREATE_FAILED", reason),
        event(4, "Logs", "CREATE_FAILED", "Resource creation cancelled"),
        event(6, "Stack", "CREATE_FAILED", "Embedded stack arn:x was not successfully created: y"),
        event(9, "Role", "DELETE_FAILED", "something later"),
    ]
    said = first_failure(events, "ROLLBACK_COMPLETE")
    assert said.startswith(f"clickstream-prod-Etl/Etl (AWS::Lambda::Function) failed first: {reason}")
    assert advice in said
