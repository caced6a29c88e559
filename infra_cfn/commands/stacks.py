"""CloudFormation: what a stack is, what a change would do, and doing it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from clickstream_dagster.cli.show import console
from infra_cfn.commands import changes, watching
from infra_cfn.commands.account import Trouble, client
from infra_cfn.commands.watching import follow, latest

_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Stack:
    """A stack as it stands."""

    stack_id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


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
    keep: Collection[str] = (),
    plan_only: bool = False,
    allow_loss: bool = False,
    keep_failed: bool = False,
    region: str | None = None,
) -> bool:
    """Bring a stack to a template and parameters by a change set. False when there was nothing to change.

    `template` is TemplateBody, TemplateURL or UsePreviousTemplate. The parameters in `keep` that are not given stay as
    they are. Raises `Trouble` before anything that holds data would be lost, unless `allow_loss`, or a machine replaced; and with
    the first resource that failed. With `keep_failed` what failed is left standing, to be looked at.
    """
    before = _settled(name, region)
    given: list[dict[str, str | bool]] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
    ]
    given += [{"ParameterKey": key, "UsePreviousValue": True} for key in keep if key not in parameters]
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
    found = list(changes.read(made["Id"], name, region))
    changes.show(name, found, whole=plan_only)
    refused = changes.refused(found, allow_loss=allow_loss)
    if plan_only or refused:
        api.delete_change_set(ChangeSetName=made["Id"])
        if not before:
            api.delete_stack(StackName=made["StackId"])
        if refused:
            raise Trouble(f"{name}: {refused}")
        return False
    since = latest(made["StackId"], region)
    api.execute_change_set(ChangeSetName=made["Id"], DisableRollback=keep_failed)
    follow(made["StackId"], len(found), since, region)
    return True


def delete(name: str, region: str | None = None) -> None:
    """Delete a stack and wait for it. One that is not there is deleted already."""
    found = find(name, region)
    if found is None:
        return
    since = latest(found.stack_id, region)
    client("cloudformation", region).delete_stack(StackName=found.stack_id)
    follow(found.stack_id, 0, since, region)


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
