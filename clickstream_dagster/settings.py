"""Every named constant and every environment variable of the pipeline, in one typed place.

The collector has its own `ingest_lambda.settings`, because it is deployed alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SESSION_GAP = timedelta(minutes=30)
FUNNEL_WINDOW = timedelta(days=7)
#: How much a touch loses with time: half as much as one that is this much later.
ATTRIBUTION_HALF_LIFE = timedelta(days=7)
#: So many touches of an order are credited, the newest: a client must not choose how many there are.
TOUCHES_LIMIT = 100
DEFAULT_FUNNEL_STEPS = ("view_product", "add_to_cart", "checkout", "purchase")
DEFAULT_FIRST_HOUR = datetime(2026, 1, 1, tzinfo=UTC)

#: One transaction of the loader holds at most this much; a killed run repeats no more than that.
BATCH_OBJECTS = 4_000
BATCH_BYTES = 16_000_000
#: What a packed object is taken to unpack to.
GZIP_RATIO = 8
#: An object that is larger waits in a file, not in memory, for its turn to be decoded.
HELD_OBJECT_BYTES = 1_000_000
#: What goes into one COPY: the memory of a load follows these, not the largest object.
COPY_LINES = 5_000
COPY_BYTES = 8_000_000
#: So many of these are made while PostgreSQL works: those of about one batch.
GROUPS_AHEAD = 4
#: How long a thread that decodes may keep the one waiting that talks to PostgreSQL.
TURN_SECONDS = 0.0005
#: A pack is closed when it has so many bytes, and unpacks by blocks of so many: one block is read for one of its objects.
PACK_BYTES = 64_000_000
PACK_BLOCK_BYTES = 1_000_000
#: An object that is taken to unpack to more is no small one and stays as it is; one that was taken for small and is not, from
#: the second number on.
PACKED_OBJECT_BYTES = 8_000_000
UNPACKED_OBJECT_BYTES = 32_000_000
#: So many lines expire in one transaction, with all that their objects hold: loads wait meanwhile.
EXPIRED_LINES = 5_000
#: A raw object and a rejected event are kept so many days at the least: until a late load, a pack that has been proved, and a fix
#: that the rejects wait for.
LEAST_RAW_DAYS = 14
#: A tracker sends again for so long, and so late may an event be that belongs to what is there.
LATE_EVENT_DAYS = 7
#: So many keys are compared with the manifest at once.
PAGE_KEYS = 5_000
#: An hour that was listed this long after its end has all that its collector wrote.
LISTING_GRACE = timedelta(hours=1)
#: More hours than this are looked for by one listing of the whole bucket, not hour by hour.
MAX_LISTED_HOURS = 31 * 24
#: Unseen hours that lie further apart than this are materialized in ranges of their own.
MAX_EMPTY_HOURS_IN_RANGE = 31 * 24
#: So many purchases and so many refunds of one order are read, and an order that more of them name is marked: no shop tells
#: of an order a hundred times, and a client must not choose how many of its old events the next hour reads.
ORDER_EVENTS_LIMIT = 100
#: Nor how many lines: once that many were read, no further event of the order is.
ORDER_LINES_LIMIT = 5_000
#: A cart with no purchase so long after its last add is abandoned; bought within the window from that add on, it is recovered;
#: and after so long without a step the next add begins another cart.
CART_LEFT_AFTER = timedelta(hours=24)
CART_RECOVERY_WINDOW = timedelta(days=7)
CART_LIFE = timedelta(days=30)
#: So many lines of the carts of a visitor, and of a person, are read: a client must not choose how long its history is.
CART_LINES_LIMIT = 2_000
#: So many events of one name are told of a session to funnels; only programs have more.
STEP_EVENTS_LIMIT = 1_000
#: Orders of a visitor count for an experiment so long after its first exposure. Without an end, the numbers of an experiment
#: that is over would never stand still.
EXPERIMENT_WINDOW = timedelta(days=30)
#: So many variants of all experiments are read of a visitor: a client must not choose how many there are.
VARIANTS_LIMIT = 100
READ_THREADS = 16
QUERY_TIMEOUT_SECONDS = 30
#: A transaction of the read-only role that is older has lifted its own limit, and is ended by the next tick.
READER_SECONDS = 300
#: A run of the tick that is older than this was killed: no Lambda lives longer than fifteen minutes.
DEFAULT_TICK_SECONDS = 960
#: How often the tick may come. Each is a whole part of an hour, so that every hour has its ticks at the same minutes.
TICK_MINUTES = (5, 10, 15, 20, 30, 60)
#: One statement of the loader may take so long; the tick's Lambda sets less than it lives. The longest by far is a rebuild
#: of everything, after an upgrade: minutes for ten million events.
DEFAULT_STATEMENT_SECONDS = 3_600
#: The loader waits so long for another run, which holds a lock for one batch or one table at a time.
LOCK_SECONDS = 600

#: The shop's database is asked for its orders: one step of the answer may take so long.
SHOP_STATEMENT_SECONDS = 60
#: A reading asks again from so long before the one before it: what the shop was about to commit then is seen now.
SHOP_OVERLAP = timedelta(hours=1)
#: Orders of so many days are judged by the check and by `clickstream status`.
RECONCILED_DAYS = 28

_WAREHOUSE = ("DW_PG_HOST", "DW_PG_PORT", "DW_PG_USER", "DW_PG_PASSWORD", "DW_PG_DATABASE", "DW_PG_SSL")
#: The shop's own database, and the login that reads its orders (infra_cfn/oltp/reader.sql).
SHOP_DATABASE, SHOP_READER = "shop", "shop_reader"
_SHOP = ("SHOP_PG_HOST", "SHOP_PG_PORT", "SHOP_PG_USER", "SHOP_PG_PASSWORD", "SHOP_PG_DATABASE", "SHOP_PG_SSL")

#: A login's variable -> the variable of its password, and the name of that password in Parameter Store.
_SECRETS = {
    "DW_PG_USER": ("DW_PG_PASSWORD", "loader_password"),
    "DW_PG_READER_USER": ("DW_PG_READER_PASSWORD", "reader_password"),
    "DAGSTER_PG_USER": ("DAGSTER_PG_PASSWORD", "dagster_password"),
    "SHOP_PG_USER": ("SHOP_PG_PASSWORD", "shop_reader_password"),
}
#: Read only where a report is sent: no hour waits for the password of a mail server.
_MAIL_SECRET = {"CLICKSTREAM_SMTP_USER": ("CLICKSTREAM_SMTP_PASSWORD", "smtp_password")}

#: Characters. Shorter ones can be guessed.
MIN_LOGIN_SECRET = 16

REPORT_KINDS = ("weekly", "monthly")
#: As every mail server takes it: ASCII, and nothing that a mail's header reads as more than one address.
_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+"

DAGSTER_LOCATION = "clickstream"
LOCAL_PORTS = {"gateway": 8787, "dagster": 3000, "dashboard": 3838, "shop": 3002, "sign_in": 3003}
DASHBOARD_PATH = "/sbw_dashboard/"
#: Processes of the dashboard, of some 150 MB each: the other cores are PostgreSQL's and Dagster's.
DASHBOARD_WORKERS = max(1, min(4, (os.cpu_count() or 1) // 2))


class SettingsError(ValueError):
    """An environment variable cannot be used; the message names it and says what it takes."""


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL login. `host` may be a directory: then it is a Unix socket."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    ssl: bool = False

    @property
    def dsn(self) -> str:
        """A libpq connection string."""
        parts = {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "sslmode": "require" if self.ssl else "prefer",
        }
        return " ".join(f"{key}='{_quoted(value)}'" for key, value in parts.items() if value)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


@dataclass(frozen=True)
class Settings:
    """What the environment says. `postgres` and `raw_bucket` are None on the embedded default."""

    home: Path
    raw_bucket: str | None
    postgres: Postgres | None
    reader: tuple[str, str] | None
    dagster_database: str
    #: Dagster's own login; None: the loader's.
    dagster_login: tuple[str, str] | None
    timezone: str
    currency: str
    funnel_steps: tuple[str, ...]
    #: A touch counts for an order that comes within so many days.
    attribution_days: int
    #: A channels.yml of the owner's; None: the one that came along.
    channels: Path | None
    #: A segments.yml of the owner's; None: the one that came along.
    segments: Path | None
    #: A funnels.yml of the owner's; None: the one that came along.
    funnels: Path | None
    shop_hosts: tuple[str, ...]
    payment_hosts: tuple[str, ...]
    first_hour: datetime
    lookback_hours: int
    max_owed_hours: int
    tick_seconds: int
    #: Minutes from one tick to the next. Below 60 the hour in progress is loaded too.
    tick_minutes: int
    #: Dagster's runs that ended longer ago are deleted; 0: none.
    run_retention_days: int
    #: Raw objects go when a pack has held them for so many days.
    pack_grace_days: int
    #: Raw objects, rejected events and events expire when they were received so many days ago; None: never.
    keep_raw_days: int | None
    keep_rejected_days: int | None
    keep_events_days: int | None
    #: Dagster writes the lake, each hour.
    lake: bool
    statement_seconds: int
    #: The shop's own database, whose orders are compared with those of events; None: not named (see `Stack.shop`).
    shop: Postgres | None
    #: The query of its orders for other tables than ours.
    shop_query: Path | None
    #: The check warns when fewer of a hundred orders of the shop arrived by events.
    arrived_percent: int

    @property
    def is_embedded(self) -> bool:
        """True when the warehouse is the PostgreSQL in `home`."""
        return self.postgres is None


@dataclass(frozen=True)
class Login:
    """Who is signed in, as a proxy before our servers says it: in `header`, believed only beside the `secret`.
    `users` may come in; with none listed, everyone whom the proxy lets through."""

    header: str
    secret: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class FrontSettings:
    """What our servers ask of a request: a name of theirs as its host, and, where one is set up, a login."""

    hosts: tuple[str, ...]
    login: Login | None


def load_front(environ: Mapping[str, str] | None = None) -> FrontSettings:
    """Read that part of the environment. Raises `SettingsError` for a value that cannot be used."""
    env = os.environ if environ is None else environ
    hosts = _names(env, "CLICKSTREAM_HOSTS", ())
    if unusable := [host for host in hosts if not re.fullmatch(r"[a-z0-9_.-]+|\[?[0-9a-f]*(:[0-9a-f.]*){2,}\]?", host)]:
        raise SettingsError(
            f"CLICKSTREAM_HOSTS takes names or addresses without scheme and port, such as analytics.shop.example; "
            f"{unusable[0]!r} is none."
        )
    return FrontSettings(hosts, _proxy_login(env))


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in. `security` is starttls, tls or none; without a user there is no login."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str


@dataclass(frozen=True)
class Reports:
    """Which reports are sent to whom: as mails to `recipients` by `server`, as text to `topic`, an SNS topic's ARN."""

    kinds: tuple[str, ...]
    recipients: tuple[str, ...]
    server: MailServer | None
    topic: str | None
    #: Where the owner opens the dashboard; reports and Dagster's tables link to it.
    dashboard: str | None

    @property
    def are_sent(self) -> bool:
        """True when there is somebody to send them to."""
        return bool(self.recipients or self.topic)


def load_reports(environ: Mapping[str, str] | None = None) -> Reports:
    """Read that part of the environment. Raises `SettingsError` for a value that cannot be used."""
    env = _with_secrets(os.environ if environ is None else environ, _MAIL_SECRET)
    recipients = _names(env, "CLICKSTREAM_REPORT_TO", ())
    if unusable := [address for address in recipients if not re.fullmatch(_ADDRESS, address)]:
        raise SettingsError(
            "CLICKSTREAM_REPORT_TO takes mail addresses in plain ASCII, comma-separated, such as owner@shop.example; "
            f"{unusable[0]!r} is none. A domain with other letters is written as xn--…"
        )
    kinds = _names(env, "CLICKSTREAM_REPORTS", REPORT_KINDS)
    if unknown := [kind for kind in kinds if kind not in REPORT_KINDS]:
        raise SettingsError(
            f"CLICKSTREAM_REPORTS takes weekly, monthly or both, comma-separated; {unknown[0]!r} is none."
        )
    topic = "CLICKSTREAM_REPORT_TOPIC"
    return Reports(
        kinds=kinds,
        recipients=recipients,
        server=_mail_server(env) if recipients else None,
        topic=_matching(env, topic, "", r"|arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]+:[\w-]+", "the ARN of an SNS topic")
        or None,
        dashboard=load_dashboard_url(env),
    )


def are_reports_wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Whether somebody is named to have them. Raises nothing: a wrong mail server must not keep hours from loading."""
    env = os.environ if environ is None else environ
    return bool(env.get("CLICKSTREAM_REPORT_TO") or env.get("CLICKSTREAM_REPORT_TOPIC"))


def load_dashboard_url(environ: Mapping[str, str] | None = None) -> str | None:
    """Where the owner opens the dashboard. Raises `SettingsError`."""
    env = os.environ if environ is None else environ
    pattern = r"|https?://[^\s\"<>?#]+"
    return (
        _matching(env, "CLICKSTREAM_DASHBOARD_URL", "", pattern, "an address such as https://numbers.shop.example")
        or None
    )


def _mail_server(env: Mapping[str, str]) -> MailServer:
    host, sender = env.get("CLICKSTREAM_SMTP_HOST") or "", env.get("CLICKSTREAM_REPORT_FROM") or ""
    if not host or not re.fullmatch(_ADDRESS, sender):
        raise SettingsError(
            "CLICKSTREAM_REPORT_TO needs CLICKSTREAM_SMTP_HOST, the server that takes mails, and CLICKSTREAM_REPORT_FROM, "
            "the address that they come from, in plain ASCII."
        )
    security = _matching(env, "CLICKSTREAM_SMTP_SECURITY", "starttls", "starttls|tls|none", "starttls, tls or none")
    user = env.get("CLICKSTREAM_SMTP_USER") or ""
    if user and security == "none":
        raise SettingsError(
            "CLICKSTREAM_SMTP_SECURITY=none would send CLICKSTREAM_SMTP_PASSWORD for anyone to read; use starttls or tls."
        )
    port = _whole_number(env, "CLICKSTREAM_SMTP_PORT", 465 if security == "tls" else 587)
    return MailServer(host, port, security, user, env.get("CLICKSTREAM_SMTP_PASSWORD") or "", sender)


@dataclass(frozen=True)
class SignIn:
    """Whose tokens say who a customer is: the OpenID provider's address, as its tokens name it, and the shop's id there."""

    issuer: str
    client: str


def load_sign_in(environ: Mapping[str, str] | None = None) -> SignIn | None:
    """Read that part of the environment. None: no token is believed. Raises `SettingsError` for half of it."""
    env = os.environ if environ is None else environ
    issuer, client = env.get("CLICKSTREAM_ISSUER") or "", env.get("CLICKSTREAM_SHOP_CLIENT") or ""
    if not issuer and not client:
        return None
    if not (issuer and client):
        raise SettingsError(
            "CLICKSTREAM_ISSUER and CLICKSTREAM_SHOP_CLIENT go together: the address of the OpenID provider, as its tokens "
            "name it in `iss`, and the shop's client id there."
        )
    issuer = _matching(
        env, "CLICKSTREAM_ISSUER", "", r"https?://[^\s?#]+", "an address such as https://sign-in.shop.example"
    )
    return SignIn(issuer, client)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises `SettingsError` for a value that cannot be used."""
    env = _with_secrets(os.environ if environ is None else environ, _SECRETS)
    home = Path(env.get("CLICKSTREAM_HOME") or ".clickstream").expanduser().absolute()
    attribution_days = int(
        _matching(env, "CLICKSTREAM_ATTRIBUTION_DAYS", "30", r"[1-9][0-9]{0,2}", "a number of days from 1 to 999")
    )
    lookback_hours = _whole_number(env, "CLICKSTREAM_LOOKBACK_HOURS", 48)
    pack_grace_days = int(
        _matching(env, "CLICKSTREAM_PACK_GRACE_DAYS", "7", "[0-9]{1,4}", "a number of days from 0 to 9999")
    )
    keep_raw_days, keep_rejected_days, keep_events_days = _kept_days(
        env, attribution_days, max(pack_grace_days, -(-lookback_hours // 24)) + 1
    )
    return Settings(
        home=home,
        raw_bucket=env.get("RAW_BUCKET_NAME") or None,
        postgres=_postgres(env, _WAREHOUSE, "postgres", "clickstream_dw"),
        reader=_login(env, "DW_PG_READER"),
        dagster_database=env.get("DAGSTER_PG_DATABASE") or "dagster",
        dagster_login=_login(env, "DAGSTER_PG"),
        timezone=_timezone(env.get("CLICKSTREAM_TIMEZONE") or "UTC"),
        currency=_matching(env, "CLICKSTREAM_CURRENCY", "USD", r"[A-Z]{3}", "an ISO 4217 code such as EUR"),
        funnel_steps=_funnel_steps(env),
        attribution_days=attribution_days,
        channels=Path(env["CLICKSTREAM_CHANNELS"]).expanduser() if env.get("CLICKSTREAM_CHANNELS") else None,
        segments=Path(env["CLICKSTREAM_SEGMENTS"]).expanduser() if env.get("CLICKSTREAM_SEGMENTS") else None,
        funnels=Path(env["CLICKSTREAM_FUNNELS"]).expanduser() if env.get("CLICKSTREAM_FUNNELS") else None,
        shop_hosts=_names(env, "CLICKSTREAM_SHOP_HOSTS", ()),
        payment_hosts=_names(env, "CLICKSTREAM_PAYMENT_HOSTS", ()),
        first_hour=_first_hour(env, home),
        lookback_hours=lookback_hours,
        max_owed_hours=_whole_number(env, "CLICKSTREAM_MAX_OWED_HOURS", 24),
        run_retention_days=_whole_number(env, "CLICKSTREAM_RUN_RETENTION_DAYS", 30),
        pack_grace_days=pack_grace_days,
        keep_raw_days=keep_raw_days,
        keep_rejected_days=keep_rejected_days,
        keep_events_days=keep_events_days,
        lake=_boolean(env, "CLICKSTREAM_LAKE"),
        tick_seconds=_whole_number(env, "CLICKSTREAM_TICK_SECONDS", DEFAULT_TICK_SECONDS),
        tick_minutes=int(
            _matching(
                env, "CLICKSTREAM_TICK_MINUTES", "60", "|".join(map(str, TICK_MINUTES)), "5, 10, 15, 20, 30 or 60"
            )
        ),
        statement_seconds=_whole_number(env, "CLICKSTREAM_STATEMENT_SECONDS", DEFAULT_STATEMENT_SECONDS),
        shop=_postgres(env, _SHOP, SHOP_READER, SHOP_DATABASE),
        shop_query=Path(env["CLICKSTREAM_SHOP_QUERY"]).expanduser() if env.get("CLICKSTREAM_SHOP_QUERY") else None,
        arrived_percent=int(
            _matching(env, "CLICKSTREAM_ARRIVED_PERCENT", "95", "[0-9]|[1-9][0-9]|100", "a whole number from 0 to 100")
        ),
    )


def first_hour_file(home: Path) -> Path:
    """Where the embedded default remembers that an import of older history moved the first hour back."""
    return home / "first_hour"


def _kept_days(
    env: Mapping[str, str], attribution_days: int, settled_days: int
) -> tuple[int | None, int | None, int | None]:
    """How many days raw objects, rejected events and events are kept: the first two no longer than events."""
    least_raw = max(LEAST_RAW_DAYS, settled_days)
    raw, rejected = (_days(env, f"CLICKSTREAM_KEEP_{name}_DAYS", least_raw) for name in ("RAW", "REJECTED"))
    windows = (timedelta(days=attribution_days), CART_LIFE + CART_RECOVERY_WINDOW, EXPERIMENT_WINDOW, FUNNEL_WINDOW)
    events = _days(env, "CLICKSTREAM_KEEP_EVENTS_DAYS", max(max(windows).days + LATE_EVENT_DAYS, least_raw))
    for name, days in (("RAW", raw), ("REJECTED", rejected)):
        if days and events and days > events:
            raise SettingsError(
                f"CLICKSTREAM_KEEP_{name}_DAYS={days} is longer than CLICKSTREAM_KEEP_EVENTS_DAYS={events}: an erasure finds a "
                "person's lines by the events, and could not find what is kept longer. Make it as short, or leave it empty."
            )
    return raw or events, rejected or events, events


def _days(env: Mapping[str, str], name: str, least: int) -> int | None:
    if not env.get(name):
        return None
    days = int(_matching(env, name, "", "[1-9][0-9]{0,4}", "a number of days"))
    if days < least:
        raise SettingsError(
            f"{name}={days} is too short; it takes {least} days or more with these settings, since late loads, packs, carts, "
            "experiments or attribution look back as far. Leave it empty to keep for ever."
        )
    return days


def _postgres(env: Mapping[str, str], names: tuple[str, ...], user: str, database: str) -> Postgres | None:
    """The login that these variables say, with these defaults; None without a host."""
    host, port, login, password, place, ssl = names
    if not env.get(host):
        return None
    return Postgres(
        host=env[host],
        port=_whole_number(env, port, 5432),
        user=env.get(login) or user,
        password=env.get(password) or "",
        database=env.get(place) or database,
        ssl=_boolean(env, ssl),
    )


def _login(env: Mapping[str, str], name: str) -> tuple[str, str] | None:
    user = env.get(f"{name}_USER")
    return (user, env.get(f"{name}_PASSWORD") or "") if user else None


def _proxy_login(env: Mapping[str, str]) -> Login | None:
    users, secret = _names(env, "CLICKSTREAM_LOGIN_USERS", ()), env.get("CLICKSTREAM_LOGIN_SECRET") or ""
    if not env.get("CLICKSTREAM_LOGIN_HEADER"):
        if users or secret:
            raise SettingsError(
                "CLICKSTREAM_LOGIN_USERS and CLICKSTREAM_LOGIN_SECRET ask nobody for a login without "
                "CLICKSTREAM_LOGIN_HEADER, the header in which the proxy says who is signed in."
            )
        return None
    header = _matching(env, "CLICKSTREAM_LOGIN_HEADER", "", r"[A-Za-z0-9-]+", "the name of a header")
    if len(secret) < MIN_LOGIN_SECRET:
        raise SettingsError(
            f"CLICKSTREAM_LOGIN_HEADER needs CLICKSTREAM_LOGIN_SECRET, {MIN_LOGIN_SECRET} characters or more, that the "
            "proxy sends along: without it anyone who reaches the port could write the header. Make one: openssl rand -hex 32"
        )
    return Login(header.lower(), secret, users)


def _with_secrets(env: Mapping[str, str], secrets: Mapping[str, tuple[str, str]]) -> Mapping[str, str]:
    """With `CLICKSTREAM_PARAMETERS`, a path in Parameter Store: the passwords of the logins that are named without one."""
    path = env.get("CLICKSTREAM_PARAMETERS")
    wanted = {
        password: parameter
        for user, (password, parameter) in secrets.items()
        if path and env.get(user) and not env.get(password)
    }
    if not path or not wanted:
        return env
    found = _parameters(tuple(f"{path.rstrip('/')}/{parameter}" for parameter in wanted.values()))
    return {**env, **dict(zip(wanted, found, strict=True))}


def forget_secrets() -> None:
    """Read them again when they are asked for next."""
    _parameters.cache_clear()


@cache
def _parameters(names: tuple[str, ...]) -> tuple[str, ...]:
    """Secrets from Parameter Store, once per process."""
    import boto3  # in Lambda's runtime and on the server; a laptop never comes here
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    # Where a security group or an endpoint is missing nothing answers: say so before the tick's time is up.
    patience = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3})
    try:
        answer = boto3.client("ssm", config=patience).get_parameters(Names=list(names), WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(
            f"Cannot read {', '.join(names)} from Parameter Store: {error}. This process needs the right "
            "ssm:GetParameters for them and, in a subnet without internet, the ssm interface endpoint."
        ) from error
    values = {str(one["Name"]): str(one["Value"]) for one in answer["Parameters"]}
    if missing := [name for name in names if name not in values]:
        raise SettingsError(
            f"Parameter Store has no {', '.join(missing)}. The warehouse machine writes them at its first boot: "
            "see whether that has ended well, and that CLICKSTREAM_PARAMETERS names its environment."
        )
    return tuple(values[name] for name in names)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            f"CLICKSTREAM_TIMEZONE={name!r} is not a time zone; use a name such as Europe/Berlin or UTC."
        ) from error
    return name


def _funnel_steps(env: Mapping[str, str]) -> tuple[str, ...]:
    steps = _names(env, "CLICKSTREAM_FUNNEL_STEPS", DEFAULT_FUNNEL_STEPS)
    are_names = all(re.fullmatch(r"[a-z][a-z0-9_.:-]{0,63}", step) for step in steps)
    if len(steps) < 2 or len(set(steps)) != len(steps) or not are_names:
        raise SettingsError(
            "CLICKSTREAM_FUNNEL_STEPS needs two or more different event names, in order, "
            "such as view_product,add_to_cart,purchase."
        )
    return steps


def _first_hour(env: Mapping[str, str], home: Path) -> datetime:
    text, origin = env.get("CLICKSTREAM_FIRST_HOUR"), "CLICKSTREAM_FIRST_HOUR"
    if not text and first_hour_file(home).exists():
        text, origin = first_hour_file(home).read_text().strip(), str(first_hour_file(home))
    if not text:
        return DEFAULT_FIRST_HOUR
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"{origin}={text!r} is not a time; use 2026-01-01T00:00Z.") from error
    return moment.replace(minute=0, second=0, microsecond=0)


def _names(env: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    text = env.get(name)
    return tuple(part.strip().lower() for part in text.split(",") if part.strip()) if text else default


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    return int(_matching(env, name, str(default), r"[0-9]{1,6}", "a whole number"))


def _boolean(env: Mapping[str, str], name: str) -> bool:
    return _matching(env, name, "false", r"(?i:true|false)", "true or false").lower() == "true"


def _matching(env: Mapping[str, str], name: str, default: str, pattern: str, wanted: str) -> str:
    value = env.get(name) or default
    if not re.fullmatch(pattern, value):
        raise SettingsError(f"{name}={value!r} cannot be used; it takes {wanted}.")
    return value
