"""`make deploy ENV=prod`: everything on AWS, or brought up to date there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click

from clickstream_dagster.cli.show import console
from infra_cfn.commands import choices, going_back, keys, machine, parameters, patching, releases, stacks
from infra_cfn.commands.account import (
    FIREWALL_REGION,
    TEMPLATES,
    Trouble,
    account,
    artifacts_stack,
    firewall_stack,
    region,
    root_stack,
)
from infra_cfn.commands.shell import environment_argument, run

EPILOG = """
\b
First time, in this order:
  cp infra_cfn/environments/example.yml infra_cfn/environments/prod.yml     and fill it in
  make package ARGS=arm64                                                   what is deployed
  make deploy ENV=prod                                                      ten minutes
  make smoke ENV=prod                                                       does an event arrive?
Later the same command brings a changed file or a new version there. docs/deploy.md tells it at length.
"""


@click.command("deploy", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@environment_argument
@click.option(
    "--plan", is_flag=True, help="Upload the release (into a bucket made for it), list what would change, stop."
)
@click.option(
    "--new-machine",
    is_flag=True,
    help="Replace the warehouse machine; its disk stays. Some minutes without dashboards.",
)
@click.option("--release", metavar="NAME", help="Not what was built last, but a release that was deployed before.")
@click.option("--keep-what-failed", is_flag=True, help="Do not roll back, so that a failed machine can be looked at.")
@click.option(
    "--allow-data-loss", is_flag=True, help="Go on even if a bucket, disk or user pool would be lost or replaced."
)
def deploy_command(
    environment: str,
    plan: bool,
    new_machine: bool,
    release: str | None,
    keep_what_failed: bool,
    allow_data_loss: bool,
) -> None:
    """Deploy the installation ENV, or bring it up to date: the artifacts, the stacks, and the release on the machine."""
    chosen = choices.read(environment)
    tags = {"project": "clickstream", "environment": environment}
    name, bucket = _release(environment, chosen.get("Architecture", "arm64"), release, tags)
    root, before = root_stack(environment), stacks.find(root_stack(environment))
    wanted = {
        **parameters.gathered(environment, chosen, before, tags, plan=plan),
        "ArtifactsBucket": bucket,
        "TemplatesUrl": releases.templates_url(name, bucket),
        "Release": name,
        "WarehouseMachine": "absent" if plan and new_machine else "present",
    }
    given = parameters.known(wanted, name, bucket)
    if not plan:
        keys.ensure(environment, keys.HASH_SALT)
        if chosen.get("Shop") == "yes":
            keys.ensure(environment, keys.SESSION_SECRET)
    if new_machine and before and not plan:
        _take_away_the_machine(before, environment, tags)
    stacks.change(
        root,
        template={"TemplateURL": f"{given['TemplatesUrl']}/root.yaml"},
        parameters=given,
        tags=tags,
        plan_only=plan,
        allow_loss=allow_data_loss,
        keep_failed=keep_what_failed,
    )
    if plan:
        return
    now = stacks.need(root)
    try:
        _bring_to_release(before, now)
    except Trouble as trouble:
        if before is None or keep_what_failed:
            raise
        raise going_back.after(trouble, environment, before, now, tags, bucket) from trouble
    if "WebAclArn" not in given:  # CloudFront was switched off; it would go on costing
        stacks.delete(firewall_stack(environment), FIREWALL_REGION)
    releases.prune(bucket, in_use=name)
    _tell(environment, now.outputs, is_first=before is None)


def _release(environment: str, architecture: str, named: str | None, tags: Mapping[str, str]) -> tuple[str, str]:
    """The release that is deployed, which lies in the bucket then; and the bucket."""
    built = None if named else releases.read(architecture)
    name = built.name if built else str(named)
    console.print(f"Release {name} ({architecture}) to {root_stack(environment)}, account {account()}, {region()}.")
    bucket = _artifacts(environment, tags)
    if built:
        releases.upload(built, bucket)
    else:
        releases.check(name, architecture, bucket)
    return name, bucket


def _artifacts(environment: str, tags: Mapping[str, str]) -> str:
    stacks.change(
        artifacts_stack(environment),
        template={"TemplateBody": (TEMPLATES / "artifacts.yaml").read_text()},
        parameters={"Environment": environment},
        tags=tags,
    )
    return stacks.need(artifacts_stack(environment)).outputs["ArtifactsBucket"]


def _take_away_the_machine(before: stacks.Stack, environment: str, tags: Mapping[str, str]) -> None:
    """That and nothing else: its disk may be exchanged only once it has let go of it."""
    stacks.change(
        root_stack(environment),
        template={"UsePreviousTemplate": True},
        parameters={"WarehouseMachine": "absent"},
        tags=tags,
        keep=before.parameters,
    )


def _bring_to_release(before: stacks.Stack | None, now: stacks.Stack) -> None:
    """A machine that was there already is told of the new release and settings; a new one has read them at its first boot."""
    same = before.outputs.get("WarehouseMachine") if before else None
    if same and same == now.outputs["WarehouseMachine"]:
        machine.bring_to_release(same)


def _tell(environment: str, outputs: Mapping[str, str], *, is_first: bool) -> None:
    console.print(
        "[bold green]Deployed.[/] On every page of the shop, beside its own copy of tracker/dist/clickstream.js:"
    )
    console.print(
        f'  <script defer src="/clickstream.js" data-endpoint="{outputs["CollectorUrl"]}"></script>', soft_wrap=True
    )
    if target := outputs.get("CollectorDomainTarget"):
        console.print(f"The collector's name must be a CNAME for {target}", soft_wrap=True)
    for name in ("UserPool", "ShopClient"):
        console.print(f"  {name:11} {outputs.get(name, '–')}")
    if is_first:
        console.print("Say yes in the mail that Amazon SNS has sent, or no alarm will reach you.")
    if reminder := patching.reminder(outputs["WarehouseMachine"], datetime.now(UTC)):
        console.print(f"[bold yellow]{reminder}[/] make deploy ENV={environment} ARGS=--new-machine")
    console.print(f"Does an event arrive?  make smoke ENV={environment}")
    console.print(f"Dashboard and Dagster: make tunnel ENV={environment}")


if __name__ == "__main__":
    run(deploy_command)
