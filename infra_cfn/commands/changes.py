"""What a change set would do, resource by resource, and which of it is not done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clickstream_dagster.cli.show import console
from infra_cfn.commands.account import client

#: To lose or replace one of these is to lose data, or to leave it behind.
HOLDS_DATA = frozenset({"AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::Cognito::UserPool"})


@dataclass(frozen=True)
class Change:
    """What a change set would do to one resource."""

    stack: str
    resource: str
    kind: str
    action: str
    replaces: bool
    #: Replaced for a reason that CloudFormation knows before: something in its own template changes. Of a parameter that is
    #: another stack's output it cannot know, and says of everything that depends on one that it will be replaced.
    surely: bool = False

    @property
    def replaces_machine(self) -> bool:
        """True where CloudFormation would start a new machine while the old one still holds the disk and the address."""
        return self.kind == "AWS::EC2::Instance" and self.surely

    @property
    def loses_data(self) -> bool:
        """True where a resource that holds data would go, or be left for a new, empty one."""
        return self.kind in HOLDS_DATA and (self.action == "Remove" or self.replaces)


def read(change_set: str, stack: str, region: str | None) -> Iterator[Change]:
    """Every change of a change set, and of those of the stacks below it."""
    pages = client("cloudformation", region).get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
    for one in (found["ResourceChange"] for page in pages for found in page["Changes"]):
        if one.get("ChangeSetId"):
            yield from read(one["ChangeSetId"], one["LogicalResourceId"], region)
        replaces = one.get("Replacement") == "True"
        surely = any(map(_is_sure, one.get("Details", [])))
        yield Change(stack, one["LogicalResourceId"], one["ResourceType"], one["Action"], replaces, surely)


def _is_sure(detail: Mapping[str, Any]) -> bool:
    """Does this cause replace the resource for a reason in its own template? An attribute of another resource, such as a launch
    template's latest version, is named only where that one changes too."""
    recreates = detail.get("Target", {}).get("RequiresRecreation") == "Always"
    return recreates and detail.get("ChangeSource") in ("DirectModification", "ResourceAttribute", "ResourceReference")


def refused(changes: list[Change], *, allow_loss: bool) -> str:
    """Why these changes are not made, and what to do; empty where they may be."""
    lost = [f"{one.stack}/{one.resource} ({one.action.lower()})" for one in changes if one.loses_data]
    if lost and not allow_loss:
        return (
            f"this would lose or leave behind what holds data: {', '.join(lost)}. Nothing was changed. "
            "Undo what asks for it, or repeat with --allow-data-loss after a backup (docs/runbook.md)."
        )
    machines = [f"{one.stack}/{one.resource}" for one in changes if one.replaces_machine]
    if machines:
        return (
            f"this would replace {', '.join(machines)}, and fail: the new machine comes first, and finds its disk and address "
            "taken. Nothing was changed. Repeat with --new-machine; for the shop's own database deploy OltpMachine: absent, "
            "then present."
        )
    return ""


def show(name: str, changes: list[Change], *, whole: bool) -> None:
    """What will be done, the dangerous first; or the dangerous alone. Where a stack is told what another one puts out,
    CloudFormation cannot know before whether it changes, and says of more than will be replaced that it may be."""
    console.print(f"[bold]{name}[/]: {len(changes)} changes")
    for one in sorted(changes, key=lambda one: (not one.loses_data, not one.replaces, one.stack)):
        if whole or one.loses_data or one.replaces or one.action == "Remove":
            verb = "may replace" if one.replaces else one.action.lower()
            console.print(f"  {verb:11} {one.stack}/{one.resource} ({one.kind})")
