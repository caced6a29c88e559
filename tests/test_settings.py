"""The environment: what it may say, and the sentence for what it may not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from clickstream_dagster.settings import (
    DEFAULT_FIRST_HOUR,
    MailServer,
    Postgres,
    SettingsError,
    SignIn,
    are_reports_wanted,
    first_hour_file,
    forget_secrets,
    load_front,
    load_reports,
    load_settings,
    load_sign_in,
)

BAD = {
    "CLICKSTREAM_TIMEZONE": ["Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "UTC+1 ", "\x01"],
    "CLICKSTREAM_CURRENCY": ["eur", "EURO", "€", "EU R"],
    "CLICKSTREAM_FUNNEL_STEPS": ["purchase", "a,a", ",", "view product,purchase", "1st,2nd"],
    "CLICKSTREAM_ATTRIBUTION_DAYS": ["a month", "0", "-1", "1.5", "1000"],
    "CLICKSTREAM_FIRST_HOUR": ["yesterday", "2025-13-01", "01.12.2025", "0001-01-01T00:00+05:00"],
    "CLICKSTREAM_LOOKBACK_HOURS": ["two", "-1", "1.5", "10000000", "٣"],
    "CLICKSTREAM_MAX_OWED_HOURS": ["many", "-1"],
    "CLICKSTREAM_STATEMENT_SECONDS": ["long", "-1"],
    "CLICKSTREAM_TICK_MINUTES": ["0", "7", "05", "five", "120", "-5"],
    "CLICKSTREAM_RUN_RETENTION_DAYS": ["a month", "-1"],
    "CLICKSTREAM_PACK_GRACE_DAYS": ["a week", "-1"],
    "CLICKSTREAM_KEEP_EVENTS_DAYS": ["a year", "0", "-1", "43"],
    "CLICKSTREAM_KEEP_RAW_DAYS": ["13", "1.5"],
    "CLICKSTREAM_KEEP_REJECTED_DAYS": ["13", "all"],
}
BAD_SERVER = {"DW_PG_PORT": ["five", "-5432", "54 32", "5432/tcp"], "DW_PG_SSL": ["yes", "1", "require"]}


def _pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), _pairs(BAD) + _pairs(BAD_SERVER))
def test_a_value_that_cannot_be_used_is_named_with_what_it_takes(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"CLICKSTREAM_HOME": str(tmp_path), "DW_PG_HOST": "db", name: value})
    message = str(refused.value)
    assert message.startswith(name)
    assert any(word in message for word in ("use ", "needs ", "it takes "))
    assert "\n" not in message


def test_with_nothing_set_it_is_the_embedded_default(tmp_path: Path) -> None:
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path)})
    assert settings.is_embedded
    assert settings.raw_bucket is None
    assert settings.first_hour == DEFAULT_FIRST_HOUR
    assert (settings.timezone, settings.currency, settings.reader) == ("UTC", "USD", None)


def test_empty_means_not_set(tmp_path: Path) -> None:
    names = [*BAD, *BAD_SERVER, "DW_PG_HOST", "RAW_BUCKET_NAME", "DW_PG_READER_USER", "CLICKSTREAM_SHOP_HOSTS"]
    empty = load_settings({"CLICKSTREAM_HOME": str(tmp_path), **dict.fromkeys(names, "")})
    assert empty == load_settings({"CLICKSTREAM_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2025-12-01T00:00Z", datetime(2025, 12, 1, tzinfo=UTC)),
        ("2025-12-01", datetime(2025, 12, 1, tzinfo=UTC)),
        ("2025-12-01T05:30", datetime(2025, 12, 1, 5, tzinfo=UTC)),
        ("2025-12-01T05:30+07:00", datetime(2025, 11, 30, 22, tzinfo=UTC)),
    ],
)
def test_the_first_hour_is_floored_and_utc_unless_it_says_otherwise(tmp_path: Path, text: str, hour: datetime) -> None:
    assert load_settings({"CLICKSTREAM_HOME": str(tmp_path), "CLICKSTREAM_FIRST_HOUR": text}).first_hour == hour


def test_an_import_s_first_hour_is_remembered_and_the_environment_wins_over_it(tmp_path: Path) -> None:
    first_hour_file(tmp_path).write_text("2019-10-01T00:00:00+00:00\n")
    home = {"CLICKSTREAM_HOME": str(tmp_path)}
    assert load_settings(home).first_hour == datetime(2019, 10, 1, tzinfo=UTC)
    assert load_settings({**home, "CLICKSTREAM_FIRST_HOUR": "2020-01-01"}).first_hour == datetime(
        2020, 1, 1, tzinfo=UTC
    )


def test_a_broken_memory_of_the_first_hour_names_its_file(tmp_path: Path) -> None:
    first_hour_file(tmp_path).write_text("soon")
    with pytest.raises(SettingsError, match="first_hour='soon' is not a time"):
        load_settings({"CLICKSTREAM_HOME": str(tmp_path)})


def test_lists_are_split_trimmed_and_lower_case(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "CLICKSTREAM_HOME": str(tmp_path),
            "CLICKSTREAM_SHOP_HOSTS": " Shop.Example , ,m.shop.example",
            "CLICKSTREAM_FUNNEL_STEPS": "View_Product, purchase",
        }
    )
    assert settings.shop_hosts == ("shop.example", "m.shop.example")
    assert settings.funnel_steps == ("view_product", "purchase")


@pytest.mark.parametrize(("text", "is_on"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_a_flag_is_true_or_false_in_any_case(tmp_path: Path, text: str, is_on: bool) -> None:
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path), "DW_PG_HOST": "db", "DW_PG_SSL": text})
    assert settings.postgres
    assert settings.postgres.ssl is is_on


@pytest.mark.parametrize("password", ["plain", "two words", "it's", "back\\slash", "'; host='evil", "pässwörd", "="])
def test_any_password_reaches_postgresql_as_it_was_written(password: str) -> None:
    dsn = Postgres("db", 5432, "loader", password, "clickstream_dw").dsn
    assert parse_dsn(dsn) | {"sslmode": ""} == {
        "host": "db",
        "port": "5432",
        "user": "loader",
        "password": password,
        "dbname": "clickstream_dw",
        "sslmode": "",
    }


def test_a_home_is_absolute_whatever_folder_a_process_starts_in() -> None:
    assert load_settings({"CLICKSTREAM_HOME": "here"}).home == Path("here").absolute()
    assert load_settings({"CLICKSTREAM_HOME": "~/here"}).home == Path.home() / "here"


@pytest.fixture
def parameter_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing answers where Parameter Store should be: who asks it, fails."""
    forget_secrets()
    for name, text in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, text)
    yield
    forget_secrets()


SERVER = {
    "DW_PG_HOST": "db",
    "DW_PG_USER": "clickstream_loader",
    "CLICKSTREAM_PARAMETERS": "/clickstream/prod/warehouse/",
}


def test_parameter_store_that_does_not_answer_says_what_is_missing(tmp_path: Path, parameter_store: None) -> None:
    started = time.monotonic()
    with pytest.raises(SettingsError, match="ssm interface endpoint") as raised:
        load_settings({"CLICKSTREAM_HOME": str(tmp_path), **SERVER})
    assert "/clickstream/prod/warehouse/loader_password" in str(raised.value)
    assert time.monotonic() - started < 20


def test_a_password_in_the_environment_wins_and_nobody_is_asked(tmp_path: Path, parameter_store: None) -> None:
    dagster = {"DAGSTER_PG_USER": "clickstream_dagster", "DAGSTER_PG_PASSWORD": "two"}
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path), **SERVER, **dagster, "DW_PG_PASSWORD": "one"})
    assert settings.postgres
    assert settings.postgres.password == "one"
    assert settings.dagster_login == ("clickstream_dagster", "two")


def test_without_a_login_there_is_no_secret_to_ask_for(tmp_path: Path, parameter_store: None) -> None:
    settings = load_settings(
        {"CLICKSTREAM_HOME": str(tmp_path), "CLICKSTREAM_PARAMETERS": "/clickstream/prod/warehouse/"}
    )
    assert (settings.is_embedded, settings.dagster_login) == (True, None)


SECRET = "a secret of the proxy's and ours"


def test_the_front_without_settings_knows_no_names_and_no_login() -> None:
    front = load_front({})
    assert (front.hosts, front.login) == ((), None)


def test_the_front_s_hosts_and_login_are_read() -> None:
    front = load_front(
        {
            "CLICKSTREAM_HOSTS": "Analytics.shop.example, 192.0.2.1,::1",
            "CLICKSTREAM_LOGIN_HEADER": "X-Forwarded-Email",
            "CLICKSTREAM_LOGIN_SECRET": SECRET,
            "CLICKSTREAM_LOGIN_USERS": "Ann@shop.example,bob@shop.example",
        }
    )
    assert front.hosts == ("analytics.shop.example", "192.0.2.1", "::1")
    assert front.login is not None
    assert (front.login.header, front.login.secret) == ("x-forwarded-email", SECRET)
    assert front.login.users == ("ann@shop.example", "bob@shop.example")


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"CLICKSTREAM_HOSTS": "https://shop.example"}, "without scheme and port"),
        ({"CLICKSTREAM_HOSTS": "shop.example:443"}, "without scheme and port"),
        ({"CLICKSTREAM_HOSTS": "192.0.2.1:443"}, "without scheme and port"),
        ({"CLICKSTREAM_HOSTS": "*"}, "without scheme and port"),
        ({"CLICKSTREAM_LOGIN_HEADER": "x-user"}, "openssl rand -hex 32"),
        ({"CLICKSTREAM_LOGIN_HEADER": "x-user", "CLICKSTREAM_LOGIN_SECRET": "short"}, "16 characters or more"),
        ({"CLICKSTREAM_LOGIN_HEADER": "x user", "CLICKSTREAM_LOGIN_SECRET": SECRET}, "the name of a header"),
        ({"CLICKSTREAM_LOGIN_USERS": "ann"}, "without CLICKSTREAM_LOGIN_HEADER"),
        ({"CLICKSTREAM_LOGIN_SECRET": SECRET}, "without CLICKSTREAM_LOGIN_HEADER"),
    ],
)
def test_a_front_that_would_not_do_what_was_meant_is_refused(environ: dict[str, str], wanted: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(wanted)):
        load_front(environ)


def test_whose_tokens_are_believed() -> None:
    assert load_sign_in({}) is None
    assert load_sign_in({"CLICKSTREAM_ISSUER": "https://a.example/x", "CLICKSTREAM_SHOP_CLIENT": "shop"}) == SignIn(
        "https://a.example/x", "shop"
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"CLICKSTREAM_ISSUER": "https://a.example"},
        {"CLICKSTREAM_SHOP_CLIENT": "shop"},
        {"CLICKSTREAM_ISSUER": "a.example", "CLICKSTREAM_SHOP_CLIENT": "shop"},
        {"CLICKSTREAM_ISSUER": "https://a.example?x", "CLICKSTREAM_SHOP_CLIENT": "shop"},
    ],
)
def test_half_a_sign_in_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CLICKSTREAM_ISSUER"):
        load_sign_in(environ)


REPORTS = {
    "CLICKSTREAM_REPORT_TO": "Ann@shop.example, bob@shop.example",
    "CLICKSTREAM_REPORT_FROM": "reports@shop.example",
    "CLICKSTREAM_SMTP_HOST": "mail.shop.example",
    "CLICKSTREAM_SMTP_USER": "reports",
    "CLICKSTREAM_SMTP_PASSWORD": "s3cr3t-word",
    "CLICKSTREAM_DASHBOARD_URL": "https://numbers.shop.example/sbw_dashboard/",
}


def test_reports_go_to_nobody_unless_an_address_is_set() -> None:
    assert not load_reports({}).are_sent
    reports = load_reports(REPORTS)
    assert reports.are_sent
    assert reports.recipients == ("ann@shop.example", "bob@shop.example")
    assert reports.server == MailServer(
        "mail.shop.example", 587, "starttls", "reports", "s3cr3t-word", "reports@shop.example"
    )
    assert "s3cr3t-word" not in repr(reports)
    assert load_reports({"CLICKSTREAM_REPORT_TOPIC": "arn:aws:sns:eu-central-1:123456789012:reports"}).are_sent


def test_a_mail_server_that_is_set_wrong_keeps_no_hour_from_loading() -> None:
    assert are_reports_wanted({"CLICKSTREAM_REPORT_TO": "owner@shop.example"})
    assert not are_reports_wanted({})
    load_settings({"CLICKSTREAM_PARAMETERS": "/none", "CLICKSTREAM_SMTP_USER": "reports"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLICKSTREAM_REPORT_TO", "ann"),
        ("CLICKSTREAM_REPORT_TO", "ann@shop.example\nBcc: all@shop.example"),
        ("CLICKSTREAM_REPORT_TO", "ann@shop.example,jürgen@shop.example"),
        ("CLICKSTREAM_REPORT_TO", "team:ann@shop.example;"),
        ("CLICKSTREAM_REPORT_FROM", ""),
        ("CLICKSTREAM_REPORT_FROM", "reports@bücher.example"),
        ("CLICKSTREAM_REPORTS", "daily"),
        ("CLICKSTREAM_REPORT_TOPIC", "reports"),
        ("CLICKSTREAM_SMTP_HOST", ""),
        ("CLICKSTREAM_SMTP_PORT", "smtp"),
        ("CLICKSTREAM_SMTP_SECURITY", "none"),
        ("CLICKSTREAM_SMTP_SECURITY", "ssl"),
        ("CLICKSTREAM_DASHBOARD_URL", "javascript:alert(1)"),
    ],
)
def test_reports_that_could_not_be_sent_are_refused_in_words(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_reports({**REPORTS, name: value})
