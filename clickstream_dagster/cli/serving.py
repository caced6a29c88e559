"""`clickstream gateway`, `clickstream serve` and `clickstream env`."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from importlib.resources import files

import click

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.cli.show import console
from clickstream_dagster.settings import LOCAL_PORTS, load_settings
from clickstream_dagster.stack import Stack

PORT = click.IntRange(1, 65_535)


class CannotServe(RuntimeError):
    """A server cannot start; the message says why and what to do."""


@click.command("gateway")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=LOCAL_PORTS["gateway"], show_default=True, type=PORT)
def gateway_command(host: str, port: int) -> None:
    """Serve the collector on this machine: POST events to /clickstream or /v1/events."""
    from clickstream_dagster.local.gateway import serve

    stack = Stack(load_settings())
    _check_port(host, port)
    console.print(f"Collector: http://{host}:{port}/clickstream   (Ctrl-C stops it)")
    console.print("Load what it collects:  clickstream materialize")
    serve(stack.store, host, port)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=LOCAL_PORTS["dagster"], show_default=True, type=PORT)
def serve_command(host: str, port: int) -> None:
    """Serve the Dagster UI: assets, lineage, partitions, backfills, checks, runs."""
    serve_dagster(Stack(load_settings()), host, port)


@click.command("env")
def env_command() -> None:
    """Print the environment that Dagster's own commands need:  eval "$(clickstream env)"; dagster dev"""
    stack = Stack(load_settings())
    environment = dagster_instance.prepare(stack)
    if stack.settings.is_embedded:
        from clickstream_dagster.local.embedded import keep_running

        keep_running(stack.settings.home)
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def serve_dagster(stack: Stack, host: str, port: int) -> None:
    """Run Dagster's webserver and daemon until they are stopped."""
    _check_port(host, port)
    with stack.warehouse():
        pass
    environment = {**os.environ, **dagster_instance.prepare(stack)}
    workspace = str(files("clickstream_dagster").joinpath("workspace.yaml"))
    console.print(f"Dagster UI: http://{host}:{port}   (Ctrl-C stops it)")
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "-w", workspace, "-h", host, "-p", str(port)]
    # A shell starts background programs with SIGINT ignored; Dagster would then ignore SIGTERM as well, and never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen([*command, "--log-level", "warning"], env=environment) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            sys.exit(server.wait())
        except KeyboardInterrupt:
            server.wait()


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what runs there, or choose another "
                "with --port, or another address with --host."
            ) from error
