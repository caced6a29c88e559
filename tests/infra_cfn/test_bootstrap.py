"""The warehouse's machine, from an empty disk to a dashboard: bootstrap.sh on a fresh Debian with systemd and no network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order
from support.debian import release
from support.machine import Machine, disk, machine

pytestmark = pytest.mark.usefixtures("wheels")
#: The last hour that is closed: what a tick would load.
CLOSED = floor_hour(datetime.now(UTC)) - HOUR
FROM_THE_NETWORK = "10.0.3.7"
UNITS = ("postgres", "location", "webserver", "daemon", "dashboard")

# A bucket's end of the presigned URL that CloudFormation waits for.
_WAITING = """
import http.server, json, sys
class Bucket(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with open(sys.argv[1], "a") as file:
            file.write(json.dumps({"type": self.headers["content-type"], "body": json.loads(body)}) + chr(10))
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8099), Bucket).serve_forever()
"""

# Every row of every table of both databases, in an order of its own, as one sum for each table.
_SUMS = """
ask() { runuser -u postgres -- psql -XAt -d "$1" -c "$2"; }
for database in clickstream_dw dagster; do
    for table in $(ask $database "select format('%I', tablename) from pg_tables where schemaname = 'public' order by 1"); do
        rows="copy (select t::text from $table as t order by t::text collate \\"C\\") to stdout"
        echo "$database.$table $(ask $database "$rows" | sha256sum | cut -c 1-64)"
    done
done
"""
#: What Dagster's daemon and the machine's timer write at any minute.
BEATS = {"dagster.daemon_heartbeats", "dagster.kvs", "clickstream_dw.machine_health"}


@dataclass
class Site:
    """A machine, and what lies beside it: the folder that it shares, its disk, what it said and signalled."""

    machine: Machine
    shared: Path
    disk: str
    said: str
    signals: Path

    @property
    def signalled(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.signals.read_text().splitlines()]


def settings(device: str, **more: str) -> dict[str, str]:
    return {
        "RAW_BUCKET_NAME": "file:///srv/shared/raw",
        "BACKUP_URL": "file:///srv/shared/backups",
        "DATA_DEVICE": device,
        "DATABASE_CLIENTS": "10.0.3.0/24",
        "SECRET_STORE": "file",
        "CLICKSTREAM_FIRST_HOUR": f"{CLOSED - timedelta(days=2):%Y-%m-%dT%H:%MZ}",
        **more,
    }


@contextmanager
def neighbour(site: Site, folder: Path, archive: Path, device: str) -> Iterator[Machine]:
    """Another fresh machine. The release that the first one has installed is lent to it, to spare a minute."""
    installed = site.machine.upper / "opt/clickstream/releases"
    with machine(folder / "machine", archive, device, shared=site.shared, installed=installed) as other:
        yield other


def put_purchases(shared: Path) -> None:
    """What a collector has stored in the hour that closed last: three visitors, each with an order."""
    moment = CLOSED + timedelta(minutes=7)
    events = [
        Event(
            UUID(int=n),
            "purchase",
            moment,
            moment,
            client_id=f"v{n}",
            order=Order(id=f"o{n}"),
            user_agent="Mozilla/5.0",
        )
        for n in range(1, 4)
    ]
    place = shared / "raw" / landing.event_key(CLOSED, uuid4())
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\n".join(map(contract.encode, events)))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the code as it stands."""
    return release(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[Site]:
    """A machine on an empty disk, bootstrapped."""
    folder = tmp_path_factory.mktemp("first")
    shared, signals = folder / "shared", folder / "signals"
    shared.mkdir()
    put_purchases(shared)
    with ExitStack() as ending:
        device = ending.enter_context(disk(folder, "disk"))
        booted = ending.enter_context(machine(folder / "machine", archive, device, shared=shared))
        waiting = subprocess.Popen(
            ["nsenter", "-t", str(booted.leader), "--net", "--", sys.executable, "-c", _WAITING, str(signals)]
        )
        ending.callback(waiting.wait)
        ending.callback(waiting.kill)
        said = booted.bootstrap(settings(device, WAIT_URL="http://127.0.0.1:8099/wait"))
        subprocess.run(
            [
                "nsenter",
                "-t",
                str(booted.leader),
                "--net",
                "ip",
                "address",
                "add",
                f"{FROM_THE_NETWORK}/32",
                "dev",
                "lo",
            ],
            check=True,
        )
        yield Site(booted, shared, device, said, signals)


def test_it_ends_with_every_service_up_and_says_so_to_cloudformation(first: Site) -> None:
    states = first.machine.bash(f"systemctl is-active {' '.join(f'clickstream-{unit}' for unit in UNITS)}").split()
    assert states == ["active"] * len(UNITS)
    assert first.machine.bash("systemctl --failed --no-legend").strip() == ""
    assert json.loads(first.machine.http("http://127.0.0.1:3000/server_info"))["dagster_webserver_version"]
    assert first.machine.http("http://127.0.0.1:3838/healthz").strip() == "ok"
    [signal] = first.signalled
    assert signal["body"] == {
        "Status": "SUCCESS",
        "Reason": "The machine is ready",
        "UniqueId": "bootstrap",
        "Data": first.machine.run("uname", "-n").strip(),
    }
    assert signal["type"] in (None, "")  # S3 computes the signature without one


def test_only_postgres_listens_to_the_network(first: Site) -> None:
    code = """
import pathlib
loopback = ("0100007F", "0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F")
for table in ("tcp", "tcp6"):
    for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
        place, _, state = line.split()[1:4]
        address, port = place.split(":")
        if state == "0A" and address not in loopback:
            print(int(port, 16))
"""
    assert set(first.machine.nearby(code).split()) == {"5432"}


def test_no_password_is_on_the_disk_but_in_its_store(first: Site) -> None:
    kept = first.machine.bash("cd /etc/clickstream/secrets; stat -c '%n %a %U' *").splitlines()
    assert kept == [f"{name}_password 600 root" for name in ("dagster", "loader", "reader")]
    passwords = first.machine.bash("cd /etc/clickstream/secrets; head -q -c 100 *")
    assert len(passwords) == 3 * 48
    for password in re.findall(".{48}", passwords):
        assert password not in first.said
        first.machine.fails(
            f"grep -rlF {password} /etc/clickstream/*.env /var/log /opt/clickstream/instance /var/lib/clickstream"
        )


def connect(site: Site, role: str, database: str, host: str = FROM_THE_NETWORK, ssl: str = "require") -> str:
    """As the Lambda comes, or a tunnel: what PostgreSQL says to a role, or `error: ...`."""
    code = """
import psycopg2, sys
role, database, host, ssl, password = sys.argv[1:]
try:
    link = psycopg2.connect(host=host, dbname=database, user=role, password=password, sslmode=ssl)
    cursor = link.cursor()
    cursor.execute("select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()")
    print(*cursor.fetchone())
except psycopg2.OperationalError as error:
    print("error:", str(error).splitlines()[0])
"""
    kept = site.machine.bash(
        f"cat /etc/clickstream/secrets/{role.removeprefix('clickstream_')}_password 2> /dev/null || true"
    )
    return site.machine.nearby(code, role, database, host, ssl, kept.strip() or "none").strip()


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("clickstream_loader", "clickstream_dw"),
        ("clickstream_reader", "clickstream_dw"),
        ("clickstream_dagster", "dagster"),
    ],
)
def test_a_role_comes_into_its_own_database_through_tls(first: Site, role: str, database: str) -> None:
    other = {"clickstream_dw": "dagster", "dagster": "clickstream_dw"}[database]
    assert connect(first, role, database) == f"{role} True"
    assert connect(first, role, database, host="127.0.0.1", ssl="disable") == f"{role} False"
    assert "no pg_hba.conf entry" in connect(first, role, database, ssl="disable")
    assert "no pg_hba.conf entry" in connect(first, role, other)


@pytest.mark.parametrize("role", ["postgres", "clickstream_transformer"])
@pytest.mark.parametrize("host", [FROM_THE_NETWORK, "127.0.0.1"])
def test_nobody_comes_from_elsewhere_as_the_owner(first: Site, role: str, host: str) -> None:
    assert "no pg_hba.conf entry" in connect(first, role, "clickstream_dw", host)


def test_a_password_is_exchanged_for_another(first: Site) -> None:
    kept = "/etc/clickstream/secrets/reader_password"
    before = first.machine.bash(f"cat {kept}")
    assert "clickstream_reader has a new password" in first.machine.bash(
        "/opt/clickstream/instance/rotate_passwords.sh clickstream_reader"
    )
    assert connect(first, "clickstream_reader", "clickstream_dw") == "clickstream_reader True"
    now = first.machine.bash(f"cat {kept}; printf '%s' {before} > {kept}")
    assert now != before
    assert "password authentication failed" in connect(first, "clickstream_reader", "clickstream_dw")
    first.machine.run("install", "-m", "600", "/dev/stdin", kept, stdin=now)


LAUNCH = """
mutation ($tags: [ExecutionTag!]!) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "clickstream", repositoryName: "__repository__", jobName: "hourly_clickstream"}
    runConfigData: {}, executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def loaded(first: Site) -> Site:
    """The machine, after a person has materialized the closed hour in the UI."""
    answer = first.machine.graphql(LAUNCH, tags=[{"key": "dagster/partition", "value": key_of(CLOSED)}])["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    for _ in range(120):
        status = first.machine.graphql(STATUS, id=answer["run"]["runId"])["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE"):
            break
        time.sleep(0.5)
    assert status == "SUCCESS", first.machine.bash(
        "journalctl -u clickstream-location -u clickstream-daemon -n 60 --no-pager"
    )
    return first


def test_an_hour_is_materialized_from_the_ui(loaded: Site) -> None:
    orders = loaded.machine.bash("clickstream sql --csv 'select order_id from fact_orders order by order_id'")
    assert orders.split()[1:] == ["o1", "o2", "o3"]
    books = loaded.machine.bash("clickstream sql --csv 'select received, loaded, difference from etl_ledger'")
    assert books.split()[1:] == ["3,3,0"]


def test_what_a_run_printed_is_kept(loaded: Site) -> None:
    assert loaded.machine.bash("find /var/lib/clickstream/dagster/compute_logs -name '*.err'").strip()


# A browser of this host, on the machine's network.
_LOOK = """
import sys
sys.path[:0] = sys.argv[1:3]
from dashboard_site import launch, settled, watched
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    browser = launch(playwright)
    page = browser.new_page()
    wrong = watched(page)
    page.goto("http://127.0.0.1:3838/sbw_dashboard/")
    settled(page)
    print(page.locator("[id='overview_today-today_orders'] .value-box-value").first.inner_text())
    print(page.locator(".card-problem").count(), wrong)
    browser.close()
"""


def test_the_dashboard_shows_that_hour(loaded: Site) -> None:
    tests = Path(__file__).resolve().parents[1]
    shown = loaded.machine.nearby(_LOOK, str(tests), str(tests / "dashboard")).splitlines()
    assert shown == ["3", "0 []"]


def test_the_machine_says_how_full_its_disk_is(loaded: Site) -> None:
    total = int(loaded.machine.bash("df -B1 --output=size /var/lib/clickstream | tail -n 1"))
    query = (
        "select disk_total_bytes, disk_free_percent between 1 and 99, now() - measured_at < make_interval(hours => 1),"
        " length(services_down) = 0"
    )
    row = loaded.machine.bash(f"clickstream sql --csv '{query} from machine_health order by hour desc'").split()[1]
    assert row.lower() == f"{total},true,true,true"


def test_the_machine_says_which_service_is_down(loaded: Site) -> None:
    query = "select coalesce(nullif(services_down, ''), 'none') from machine_health order by hour desc limit 1"
    last = f'clickstream sql --csv "{query}"'
    loaded.machine.bash("systemctl stop clickstream-dashboard && systemctl start clickstream-health.service")
    assert loaded.machine.bash(last).split()[1:] == ["dashboard"]
    loaded.machine.bash("systemctl start clickstream-dashboard && systemctl start clickstream-health.service")
    assert loaded.machine.bash(last).split()[1:] == ["none"]


def test_a_machine_of_another_size_gives_postgres_its_share(loaded: Site) -> None:
    """As after a change of WarehouseSize: the settings that stand are those of the size before."""
    asked = "runuser -u postgres -- psql -XAt -c 'show shared_buffers'"
    before = loaded.machine.bash(asked)
    conf = "/var/lib/clickstream/postgres/clickstream.conf"
    loaded.machine.bash(
        f"sed -i 's/^shared_buffers = .*/shared_buffers = 16MB/' {conf} && systemctl restart clickstream-postgres"
    )
    assert loaded.machine.bash(asked).strip() == "16MB"
    loaded.machine.bash("/release/bootstrap.sh")
    assert loaded.machine.bash(asked) == before


def test_the_services_leave_room_on_a_small_machine(loaded: Site) -> None:
    """After a run and a look at the dashboard. PostgreSQL's share is an eighth of the memory, and the system's is small."""
    units = " ".join(f"clickstream-{unit}" for unit in UNITS if unit != "postgres")
    script = f"for pid in $(systemctl show -p MainPID --value {units}); do awk '/VmHWM/ {{ print $2 }}' /proc/$pid/status; done"
    peaks = [int(kilobytes) // 1024 for kilobytes in loaded.machine.bash(script).split()]
    assert len(peaks) == 4
    assert sum(peaks) < 1_000


def test_a_run_of_it_again_changes_nothing(loaded: Site) -> None:
    state = """
        sha256sum /etc/clickstream/secrets/* /etc/clickstream/*.env /etc/fstab /etc/systemd/system/clickstream-*.service
        readlink /opt/clickstream/current
        runuser -u postgres -- psql -XAt -c 'select pg_postmaster_start_time()'
    """
    before, tables = loaded.machine.bash(state), loaded.machine.bash(_SUMS)
    loaded.machine.bash("/release/bootstrap.sh")
    assert loaded.machine.bash(state) == before
    after = loaded.machine.bash(_SUMS)
    assert changed(tables, after) <= BEATS
    assert {signal["body"]["Status"] for signal in loaded.signalled} == {"SUCCESS"}  # type: ignore[index]


def changed(one: str, other: str) -> set[str]:
    """Tables whose sums differ."""
    assert len(one.split()) > 80
    return {line.split()[0] for line in {*one.splitlines()} ^ {*other.splitlines()}}


def test_a_step_that_fails_is_named_to_cloudformation(loaded: Site) -> None:
    said = loaded.machine.fails(
        "sed 's|^DATABASE_CLIENTS=.*|DATABASE_CLIENTS=everybody|' /etc/clickstream/machine.env > /tmp/wrong.env;"
        " /release/bootstrap.sh /tmp/wrong.env"
    )
    assert "DATABASE_CLIENTS=everybody: give networks" in said
    assert loaded.signalled[-1]["body"]["Status"] == "FAILURE"  # type: ignore[index]
    assert "30_postgres" in loaded.signalled[-1]["body"]["Reason"]  # type: ignore[index]
    assert "everybody" not in loaded.machine.bash("cat /var/lib/clickstream/postgres/pg_hba.conf")


@pytest.fixture(scope="module")
def backed_up(loaded: Site) -> tuple[str, str]:
    """The backup's name, and the sums of the tables that it holds."""
    # Dagster's daemon writes a heartbeat every half minute.
    loaded.machine.bash(
        "systemctl stop clickstream-daemon clickstream-webserver clickstream-location clickstream-health.timer"
    )
    loaded.machine.bash("systemctl start clickstream-backup.service")
    sums = loaded.machine.bash(_SUMS)
    loaded.machine.bash(
        "systemctl start clickstream-location clickstream-webserver clickstream-daemon clickstream-health.timer"
    )
    [complete] = (loaded.shared / "backups").glob("*/complete")
    return complete.parent.name, sums


def test_a_backup_is_restored_into_another_machine_byte_for_byte(
    loaded: Site, backed_up: tuple[str, str], archive: Path, tmp_path: Path
) -> None:
    stamp, sums = backed_up
    with disk(tmp_path, "disk") as device, neighbour(loaded, tmp_path, archive, device) as other:
        other.bootstrap(settings(device))
        assert other.bash("/opt/clickstream/instance/restore.sh").splitlines()[-1] == f"restored {stamp}"
        assert changed(sums, other.bash(_SUMS)) <= BEATS
        assert other.bash("systemctl is-active clickstream-dashboard clickstream-daemon").split() == ["active"] * 2
        assert "holds events" in other.fails("/opt/clickstream/instance/restore.sh")


def test_a_new_machine_takes_over_the_disk(
    loaded: Site, backed_up: tuple[str, str], archive: Path, tmp_path: Path
) -> None:
    """From a copy that is made while PostgreSQL runs, as a snapshot of a volume is."""
    stamp, sums = backed_up
    loaded.machine.bash("fsfreeze --freeze /var/lib/clickstream")
    try:
        subprocess.run(
            ["dd", f"if={loaded.disk}", f"of={tmp_path / 'disk'}", "bs=4M", "conv=sparse", "status=none"], check=True
        )
    finally:
        loaded.machine.bash("fsfreeze --unfreeze /var/lib/clickstream")
    kept = loaded.machine.bash("cd /etc/clickstream/secrets; tail -n +1 *")
    with disk(tmp_path, "disk") as device, neighbour(loaded, tmp_path, archive, device) as other:
        for name in ("dagster", "loader", "reader"):
            password = loaded.machine.bash(f"cat /etc/clickstream/secrets/{name}_password")
            place = f"/etc/clickstream/secrets/{name}_password"
            other.run("install", "-D", "-m", "600", "/dev/stdin", place, stdin=password)
        said = other.bootstrap(settings(device))
        assert "holds data; used as it is" in said
        assert "a new password" not in said
        assert other.bash("cd /etc/clickstream/secrets; tail -n +1 *") == kept
        assert changed(sums, other.bash(_SUMS)) <= BEATS
        other.bash("runuser -u postgres -- psql -X -d clickstream_dw -c 'truncate fact_orders'")
        damaged = f"cd /srv/shared/backups; cp -a {stamp} damaged; echo >> damaged/dagster.dump"
        assert "not what was stored" in other.fails(
            f"{damaged}; /opt/clickstream/instance/restore.sh --replace damaged"
        )
        other.bash(f"/opt/clickstream/instance/restore.sh --replace {stamp}")
        assert changed(sums, other.bash(_SUMS)) <= BEATS


def test_a_disk_that_holds_something_else_is_not_formatted(loaded: Site, tmp_path: Path) -> None:
    with disk(tmp_path, "disk", megabytes=20) as device:
        subprocess.run(["mkfs.ext4", "-q", "-L", "photographs", device], check=True)
        before = subprocess.run(["blkid", "--probe", device], capture_output=True, text=True, check=True).stdout
        said = loaded.machine.fails(f"""
            INSTANCE=/release; DATA=/mnt/other; DATA_DEVICE={device}
            log() {{ echo "$@"; }}; fail() {{ log "$@"; exit 1; }}
            mknod {device} b 7 {device.removeprefix("/dev/loop")}
            . /release/steps/20_volume.sh
        """)
        assert "holds another filesystem (photographs)" in said
        assert subprocess.run(["blkid", "--probe", device], capture_output=True, text=True, check=True).stdout == before
