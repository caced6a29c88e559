"""What the machines run at their first boot: UserData as CloudFormation renders it, and the shop's own database."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import psycopg2
import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import connect, transaction
from infra_cfn.commands.releases import oltp_archive
from support.templates import FOLDER, properties

RENDERED = {
    "AWS::Region": "eu-central-1",
    "Environment": "prod",
    "FirstBoot": "https://signals.example/put?X-Amz-Signature=a%2Fb&x='\"$HOME",
    "Volume": "vol-0123456789abcdef0",
    "Address.PublicIp": "203.0.113.7",
    "ArtifactsBucket": "artifacts",
}
#: Stands for AWS's own command on the machine: it prints the settings, and streams the release.
AWS = """#!/bin/bash
echo "$*" >> "$ASKED"
case $1 in
ssm) [ "$(wc -l < "$ASKED")" -gt "${REFUSED:-0}" ] && cat "$SETTINGS" ;;
s3) [ -z "${NO_RELEASE:-}" ] && cat "$ARCHIVE" ;;
esac
"""
BOOTSTRAP = """set -euo pipefail
set -a; . "$1"; set +a
printf '%s\\n' "$RAW_BUCKET_NAME" "$WAIT_URL" > "$TOLD"
"""


def user_data(name: str, machine: str) -> str:
    """As CloudFormation renders it."""
    template: str = properties(name, machine)["UserData"]["Fn::Base64"]["Fn::Sub"]
    put_in = re.sub(r"\$\{(?!!)([^}]+)\}", lambda found: RENDERED[found[1]], template)
    return re.sub(r"\$\{!([^}]+)\}", r"${\1}", put_in)


@pytest.mark.parametrize(("name", "machine"), [("warehouse", "WarehouseMachine"), ("oltp", "OltpMachine")])
def test_user_data_is_a_script_and_fits(name: str, machine: str) -> None:
    script = user_data(name, machine).replace(RENDERED["FirstBoot"], "https://signals.example/put")
    assert script.startswith("#!/bin/bash\n")
    assert len(script) < 16_000
    assert shellcheck(script) == ""


def shellcheck(script: str) -> str:
    program = Path(sys.executable).with_name("shellcheck")
    found = subprocess.run([program, "-s", "bash", "-e", "SC1090", "-"], input=script, capture_output=True, text=True)
    return found.stdout + found.stderr


def test_the_shop_s_database_is_set_up_by_a_script_that_shellcheck_does_not_mind() -> None:
    assert shellcheck((FOLDER / "oltp" / "bootstrap.sh").read_text()) == ""


def first_boot(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the warehouse's UserData with the machine's folders in `folder`; its curl and aws write down what they are told."""
    (folder / "bin").mkdir()
    for name, text in {
        "aws": AWS,
        "sleep": "#!/bin/bash\n",
        "curl": '#!/bin/bash\nprintf "%s\\n" "$@" >> "$SIGNALS"\n',
    }.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    settings = properties("warehouse", "MachineSettings")["Value"]["Fn::Sub"]
    (folder / "settings").write_text(
        re.sub(r"\$\{(\w+:*\w*)\}", lambda found: found[1].split(":")[-1].lower(), settings)
    )
    (folder / "bootstrap.sh").write_text(BOOTSTRAP)
    with tarfile.open(folder / "instance.tar.gz", "w:gz") as archive:
        archive.add(folder / "bootstrap.sh", "bootstrap.sh")
    script = user_data("warehouse", "WarehouseMachine").replace(
        RENDERED["FirstBoot"], "https://signals.example/put?a=b%2Fc&d"
    )
    for place in ("/etc/clickstream", "/usr/local/sbin"):
        script = script.replace(place, str(folder / place.replace("/", "_")))
    (folder / "_usr_local_sbin").mkdir()
    named = {
        "ASKED": "asked", "SIGNALS": "signals", "SETTINGS": "settings", "ARCHIVE": "instance.tar.gz", "TOLD": "told"
    }  # fmt: skip
    path = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    files = {name: str(folder / file) for name, file in named.items()}
    return subprocess.run(
        ["bash"], input=script, env={**path, **files, **environ}, capture_output=True, text=True, timeout=30
    )


def test_the_first_boot_fetches_the_release_and_hands_over(tmp_path: Path) -> None:
    done = first_boot(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text().splitlines() == ["rawbucket", "https://signals.example/put?a=b%2Fc&d"]
    assert "s3://artifactsbucket/releases/release/instance.tar.gz" in (tmp_path / "asked").read_text()
    assert not (tmp_path / "signals").exists()  # bootstrap.sh speaks for itself
    assert stat.S_IMODE((tmp_path / "_etc_clickstream" / "machine.env").stat().st_mode) == 0o600


def test_a_role_that_is_not_known_yet_is_waited_for(tmp_path: Path) -> None:
    assert first_boot(tmp_path, REFUSED="2").returncode == 0
    assert (tmp_path / "asked").read_text().count("get-parameter") == 3
    assert (tmp_path / "told").exists() and not (tmp_path / "signals").exists()


def test_settings_that_never_come_are_told(tmp_path: Path) -> None:
    first_boot(tmp_path, REFUSED="99")
    assert (tmp_path / "asked").read_text().count("get-parameter") == 5
    assert '"Status":"FAILURE"' in (tmp_path / "signals").read_text()


def test_a_later_release_waits_for_nobody(tmp_path: Path) -> None:
    assert first_boot(tmp_path).returncode == 0
    named = {"SETTINGS": "settings", "ARCHIVE": "instance.tar.gz", "TOLD": "told", "ASKED": "asked"}
    environ = {name: str(tmp_path / file) for name, file in named.items()}
    command = str(tmp_path / "_usr_local_sbin" / "clickstream-release")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run([command], env={"PATH": path, **environ}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text().splitlines() == ["rawbucket", ""]


def test_a_release_that_cannot_be_fetched_is_told_at_once(tmp_path: Path) -> None:
    first_boot(tmp_path, NO_RELEASE="1")
    signal = (tmp_path / "signals").read_text()
    assert '"Status":"FAILURE"' in signal and "https://signals.example/put?a=b%2Fc&d" in signal
    assert not (tmp_path / "told").exists()


def test_the_archive_of_the_shop_s_database_is_the_same_each_time(tmp_path: Path) -> None:
    assert oltp_archive() == oltp_archive()
    (tmp_path / "oltp.tar.gz").write_bytes(oltp_archive())
    with tarfile.open(tmp_path / "oltp.tar.gz") as archive:
        assert {entry.name for entry in archive} == {
            *("bootstrap.sh", "schema.sql", "reader.sql", "postgresql.conf", "pg_hba.conf")
        }
        assert archive.getmember("bootstrap.sh").mode == 0o755


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """A PostgreSQL with the shop's tables, made twice: a machine that comes again runs it again."""
    connection = connect(stack.server)
    connection.autocommit = True
    for _ in range(2):
        connection.cursor().execute((FOLDER / "oltp" / "schema.sql").read_text())
    connection.close()
    return stack


ORDER = """
insert into users (user_id, email) values ('00000000-0000-0000-0000-000000000001', 'Ann@shop.example');
insert into products (product_id, name, category, price) values ('sku-1', 'Laptop', 'Computers', 1200);
insert into inventory (product_id, quantity) values ('sku-1', 1);
insert into orders (order_id, user_id, total)
    values ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000001', 1200);
insert into order_items values ('00000000-0000-0000-0000-00000000000a', 'sku-1', 1, 1200);
update inventory set quantity = quantity - 1 where product_id = 'sku-1';
"""


def test_an_order_is_written_and_read(shop: Stack) -> None:
    connection = connect(shop.server)
    with transaction(connection) as cursor:
        cursor.execute(ORDER)
        cursor.execute("""
            select lower(users.email), order_items.quantity * order_items.unit_price = orders.total, inventory.quantity
            from orders join users using (user_id) join order_items using (order_id) join inventory using (product_id)
            """)
        assert cursor.fetchall() == [("ann@shop.example", True, 0)]
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "update inventory set quantity = quantity - 1 where product_id = 'sku-1'",
        "insert into users (email) values ('ann@SHOP.example')",
        "insert into orders (total, status) values (1, 'lost')",
        "insert into order_items values ('00000000-0000-0000-0000-00000000000a', 'sku-2', 1, 1)",
        "delete from products where product_id = 'sku-1'",
        "update products set discount_price = 1300 where product_id = 'sku-1'",
    ],
)
def test_what_cannot_be_true_is_refused(shop: Stack, statement: str) -> None:
    connection = connect(shop.server)
    with transaction(connection) as cursor:
        cursor.execute(ORDER)
    with pytest.raises(psycopg2.IntegrityError), transaction(connection) as cursor:
        cursor.execute(statement)
    connection.close()
