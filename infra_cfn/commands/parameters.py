"""The parameters of a deployment: what was chosen, what is found out where nothing was, and what the release knows of it."""

from __future__ import annotations

from collections.abc import Mapping

from clickstream_dagster.cli.show import console
from infra_cfn.commands import capacity, keys, releases, stacks
from infra_cfn.commands.account import FIREWALL_REGION, TEMPLATES, firewall_stack

#: Stands for the firewall that a plan does not make.
PLANNED = f"arn:aws:wafv2:{FIREWALL_REGION}:000000000000:global/webacl/planned/planned"


def gathered(
    environment: str, chosen: Mapping[str, str], before: stacks.Stack | None, tags: Mapping[str, str], *, plan: bool
) -> dict[str, str]:
    """What was chosen, and what is found out where nothing was."""
    zone = chosen.get("AvailabilityZone") or capacity.zone(chosen.get("Architecture", "arm64"), before)
    return {
        **chosen,
        "AvailabilityZone": zone,
        "EtlReservedConcurrency": chosen.get("EtlReservedConcurrency") or capacity.reservation(before),
        **_firewall(environment, chosen, tags, plan=plan),
        "Environment": environment,
        "Running": "yes",
    }


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


def known(wanted: Mapping[str, str], release: str, bucket: str) -> dict[str, str]:
    """The parameters that the release has: an older one has fewer."""
    names = releases.root_parameters(release, bucket)
    if unknown := sorted(wanted.keys() - names):
        console.print(f"Release {release} does not know {', '.join(unknown)} yet: left out.")
    return {name: value for name, value in wanted.items() if name in names}
