"""CloudFormation through our hands: what is changed, what is refused, what is told when it fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra_cfn.commands import changes, stacks
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
    assert stacks.change(NAME, template=previous, parameters={"Changed": "c"}, tags=TAGS, keep=["Kept"])
    assert stacks.need(NAME).parameters == {"Kept": "b", "Changed": "c"}


def cause(name: str, source: str, entity: str | None = None, recreates: str = "Always") -> dict[str, Any]:
    """Why a property changes, as CloudFormation's change sets say it."""
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreates}
    return {"Target": target, "Evaluation": "Dynamic", "ChangeSource": source, "CausingEntity": entity}


class ChangeSets:
    """CloudFormation with one change set of a nested stack. The emulator's name no causes."""

    def __init__(self, replacement: str, *causes: dict[str, Any]) -> None:
        self.calls: list[str] = []
        machine = {
            "LogicalResourceId": "WarehouseMachine",
            "ResourceType": "AWS::EC2::Instance",
            "Action": "Modify",
            "Replacement": replacement,
            "Details": [*causes],
        }
        stack = {
            "LogicalResourceId": "Warehouse",
            "ResourceType": "AWS::CloudFormation::Stack",
            "Action": "Modify",
            "ChangeSetId": "nested",
        }
        self.held = {"root": [{"ResourceChange": stack}], "nested": [{"ResourceChange": machine}]}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        return {"Stacks": [{"StackId": "id", "StackStatus": "UPDATE_COMPLETE"}]}

    def create_change_set(self, **asked: Any) -> dict[str, str]:
        return {"Id": "root", "StackId": "id"}

    def describe_change_set(self, ChangeSetName: str) -> dict[str, Any]:
        return {"Status": "CREATE_COMPLETE", "Changes": self.held[ChangeSetName]}

    def get_paginator(self, name: str) -> ChangeSets:
        return self

    def paginate(self, ChangeSetName: str) -> list[dict[str, Any]]:
        return [self.describe_change_set(ChangeSetName)]

    def delete_change_set(self, ChangeSetName: str) -> None:
        self.calls.append("delete")

    def execute_change_set(self, **asked: Any) -> None:
        self.calls.append("execute")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(replacement: str, *causes: dict[str, Any]) -> list[str]:
        api = ChangeSets(replacement, *causes)
        for module in (stacks, changes):
            monkeypatch.setattr(module, "client", lambda service, region=None: api)
        monkeypatch.setattr(stacks, "latest", lambda stack, region: datetime.min)
        monkeypatch.setattr(stacks, "follow", lambda *about: None)
        try:
            stacks.change("clickstream-prod", template={"UsePreviousTemplate": True}, parameters={}, tags=TAGS)
        except Trouble as trouble:
            api.calls.append(str(trouble))
        return api.calls

    return run


#: What every release looks like: the subnet and its groups are the network stack's outputs, of which CloudFormation says
#: before that they may change (aws-cloudformation/cloudformation-coverage-roadmap, issue 759).
OF_ANOTHER_STACK = cause("NetworkInterfaces", "ParameterReference", "Subnet")


def test_a_change_that_would_replace_the_machine_is_refused(executed: Any) -> None:
    for sure in (
        cause("LaunchTemplate", "ResourceAttribute", "MachineTemplate.LatestVersionNumber"),
        cause("NetworkInterfaces", "DirectModification"),
    ):
        deleted, said = executed("Conditional", OF_ANOTHER_STACK, sure)
        assert deleted == "delete"
        assert "would replace Warehouse/WarehouseMachine" in said and "--new-machine" in said


def test_a_change_of_which_nothing_is_known_before_is_made(executed: Any) -> None:
    assert executed("True", OF_ANOTHER_STACK) == ["execute"]
    size = cause("InstanceType", "ParameterReference", "Size", recreates="Conditionally")
    new_profile = cause("IamInstanceProfile", "ResourceReference", "MachineProfile", recreates="Never")
    assert executed("Conditional", size, new_profile) == ["execute"]


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
        ("Update to resource type AWS::CloudFormation::WaitCondition is not supported.", "--new-machine"),
        ("Address 10.0.2.10 is in use. (Service: Ec2, Status Code: 400)", "--new-machine"),
        ("vol-0123456789abcdef0 is already attached to an instance", "--new-machine"),
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
