"""A release that the machine does not take: everything goes back to the one before it. The functions are changed first, and
with a machine of another release every tick fails until someone has built an older commit."""

from __future__ import annotations

from collections.abc import Mapping

from clickstream_dagster.cli.show import console
from infra_cfn.commands import machine, releases, stacks
from infra_cfn.commands.account import Trouble, root_stack

#: What CloudFormation shows of a parameter that it keeps to itself.
HIDDEN = "****"


def after(
    trouble: Trouble,
    environment: str,
    before: stacks.Stack,
    now: stacks.Stack,
    tags: Mapping[str, str],
    bucket: str,
) -> Trouble:
    """Go back to the stack as it was `before`, and return what to tell."""
    old, new = before.parameters["Release"], now.parameters["Release"]
    again = f'make deploy ENV={environment} ARGS="--release {old}"'
    if old == new:
        return Trouble(
            f"{trouble} Mend it, and deploy again: the release is the same as before, there is nothing to go back to."
        )
    if old not in releases.stored(bucket):
        return Trouble(
            f"{trouble} The release before, {old}, is not in {bucket} any more. Build its commit and deploy that."
        )
    console.print(f"[bold red]{trouble}[/] Going back to {old}.")
    try:
        _change(root_stack(environment), before, now, tags, old, bucket)
        machine.bring_to_release(now.outputs["WarehouseMachine"])
    except Trouble as second:
        return Trouble(f"{trouble} Going back to {old} failed too: {second} When that is mended: {again}")
    return Trouble(
        f"{trouble} Everything is back at {old}, with its settings, and ticks go on. /var/log/clickstream-bootstrap.log on the "
        f"machine says more; make deploy ENV={environment} tries {new} again."
    )


def _change(
    root: str, before: stacks.Stack, now: stacks.Stack, tags: Mapping[str, str], release: str, bucket: str
) -> None:
    known = releases.root_parameters(release, bucket)
    shown = {name: value for name, value in before.parameters.items() if name in known and value != HIDDEN}
    stacks.change(
        root,
        template={"TemplateURL": f"{before.parameters['TemplatesUrl']}/root.yaml"},
        parameters=shown,
        tags=tags,
        keep=[name for name in now.parameters if name in known],
    )
