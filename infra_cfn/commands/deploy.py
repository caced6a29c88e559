"""`make deploy ENV=prod`: everything on AWS, or brought up to date there."""

from __future__ import annotations

from collections.abc import Mapping

import click

from clickstream_dagster.cli.show import console
from infra_cfn.commands import choices, keys, machine, releases, stacks
from infra_cfn.commands.account import (
    FIREWALL_REGION,
    TEMPLATES,
    Trouble,
    account,
    artifacts_stack,
    client,
    firewall_stack,
    region,
    root_stack,
)
from infra_cfn.commands.shell import environment_argument, run

#: One by the clock and one by hand or by a retry.
TICKS_AT_ONCE = 2
#: Lambda keeps so many for functions that reserve none.
MIN_UNRESERVED = 100

EPILOG = """
\b
First time, in this order:
  cp infra_cfn/environments/example.yml infra_cfn/environments/prod.yml     and fill it in
  make package ARGS=arm64                                                   what is deployed
  make deploy ENV=prod                                                      ten minutes
  make smoke ENV=prod                                                       does an event arrive?
Later the same command brings a changed file or a new version there. docs/deploy.md tells it at length.
"""


#: Stands for the firewall that a plan does not make.
PLANNED = f"arn:aws:wafv2:{FIREWALL_REGION}:000000000000:global/webacl/planned/planned"


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
@click.option("--keep-what-failed", is_flag=True, help="Do not roll back, so that a failed machine can be looked at.")
@click.option(
    "--allow-data-loss", is_flag=True, help="Go on even if a bucket, disk or user pool would be lost or replaced."
)
def deploy_command(
    environment: str, plan: bool, new_machine: bool, keep_what_failed: bool, allow_data_loss: bool
) -> None:
    """Deploy the installation ENV, or bring it up to date: the artifacts, the stacks, and the release on the machine."""
    chosen = choices.read(environment)
    release = releases.read(chosen.get("Architecture", "arm64"))
    console.print(
        f"Release {release.name} ({release.architecture}) to {root_stack(environment)}, account {account()}, {region()}."
    )
    tags = {"project": "clickstream", "environment": environment}
    bucket = _artifacts(environment, tags)
    releases.upload(release, bucket)
    before = stacks.find(root_stack(environment))
    parameters = {
        **chosen,
        "AvailabilityZone": chosen.get("AvailabilityZone") or _zone(release.architecture, before),
        "EtlReservedConcurrency": chosen.get("EtlReservedConcurrency") or _reservation(before),
        **_firewall(environment, chosen, tags, plan=plan),
        "Environment": environment,
        "ArtifactsBucket": bucket,
        "TemplatesUrl": releases.templates_url(release, bucket),
        "Release": release.name,
        "Running": "yes",
        "WarehouseMachine": "present",
    }
    if not plan:
        keys.ensure(environment, keys.HASH_SALT)
        if chosen.get("Shop") == "yes":
            keys.ensure(environment, keys.SESSION_SECRET)
    if new_machine and before and not plan:
        _take_away_the_machine(environment, tags)
    stacks.change(
        root_stack(environment),
        template={"TemplateURL": f"{parameters['TemplatesUrl']}/root.yaml"},
        parameters=parameters,
        tags=tags,
        plan_only=plan,
        allow_loss=allow_data_loss,
        keep_failed=keep_what_failed,
    )
    if not plan:
        now = stacks.need(root_stack(environment))
        _bring_to_release(before, now)
        if "WebAclArn" not in parameters:  # CloudFront was switched off; it would go on costing
            stacks.delete(firewall_stack(environment), FIREWALL_REGION)
        _tell(environment, now.outputs, is_first=before is None)


def _artifacts(environment: str, tags: Mapping[str, str]) -> str:
    stacks.change(
        artifacts_stack(environment),
        template={"TemplateBody": (TEMPLATES / "artifacts.yaml").read_text()},
        parameters={"Environment": environment},
        tags=tags,
    )
    return stacks.need(artifacts_stack(environment)).outputs["ArtifactsBucket"]


def _zone(architecture: str, before: stacks.Stack | None) -> str:
    """The zone of the disks; at first one that has our machines, which not every zone does."""
    if before and before.parameters.get("AvailabilityZone"):
        return before.parameters["AvailabilityZone"]
    kind = "t4g.small" if architecture == "arm64" else "t3.small"
    offers = client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [kind]}]
    )["InstanceTypeOfferings"]
    zones = sorted(one["Location"] for one in offers)
    if not zones:
        raise Trouble(f"{region()} has no {kind} machines. Choose another region, or another Architecture.")
    return str(zones[0])


def _reservation(before: stacks.Stack | None) -> str:
    """How many functions at once to reserve for the tick, where nobody chose. None in a new account: it may run ten, and
    Lambda refuses a reservation that leaves fewer than a hundred, after the ten minutes that all before it have taken."""
    if before and before.outputs and before.parameters.get("EtlReservedConcurrency"):  # it came up with that
        return before.parameters["EtlReservedConcurrency"]
    free = client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    return str(TICKS_AT_ONCE if free - TICKS_AT_ONCE >= MIN_UNRESERVED else 0)


def _firewall(environment: str, chosen: Mapping[str, str], tags: Mapping[str, str], *, plan: bool) -> dict[str, str]:
    """With CloudFront: its firewall, in the one region that it can be in, and the secret that it sends along. A plan makes
    neither."""
    if chosen.get("CloudFront", "no") == "no":
        return {}
    if plan:
        return {"OriginSecret": "planned", "WebAclArn": PLANNED}
    name = firewall_stack(environment)
    template: dict[str, str | bool] = {"TemplateBody": (TEMPLATES / "waf.yaml").read_text()}
    stacks.change(name, template=template, parameters={"Environment": environment}, tags=tags, region=FIREWALL_REGION)
    return {
        "OriginSecret": keys.ensure(environment, keys.ORIGIN_SECRET),
        "WebAclArn": stacks.need(name, FIREWALL_REGION).outputs["WebAclArn"],
    }


def _take_away_the_machine(environment: str, tags: Mapping[str, str]) -> None:
    """That and nothing else: its disk may be exchanged only once it has let go of it."""
    stacks.change(
        root_stack(environment),
        template={"UsePreviousTemplate": True},
        parameters={"WarehouseMachine": "absent"},
        tags=tags,
        keep_others=True,
    )


def _bring_to_release(before: stacks.Stack | None, now: stacks.Stack) -> None:
    """A machine that was there already is told of the new release and settings; a new one has read them at its first boot."""
    same = before.outputs.get("WarehouseMachine") if before else None
    if same and same == now.outputs["WarehouseMachine"]:
        machine.run(same, "/usr/local/sbin/clickstream-release", what="bringing the machine to the release")


def _tell(environment: str, outputs: Mapping[str, str], *, is_first: bool) -> None:
    console.print(
        "[bold green]Deployed.[/] On every page of the shop, beside its own copy of tracker/dist/clickstream.js:"
    )
    console.print(
        f'  <script defer src="/clickstream.js" data-endpoint="{outputs["CollectorUrl"]}"></script>', soft_wrap=True
    )
    for name in ("UserPool", "ShopClient"):
        console.print(f"  {name:11} {outputs.get(name, '–')}")
    if is_first:
        console.print("Say yes in the mail that Amazon SNS has sent, or no alarm will reach you.")
    console.print(f"Does an event arrive?  make smoke ENV={environment}")
    console.print(f"Dashboard and Dagster: make tunnel ENV={environment}")


if __name__ == "__main__":
    run(deploy_command)
