"""What the account and the region have room for: asked before a deployment, which would find out after ten minutes."""

from __future__ import annotations

from infra_cfn.commands import stacks
from infra_cfn.commands.account import Trouble, client, region

#: One by the clock and one by hand or by a retry.
TICKS_AT_ONCE = 2
#: Lambda keeps so many for functions that reserve none.
MIN_UNRESERVED = 100


def zone(architecture: str, before: stacks.Stack | None) -> str:
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


def reservation(before: stacks.Stack | None) -> str:
    """How many functions at once to reserve for the tick, where nobody chose. None in a new account: it may run ten, and
    Lambda refuses a reservation that leaves fewer than a hundred, after the ten minutes that all before it have taken."""
    if before and before.outputs and before.parameters.get("EtlReservedConcurrency"):  # it came up with that
        return before.parameters["EtlReservedConcurrency"]
    free = client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    return str(TICKS_AT_ONCE if free - TICKS_AT_ONCE >= MIN_UNRESERVED else 0)
