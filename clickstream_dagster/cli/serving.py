"""`clickstream gateway`, `clickstream serve`, `clickstream dashboard` and `clickstream env`."""

from __future__ import annotations

import atexit
import shlex
import socket
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import click

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.cli.processes import Server, run_until_stopped
from clickstream_dagster.cli.show import console
from clickstream_dagster.dashboard import dashboard_folder
from clickstream_dagster.dashboard import reader_environment as reader_environment
from clickstream_dagster.settings import (
    DASHBOARD_PATH,
    DASHBOARD_WORKERS,
    LOCAL_PORTS,
    load_front,
    load_settings,
    load_sign_in,
)
from clickstream_dagster.stack import Stack

#: The module of the front, and its app, that uvicorn serves from the dashboard's folder.
DASHBOARD_SITE = "clickstream_dagster.front.dashboard:site"
PORT = click.IntRange(1, 65_535)


class CannotServe(RuntimeError):
    """A server cannot start; the message says why and what to do."""


@click.command("gateway")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=LOCAL_PORTS["gateway"], show_default=True, type=PORT)
def gateway_command(host: str, port: int) -> None:
    """Serve the collector on this machine: POST events to /clickstream or /v1/events; /openapi.json describes it. The tracker
    is served beside it: /clickstream.js."""
    from clickstream_dagster.front import servers
    from clickstream_dagster.local.gateway.app import app
    from clickstream_dagster.local.gateway.serving import serve
    from clickstream_dagster.local.gateway.tokens import Tokens
    from clickstream_dagster.local.gateway.tracker_files import OPEN_PATHS, with_tracker
    from ingest_lambda.settings import open_store

    stack = Stack(load_settings())
    check_port(host, port)
    front = load_front(front_environment(host))
    sign_in = load_sign_in()
    collector = app(open_store(stack.raw), Tokens(sign_in) if sign_in else None)
    console.print(f"Collector: http://{host}:{port}/clickstream   (Ctrl-C stops it)")
    console.print("Load what it collects:  clickstream materialize")
    serve(servers.gateway(with_tracker(collector), front, OPEN_PATHS), host, port)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=LOCAL_PORTS["dagster"], show_default=True, type=PORT)
def serve_command(host: str, port: int) -> None:
    """Serve the Dagster UI: assets, lineage, partitions, backfills, checks, runs."""
    run_until_stopped(dagster_servers(Stack(load_settings()), host, port))


@click.command("dashboard")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=LOCAL_PORTS["dashboard"], show_default=True, type=PORT)
def dashboard_command(host: str, port: int) -> None:
    """Serve the shop owner's pages: overview, now, funnel, your funnel, journeys, products, carts, acquisition, attribution,
    customers, experiments, retention, search and reliability."""
    run_until_stopped([dashboard_server(Stack(load_settings()), host, port)])


@click.command("env")
def env_command() -> None:
    """Print the environment that Dagster's own commands need:  eval "$(clickstream env)"; dagster asset list

    `dagster dev` works with it, too, but lets any web page that you visit send it commands: `clickstream serve` does not.
    """
    stack = Stack(load_settings())
    environment = dagster_instance.prepare(stack)
    if stack.settings.is_embedded:
        from clickstream_dagster.local.embedded import keep_running

        keep_running(stack.settings.home)
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def dagster_servers(stack: Stack, host: str, port: int) -> list[Server]:
    """Dagster's webserver behind the front, its daemon, and the one process that has our code, which both ask: each would
    start one of its own otherwise, and the daemon another every minute."""
    if find_spec("dagster_webserver") is None:
        raise CannotServe("Dagster's webserver is not installed. Run: pip install 'clickstream[local]'")
    check_port(host, port)
    environ = front_environment(host)
    with stack.warehouse():
        pass
    environ |= dagster_instance.prepare(stack)
    socket_file = Path(_folder_of_its_own(), "code")
    environ |= {"CLICKSTREAM_CODE_SOCKET": str(socket_file)}
    workspace = ["--workspace", str(files("clickstream_dagster.local").joinpath("workspace.yaml"))]
    python = [sys.executable, "-W", "ignore", "-m"]
    code = [
        *python,
        "dagster",
        "api",
        "grpc",
        "--module-name",
        "clickstream_dagster.definitions",
        "--log-level",
        "warning",
    ]
    code += ["--location-name", "clickstream", "--socket", str(socket_file)]
    webserver = [*python, "clickstream_dagster.webserver", *workspace, "--host", host, "--port", str(port)]
    daemon = [*python, "dagster._daemon", "run", *workspace, "--log-level", "warning"]
    return [
        Server("Dagster code", "", code, environ, opens=socket_file),
        Server("Dagster UI", url(host, port), webserver, environ),
        Server("Dagster daemon", "", daemon, environ),
    ]


def _folder_of_its_own() -> str:
    """For a socket, whose path may have 107 bytes: CLICKSTREAM_HOME can be longer. Nobody else may enter it."""
    folder = mkdtemp(prefix="clickstream-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


def dashboard_server(stack: Stack, host: str, port: int) -> Server:
    """The Shiny app, with the read-only login and nothing else."""
    folder = dashboard_folder()
    check_port(host, port)
    with stack.warehouse():
        pass
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "--app-dir", folder, DASHBOARD_SITE]
    return Server(
        "Dashboard",
        url(host, port) + DASHBOARD_PATH,
        [
            *command,
            *("--host", host, "--port", str(port), "--workers", str(DASHBOARD_WORKERS)),
            *("--log-level", "warning", "--no-server-header"),
        ],
        front_environment(host) | reader_environment(stack),
    )


def front_environment(host: str) -> dict[str, str]:
    """What a server's front reads: the address that it listens on is a host of its own, besides those that are set.
    Raises `SettingsError` before anything is started."""
    return {"CLICKSTREAM_HOSTS": ",".join((*load_front().hosts, host))}


def url(host: str, port: int) -> str:
    """Of a server, without a path."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_port(host: str, port: int, advice: str = "--port, or another address with --host") -> None:
    """Raises `CannotServe` when something else has the port; `advice` names what chooses another."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what runs there, or choose another "
                f"with {advice}."
            ) from error
