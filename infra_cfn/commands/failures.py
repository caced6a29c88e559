"""Of all that fails when a stack fails, the one thing that failed first, and what usually helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

#: What follows from another failure explains nothing.
_ECHOES = re.compile(r"cancelled|Embedded stack .* was not successfully|The following resource\(s\) failed")
#: The words of a reason -> what to do.
_ADVICE = (
    (
        r"UnreservedConcurrentExecution",
        "The account may run too few functions at once to reserve some. Set EtlReservedConcurrency: 0, "
        "or ask for the usual limit of 1000 (Service Quotas, Lambda, Concurrent executions).",
    ),
    (
        r"WaitCondition (timed out|received failed)|failed: see /var/log|could not be fetched or set up",
        "The machine's first boot failed. Keep it for a look: repeat with --keep-what-failed, then open its shell "
        "(aws ssm start-session --target INSTANCE) and read the log that the reason names.",
    ),
    (
        r"not supported in your requested Availability Zone|Unsupported: .*instance type",
        "This zone does not have the machine's type. Name another AvailabilityZone in the environment's file.",
    ),
    (
        r"(?i)address [\d.]+ is in use|already attached to|VolumeInUse|Address is in use",
        "A new machine was to come while the old one still held its disk or address. Repeat with --new-machine, which takes "
        "the old one away first.",
    ),
    (
        r"WaitCondition.*not supported|not supported.*WaitCondition",
        "How long a first boot is waited for can change with a new machine only. Repeat with --new-machine.",
    ),
    (r"VcpuLimitExceeded|vCPU", "The account may run too few machines. Ask for more (Service Quotas, EC2)."),
    (r"VpcLimitExceeded", "The region has as many VPCs as the account may have. Remove one, or ask for more."),
    (r"AddressLimitExceeded", "The region has as many elastic addresses as the account may have. Release one."),
    (
        r"AccessDenied|not authorized|UnauthorizedOperation|is not authorized",
        "Your own credentials lack a right: docs/deploy.md lists what the deployer needs.",
    ),
)


def first_failure(events: Sequence[dict[str, Any]], status: str) -> str:
    """One sentence on the first resource that failed, and one on what to do."""
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]
    causes = [one for one in failed if not _ECHOES.search(one.get("ResourceStatusReason", ""))] or failed
    if not causes:
        return f"The stack ended in {status}, and names no resource that failed. See its events in the console."
    first = min(causes, key=lambda one: one["Timestamp"])
    reason = " ".join(first.get("ResourceStatusReason", "no reason given").split())
    told = f"{first['StackName']}/{first['LogicalResourceId']} ({first['ResourceType']}) failed first: {reason.rstrip('.')}."
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), None)
    return f"{told} {advice}" if advice else told
