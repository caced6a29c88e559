"""The warehouse machine, spoken to through Systems Manager: it has no open port and no key."""

from __future__ import annotations

import time

from botocore.exceptions import ClientError

from clickstream_dagster.cli.show import bar
from infra_cfn.commands.account import Trouble, client

POLL_SECONDS = 2
#: A machine that has just been started again is not spoken to before its agent has come up.
AGENT_SECONDS = 300


def run(machine: str, command: str, *, what: str, timeout: int = 1800) -> str:
    """Run a shell command on the machine as root, and return what it printed. Raises `Trouble` when it fails."""
    with bar(what):
        sent = _send(machine, command, timeout)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            seen = _seen(sent, machine)
            if seen and seen["Status"] == "Success":
                return str(seen["StandardOutputContent"])
            if seen and seen["Status"] not in ("Pending", "InProgress", "Delayed"):
                said = (seen["StandardErrorContent"] or seen["StandardOutputContent"]).strip()[-800:]
                raise Trouble(f"{what}: {seen['Status']} on {machine}. It said: {said or 'nothing'}")
            time.sleep(POLL_SECONDS)
    raise Trouble(f"{what}: no answer from {machine} in {timeout} seconds.")


def bring_to_release(machine: str) -> None:
    """Have the machine read its settings again, fetch the release that they name, and come to it."""
    run(machine, "/usr/local/sbin/clickstream-release", what="bringing the machine to the release", timeout=3600)


def _send(machine: str, command: str, timeout: int) -> str:
    """The command's id, once the machine's agent is there to take it."""
    deadline = time.monotonic() + AGENT_SECONDS
    while True:
        try:
            sent = client("ssm").send_command(
                InstanceIds=[machine],
                DocumentName="AWS-RunShellScript",
                Parameters={"commands": [command], "executionTimeout": [str(timeout)]},
            )
            return str(sent["Command"]["CommandId"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceId":
                raise
        if time.monotonic() > deadline:
            raise Trouble(
                f"Systems Manager has not seen {machine} for {AGENT_SECONDS} seconds. Is it running, and do the endpoints ssm "
                "and ssmmessages stand? docs/runbook.md tells how to look (WarehouseUnhealthy, and below the table)."
            )
        time.sleep(POLL_SECONDS)


def _seen(command: str, machine: str) -> dict[str, str] | None:
    try:
        found: dict[str, str] = client("ssm").get_command_invocation(CommandId=command, InstanceId=machine)
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvocationDoesNotExist":  # sent a moment ago
            return None
        raise
    return found
