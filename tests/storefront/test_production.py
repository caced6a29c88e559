"""The shop with the settings that it has on AWS: what is made of Parameter Store, and TLS before it and before its database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from buyer import ANN, sign_up
from clickstream_dagster.cli import shop as command
from clickstream_dagster.local import node
from clickstream_dagster.local.storefront import building, database
from clickstream_dagster.settings import Postgres
from shop_site import free_port, wait_for
from support.aws import KEYS, REGION, client, moto_server
from support.programs import running
from support.tls import Certificate, certificate, tls
from test_signing_in import session_cookies

SCRIPT = building.STOREFRONT / "deploy" / "environment.sh"
#: What the build's machine has: AWS's own command line, as far as the script uses it.
AWS = f"""#!{sys.executable}
import boto3, sys
assert sys.argv[1:3] == ["ssm", "get-parameter"] and "--with-decryption" in sys.argv
name = sys.argv[sys.argv.index("--name") + 1]
print(boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
"""


@dataclass(frozen=True)
class Production:
    """A shop behind TLS, and what it was told."""

    url: str
    environment: str


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Parameter Store, and the folder of the command that reads it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    with moto_server() as url:
        yield url, folder


def environment(
    store: tuple[str, Path], secrets: dict[str, str], told: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """What the script says, run as Amplify's build runs it."""
    url, folder = store
    for name, value in secrets.items():
        kind = "String" if name.endswith("certificate") else "SecureString"
        client(url, "ssm").put_parameter(Name=f"/clickstream/prod/{name}", Value=value, Type=kind, Overwrite=True)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    aws = {**KEYS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": url, "PATH": path}
    return subprocess.run(["bash", str(SCRIPT)], env={**aws, **told}, capture_output=True, text=True)


TOLD = {
    "CLICKSTREAM_URL": "https://api.shop.example/clickstream",
    "SHOP_URL": "https://shop.example",
    "OPENID_ISSUER": "https://cognito-idp.eu-central-1.amazonaws.com/pool",
    "OPENID_CLIENT_ID": "shop",
    "SHOP_PARAMETERS": "/clickstream/prod",
    "OLTP_HOST": "203.0.113.7",
}


@pytest.mark.parametrize("missing", [*sorted(TOLD.keys() - {"OLTP_HOST"}), "a secret", "a database"])
def test_a_build_that_lacks_a_setting_stops(parameters: tuple[str, Path], missing: str) -> None:
    told = {name: value for name, value in TOLD.items() if name != missing}
    if missing == "a secret":
        told["SHOP_PARAMETERS"] = "/clickstream/another"
    if missing == "a database":
        told["OLTP_HOST"] = ""
    done = environment(parameters, {"shop/session_secret": "s" * 48}, told)
    assert done.returncode != 0
    assert done.stderr


@contextmanager
def production(
    server: Postgres, store: tuple[str, Path], folder: Path, shown: Certificate, believed: Certificate
) -> Iterator[Production]:
    """The shop, whose database shows one certificate and which believes in one."""
    ports = command.Ports(free_port(), free_port(), free_port())
    outside, database_port = free_port(), free_port()
    url = f"https://localhost:{outside}"
    secrets = {"shop/session_secret": "s" * 48, "oltp/shop_password": "none", "oltp/certificate": believed.text}
    told = {
        **TOLD,
        "SHOP_URL": url,
        "OPENID_ISSUER": ports.issuer,
        "CLICKSTREAM_URL": f"http://127.0.0.1:{ports.collector}/clickstream",
        "OLTP_HOST": "127.0.0.1",
    }
    done = environment(store, secrets, told)
    assert done.returncode == 0, done.stderr
    # The test's own database has another login, port and name; all else is as it was made.
    written = done.stdout.replace(
        "shop:none@127.0.0.1:5432/shop", f"{server.user}@127.0.0.1:{database_port}/{server.database}"
    )
    (folder / ".env.production").write_text(written)
    program = str(building.STOREFRONT / "node_modules" / "next" / "dist" / "bin" / "next")
    start = ["start", str(building.STOREFRONT), "-H", "127.0.0.1", "-p", str(ports.shop)]
    shop = [str(node.folder() / "node"), f"--env-file={folder / '.env.production'}", program, *start]
    provider = command.provider(ports)
    with ExitStack() as stack:
        stack.enter_context(tls(certificate(folder, "DNS:localhost"), outside, ports.shop))
        stack.enter_context(tls(shown, database_port, f"{server.host}/.s.PGSQL.{server.port}", postgres=True))
        for line, environ in ((shop, {}), (provider.command, {**provider.environ, "SHOP_URL": url})):
            stack.enter_context(running(line, environ))
        wait_for(ports.issuer + "/.well-known/openid-configuration")
        wait_for(f"http://127.0.0.1:{ports.shop}/icon.svg")
        yield Production(url, written)


@pytest.fixture(scope="module")
def shop_database(postgres: Postgres) -> Postgres:
    building.build(print)
    return database.prepare(postgres, "production")


@pytest.fixture
def secure(browser: Browser) -> Iterator[Page]:
    """A visitor whose browser takes the test's certificate."""
    context = browser.new_context(ignore_https_errors=True)
    yield context.new_page()
    context.close()


def test_signing_in_behind_tls(
    shop_database: Postgres, parameters: tuple[str, Path], tmp_path: Path, secure: Page
) -> None:
    own = certificate(tmp_path, "IP:127.0.0.1")
    with production(shop_database, parameters, tmp_path, own, own) as running:
        answer = secure.goto(running.url)
        assert answer and answer.headers["strict-transport-security"]
        secure.goto(f"{running.url}/auth/sign-in?return=/account")
        sign_up(secure, *ANN)
        expect(secure.get_by_role("heading", level=1)).to_have_text(f"Hello, {ANN[0]}")
        assert secure.url == f"{running.url}/account"
        cookies = {one["name"]: one for one in secure.context.cookies() if "shop_" in str(one["name"])}
        assert cookies.keys() == {"__Host-shop_session", "__Host-shop_refresh"}
        assert all(one["secure"] and one["httpOnly"] for one in cookies.values())
        assert session_cookies(secure.context) == {}
        secure.get_by_role("button", name="Sign out").click()
        expect(secure.get_by_role("link", name="Sign in")).to_be_visible()
        assert secure.url == running.url + "/"


def test_a_database_with_another_certificate_is_not_spoken_to(
    shop_database: Postgres, parameters: tuple[str, Path], tmp_path: Path, secure: Page
) -> None:
    """Whoever stands in between would get the password."""
    own, stranger = certificate(tmp_path, "IP:127.0.0.1"), certificate(tmp_path, "IP:127.0.0.2")
    with production(shop_database, parameters, tmp_path, stranger, own) as running:
        answer = secure.goto(running.url)
        assert answer and answer.status == 500
