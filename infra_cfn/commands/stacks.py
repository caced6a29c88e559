"""CloudFormation: what a stack is, what a change would do, and doing it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from clickstream_dagster.cli.show import console
from infra_cfn.commands import watching
from infra_cfn.commands.account import Trouble, client
from infra_cfn.commands.watching import follow, latest

#: To lose or replace one of these is to lose data, or to leave it behind.
HOLDS_DATA = frozenset({"AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::Cognito::UserPool"})
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Stack:
    """A stack as it stands."""

    stack_id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What a change set would do to one resource."""

    stack: str
    resource: str
    kind: str
    action: str
    replaces: bool

    @property
    def loses_data(self) -> bool:
        """True where a resource that holds data would go, or be left for a new, empty one."""
        return self.kind in HOLDS_DATA and (self.action == "Remove" or self.replaces)


def find(name: str, region: str | None = None) -> Stack | None:
    """The stack of that name or id, if there is one."""
    try:
        [found] = client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Stack(
        found["StackId"],
        found["StackStatus"],
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
    )


def need(name: str, region: str | None = None) -> Stack:
    """The stack of that name. Raises `Trouble` when there is none."""
    found = find(name, region)
    if found is None:
        raise missing(name)
    return found


def missing(name: str) -> Trouble:
    """What to say where a stack is asked for that is not there."""
    return Trouble(
        f"There is no stack {name} here. Check its region and the account, or deploy it: make deploy ENV=..."
    )


def change(
    name: str,
    *,
    template: Mapping[str, str | bool],
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    keep_others: bool = False,
    plan_only: bool = False,
    allow_loss: bool = False,
    keep_failed: bool = False,
    region: str | None = None,
) -> bool:
    """Bring a stack to a template and parameters by a change set. False when there was nothing to change.

    `template` is TemplateBody, TemplateURL or UsePreviousTemplate. With `keep_others` the parameters that are not given stay as
    they are. Raises `Trouble` before anything that holds data would be lost, unless `allow_loss`; and with the first resource
    that failed. With `keep_failed` what failed is left standing, to be looked at.
    """
    before = _settled(name, region)
    given: list[dict[str, str | bool]] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
    ]
    if keep_others and before:
        given += [{"ParameterKey": key, "UsePreviousValue": True} for key in before.parameters if key not in parameters]
    api = client("cloudformation", region)
    made = api.create_change_set(
        StackName=name,
        ChangeSetName=f"deploy-{datetime.now(UTC):%Y%m%dT%H%M%S%f}",
        ChangeSetType="UPDATE" if before else "CREATE",
        Parameters=given,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        Capabilities=["CAPABILITY_IAM"],
        # To see what would be lost below the root. A first creation loses nothing, and has no outputs to look ahead with.
        IncludeNestedStacks=before is not None,
        **template,
    )
    if not _is_ready(made["Id"], region):
        console.print(f"{name}: nothing to change.")
        return False
    changes = list(_changes(made["Id"], name, region))
    show(name, changes, whole=plan_only)
    lost = [f"{one.stack}/{one.resource} ({one.action.lower()})" for one in changes if one.loses_data]
    if plan_only or (lost and not allow_loss):
        api.delete_change_set(ChangeSetName=made["Id"])
        if not before:
            api.delete_stack(StackName=made["StackId"])
        if lost:
            raise Trouble(
                f"{name}: this would lose or leave behind what holds data: {', '.join(lost)}. Nothing was changed. "
                "Undo what asks for it, or repeat with --allow-data-loss after a backup (docs/runbook.md)."
            )
        return False
    since = latest(made["StackId"], region)
    api.execute_change_set(ChangeSetName=made["Id"], DisableRollback=keep_failed)
    follow(made["StackId"], len(changes), since, region)
    return True


def delete(name: str, region: str | None = None) -> None:
    """Delete a stack and wait for it. One that is not there is deleted already."""
    found = find(name, region)
    if found is None:
        return
    since = latest(found.stack_id, region)
    client("cloudformation", region).delete_stack(StackName=found.stack_id)
    follow(found.stack_id, 0, since, region)


def show(name: str, changes: list[Change], *, whole: bool) -> None:
    """What will be done, the dangerous first; or the dangerous alone. Where a stack is told what another one puts out,
    CloudFormation cannot know before whether it changes, and says of more than will be replaced that it may be."""
    console.print(f"[bold]{name}[/]: {len(changes)} changes")
    for one in sorted(changes, key=lambda one: (not one.loses_data, not one.replaces, one.stack)):
        if whole or one.loses_data or one.replaces or one.action == "Remove":
            verb = "may replace" if one.replaces else one.action.lower()
            console.print(f"  {verb:11} {one.stack}/{one.resource} ({one.kind})")


def _settled(name: str, region: str | None) -> Stack | None:
    """The stack, if it can be updated. What a first creation left behind is cleared away."""
    found = find(name, region)
    if found is None or found.status == "REVIEW_IN_PROGRESS":
        return None
    if found.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        console.print(f"{name}: its first creation had failed; removing what is left of it.")
        delete(name, region)
        return None
    if found.status.endswith("_IN_PROGRESS"):
        raise Trouble(
            f"{name} is being changed by someone else ({found.status}). Wait until that has ended, and repeat."
        )
    if found.status in ("UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"):
        raise Trouble(f"{name} is stuck in {found.status}: see docs/runbook.md, A deployment that is stuck.")
    return found


def _is_ready(change_set: str, region: str | None) -> bool:
    while True:
        seen = client("cloudformation", region).describe_change_set(ChangeSetName=change_set)
        if seen["Status"] == "CREATE_COMPLETE":
            return True
        if seen["Status"] == "FAILED":
            reason = seen.get("StatusReason", "")
            client("cloudformation", region).delete_change_set(ChangeSetName=change_set)
            if any(words in reason for words in _NO_CHANGES):
                return False
            raise Trouble(f"{seen['StackName']} cannot be changed so: {reason}")
        time.sleep(watching.POLL_SECONDS)


def _changes(change_set: str, stack: str, region: str | None) -> Iterator[Change]:
    pages = client("cloudformation", region).get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
    for one in (found["ResourceChange"] for page in pages for found in page["Changes"]):
        if one.get("ChangeSetId"):
            yield from _changes(one["ChangeSetId"], one["LogicalResourceId"], region)
        replaces = one.get("Replacement") == "True"
        yield Change(stack, one["LogicalResourceId"], one["ResourceType"], one["Action"], replaces)
