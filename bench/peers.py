"""The peers' own environment, made on first use: at the versions of bench/peers.txt, in .venv-peers, away from ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickstream_dagster.settings import Postgres

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".venv-peers"
#: dlt's ways from JSON lines to PostgreSQL, the one that was fastest when this was written first.
DLT_WAYS = (("arrow", "parquet"), ("arrow", "csv"), ("dicts", "csv"))


def peers_python() -> Path:
    """The interpreter that has the peers, installed unless it has them at these versions."""
    python, wanted, mark = HOME / "bin" / "python", HERE / "peers.txt", HOME / "installed.txt"
    if not mark.exists() or mark.read_text() != wanted.read_text():
        print("Installing the peers into .venv-peers (once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "--requirement", str(wanted)], check=True)
        mark.write_text(wanted.read_text())
    return python


def dlt_seconds(server: Postgres, folder: Path, way: tuple[str, str]) -> tuple[float, int]:
    """Seconds of dlt's load of a folder, by one of its ways, and how many rows came of it."""
    place = f"localhost:{server.port}/{server.database}?host={server.host}"
    # dlt asks for a password, the server in a folder of ours for none.
    address = f"postgresql://{server.user}:{server.password or 'none'}@{place}"
    command = [str(peers_python()), str(HERE / "peer_dlt.py"), str(folder), address, *way]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
    seconds, rows = said.split()[-2:]
    return float(seconds), int(rows)
