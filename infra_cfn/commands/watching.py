"""A stack while it changes: what happens to it and to those that it nests, until it has ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from clickstream_dagster.cli.show import bar
from infra_cfn.commands.account import Trouble, client
from infra_cfn.commands.failures import first_failure

POLL_SECONDS = 4


def follow(stack: str, total: int, since: datetime, region: str | None) -> None:
    """Watch until the stack has ended; raise `Trouble` with the first failure."""
    with bar("CloudFormation begins", total or None) as shown:
        [task] = shown.task_ids
        while True:
            seen = events(stack, since, region)
            done = {one["LogicalResourceId"] for one in seen if one["ResourceStatus"].endswith("_COMPLETE")}
            status = _status(stack, region)
            if seen:
                latest = seen[-1]
                what = f"{latest['LogicalResourceId']} {latest['ResourceStatus'].lower().replace('_', ' ')}"
                shown.update(task, completed=min(len(done), total or len(done)), description=what)
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(POLL_SECONDS)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        raise Trouble(first_failure(events(stack, since, region), status))


def _status(stack: str, region: str | None) -> str:
    [found] = client("cloudformation", region).describe_stacks(StackName=stack)["Stacks"]
    return str(found["StackStatus"])


def latest(stack: str, region: str | None) -> datetime:
    """When something last happened to it, by AWS's clock: this computer's may be off."""
    seen = client("cloudformation", region).describe_stack_events(StackName=stack)["StackEvents"]
    return max((one["Timestamp"] for one in seen), default=datetime.min.replace(tzinfo=UTC))


def events(stack: str, since: datetime, region: str | None = None) -> list[dict[str, Any]]:
    """What has happened since to a stack and to those that it nests, in order of time."""
    found: list[dict[str, Any]] = []
    nested: set[str] = set()
    for page in client("cloudformation", region).get_paginator("describe_stack_events").paginate(StackName=stack):
        recent = [one for one in page["StackEvents"] if one["Timestamp"] > since]
        found += recent
        nested |= {
            one["PhysicalResourceId"]
            for one in recent
            if one["ResourceType"] == "AWS::CloudFormation::Stack"
            and one.get("PhysicalResourceId") not in (None, "", stack)
        }
        if len(recent) < len(page["StackEvents"]):
            break
    for one in sorted(nested):
        found += events(one, since, region)
    return sorted(found, key=lambda one: one["Timestamp"])
