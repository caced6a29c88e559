"""`clickstream shop`: one command, everything up; Ctrl-C, everything gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from clickstream_dagster.local.storefront.building import STOREFRONT, build
from shop_site import free_port, wait_for

#: Of code: the whole app can be read in an hour.
MOST_LINES = 1_550
COMMAND = [sys.executable, "-c", "from clickstream_dagster.cli import main; main()", "shop"]


def test_the_command_brings_up_the_shop_and_takes_all_of_it_down(tmp_path: Path) -> None:
    build(print)
    port, collector, sign_in = free_port(), free_port(), free_port()
    line = [*COMMAND, "--port", str(port), "--gateway-port", str(collector), "--sign-in-port", str(sign_in)]
    with subprocess.Popen(line, env={**os.environ, "CLICKSTREAM_HOME": str(tmp_path / "home")}) as process:
        wait_for(f"http://localhost:{port}")
        page = urllib.request.urlopen(f"http://localhost:{port}").read().decode()
        assert f'data-collector="http://127.0.0.1:{collector}/clickstream"' in page
        children = psutil.Process(process.pid).children(recursive=True)
        with socket.create_connection(("127.0.0.1", port)):  # as browsers open them ahead of time
            process.send_signal(signal.SIGINT)
            process.wait(30)
    assert len(children) >= 3
    assert psutil.wait_procs(children, timeout=30)[1] == []


def test_a_taken_port_is_told_before_anything_is_built(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = [*COMMAND, "--port", str(port)]
        ended = subprocess.run(
            line, env={**os.environ, "CLICKSTREAM_HOME": str(tmp_path)}, capture_output=True, text=True
        )
    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in ended.stderr
    assert "choose another with --port" in ended.stderr


def test_the_app_stays_small() -> None:
    folders = ("app", "components", "lib")
    files = [*STOREFRONT.glob("*.ts"), *(file for folder in folders for file in (STOREFRONT / folder).rglob("*.ts*"))]
    lines = [line.strip() for file in files for line in file.read_text().splitlines()]
    assert len([line for line in lines if line and not line.startswith(("//", "/*", "*", "import "))]) < MOST_LINES
