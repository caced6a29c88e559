"""A machine without CPU credits: its services come one after the other, and have the time that a fifth of a core takes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.templates import FOLDER, properties

INSTANCE = FOLDER / "instance"
START = (INSTANCE / "steps" / "70_start.sh").read_text()
#: The step as bootstrap.sh runs it, with commands that write down how they are called. A service answers at the second time.
RUN = """
set -euo pipefail
WAREHOUSE=clickstream_dw TIMERS=(clickstream-health.timer)
log() { echo "log $*"; }
fail() { echo "fail $*"; exit 1; }
sleep() { :; }
journalctl() { echo "journal $*"; }
systemctl() { echo "$*"; [ "$2" != "${BROKEN:-}" ]; }
declare -A asked
answer() { asked[$1]=$((${asked[$1]:-0} + 1)); [ "$1" != "${SILENT:-}" ] && ((asked[$1] > 1)); }
INSTANCE=$1
for name in postgres webserver location dashboard daemon; do eval "${name}_answers() { answer $name; }"; done
"""


def run(tmp_path: Path, **environ: str) -> list[str]:
    """What the step does and says."""
    (tmp_path / "probes.sh").write_text("")
    step = START.replace("PATIENCE_SECONDS=600", "PATIENCE_SECONDS=1") if "SILENT" in environ else START
    done = subprocess.run(
        ["bash", "-c", RUN + step, "bash", str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_service_is_started_when_the_one_before_it_answers(tmp_path: Path) -> None:
    said = [re.sub(r" after \d+ s$", "", line) for line in run(tmp_path)]
    assert said == [
        "log clickstream-postgres answers",
        "restart clickstream-location",
        "restart clickstream-webserver",
        "log clickstream-webserver answers",
        "log clickstream-location answers",
        "restart clickstream-dashboard",
        "log clickstream-dashboard answers",
        "restart clickstream-daemon",
        "log clickstream-daemon answers",
        "start clickstream-health.timer",
        "start clickstream-health.service",
    ]


@pytest.mark.parametrize("kind", ["BROKEN", "SILENT"])
def test_one_that_does_not_come_is_named_and_nothing_more_is_started(tmp_path: Path, kind: str) -> None:
    name = "clickstream-webserver" if kind == "BROKEN" else "webserver"
    said = run(tmp_path, **{kind: name})
    assert said[-1].startswith("fail clickstream-webserver does not")
    assert said[-2].startswith("journal --unit clickstream-webserver")
    assert not [line for line in said if "dashboard" in line]


def test_no_other_step_starts_them() -> None:
    services = r"systemctl (re)?start .*(location|webserver|daemon|dashboard|UNITS)"
    found = [file.name for file in INSTANCE.glob("steps/*.sh") if re.search(services, file.read_text())]
    assert found == []
    assert 'systemctl restart "clickstream-$1"' in START


def test_the_limits_fit_a_fifth_of_a_core() -> None:
    # The four Python services take some 25 core-seconds to start, measured; the whole first boot 104 to 174. T4g and T3
    # machines start without credits: two cores at 20 % each are the least of any size that can be chosen. Under a quota of
    # 0.4 cores a first boot took 251 s, on a host that others used too.
    limits = {
        file.stem: re.findall(r"^TimeoutStartSec=(\w+)", file.read_text(), re.M)
        for file in INSTANCE.glob("systemd/*.service")
    }
    assert {name: limit for name, limit in limits.items() if limit} == {
        "clickstream-postgres": ["infinity"],
        "clickstream-location": ["600"],
    }
    assert "PATIENCE_SECONDS=600\n" in START
    assert properties("warehouse", "MachineTemplate")["LaunchTemplateData"]["CreditSpecification"] == {
        "CpuCredits": "standard"
    }
    assert int(properties("warehouse", "FirstBootEnded")["Timeout"]) >= 4 * 174 / 0.2 / 2 > 25 / 0.2
