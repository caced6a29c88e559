"""`make tunnel ENV=prod`: the machine's Dagster, dashboard and PostgreSQL on this computer, through Session Manager."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from clickstream_dagster.cli.show import console
from infra_cfn.commands import stacks
from infra_cfn.commands.account import Trouble, client, parameter, region, root_stack
from infra_cfn.commands.shell import environment_argument, run

#: What is reached -> its port on the machine, and what to do with it here.
DOORS = {
    "dashboard": (3838, "http://127.0.0.1:{port}/sbw_dashboard/"),
    "dagster": (3000, "http://127.0.0.1:{port}"),
    "postgres": (5432, "psql -h 127.0.0.1 -p {port} -U clickstream_reader clickstream_dw"),
}
PLUGIN = "session-manager-plugin"
READY_SECONDS = 30

EPILOG = """
\b
Nothing on the machine is open to a network: who may start a session is decided by IAM, and each session is in CloudTrail.
  make tunnel ENV=prod                                   all three, until Ctrl-C
  make tunnel ENV=prod ARGS=--only=dashboard             one of them
  make tunnel ENV=prod ARGS="--port postgres=15432"      another port on this computer
AWS's session-manager-plugin must be installed.
"""


def _ports(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    chosen = {}
    for value in values:
        name, _, port = value.partition("=")
        if name not in DOORS or not port.isdigit() or not 0 < int(port) < 65536:
            raise click.BadParameter(f"{value}: use {', '.join(DOORS)} and a port, such as postgres=15432")
        chosen[name] = int(port)
    return chosen


@click.command("tunnel", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@environment_argument
@click.option("--only", type=click.Choice(list(DOORS)), help="Open one of the three.")
@click.option("--port", "ports", multiple=True, callback=_ports, metavar="WHAT=PORT", help="A port of this computer.")
def tunnel_command(environment: str, only: str | None, ports: dict[str, int]) -> None:
    """Open Dagster, the dashboard and PostgreSQL of the installation ENV on this computer, until Ctrl-C."""
    outputs = stacks.need(root_stack(environment)).outputs
    machine = outputs.get("WarehouseMachine", "absent")
    if machine == "absent":
        raise Trouble(
            f"{root_stack(environment)} has no machine at the moment. Bring it back: make deploy ENV={environment}"
        )
    wanted = {name: ports.get(name, door[0]) for name, door in DOORS.items() if only in (None, name)}
    with forwards(machine, wanted):
        for name, port in wanted.items():
            console.print(f"  {name:10} {DOORS[name][1].format(port=port)}")
        if "postgres" in wanted:
            console.print(
                f"  its password is in Parameter Store: {parameter(environment, 'warehouse/reader_password')}"
            )
        console.print("Ctrl-C closes it.")
        signal.pause()


@contextmanager
def forwards(machine: str, wanted: dict[str, int]) -> Iterator[None]:
    """Forward a port of this computer to each door of the machine, inside the block."""
    if shutil.which(PLUGIN) is None:
        raise Trouble(f"{PLUGIN} is not installed. See: docs/deploy.md, What you need")
    for name, port in wanted.items():
        if _answers(port):
            raise Trouble(f"Port {port} is taken on this computer. Choose another: ARGS='--port {name}={port + 10000}'")
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, port in wanted.items():
            started.append(_start(machine, DOORS[name][0], port))
        for process, (name, port) in zip(started, wanted.items(), strict=True):
            _wait(process, name, port)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)


def _start(machine: str, remote: int, local: int) -> subprocess.Popen[bytes]:
    asked = {
        "Target": machine,
        "DocumentName": "AWS-StartPortForwardingSession",
        "Parameters": {"portNumber": [str(remote)], "localPortNumber": [str(local)]},
    }
    session = client("ssm").start_session(**asked)
    told = {name: session[name] for name in ("SessionId", "TokenValue", "StreamUrl")}
    command = [
        PLUGIN,
        json.dumps(told),
        region(),
        "StartSession",
        "",
        json.dumps(asked),
        client("ssm").meta.endpoint_url,
    ]
    # A group of its own: Ctrl-C is for us, who then end it.
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def _wait(process: subprocess.Popen[bytes], name: str, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if _answers(port):
            return
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise Trouble(f"The tunnel to {name} ended at once. {PLUGIN} said: {said or 'nothing'}")
        time.sleep(0.2)
    raise Trouble(f"The tunnel to {name} did not open in {READY_SECONDS} seconds. Is the machine running?")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    run(tunnel_command)
