"""Every constant and every environment variable of the collector, in one typed place."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from obstore.store import ObjectStore

#: The body as it came over the wire, after base64.
MAX_BODY_BYTES = 1_000_000
#: The body after gzip.
MAX_DECOMPRESSED_BYTES = 4_000_000
MAX_EVENTS = 500
MAX_EVENT_BYTES = 65_536
MAX_DEPTH = 20
#: What is kept of a rejected body, as it is stored: that of one event.
MAX_REJECT_BYTES = MAX_EVENT_BYTES
#: A gzip body may unpack to this many times its size, and to MIN_BOMB_BYTES whatever its size. Batches of events unpack to
#: 6 to 27 times theirs, 500 that are equal to 160 times (measured), and the emptiest text to 1,000 times.
MAX_GZIP_RATIO = 200
MIN_BOMB_BYTES = 1_000_000
#: A body has one gzip member, or one for each part that a sender packed by itself. Each costs a copy of what follows it.
MAX_GZIP_MEMBERS = 100

#: A client clock that is off by no more than this is believed.
CLOCK_SKEW_BOUND = timedelta(minutes=10)
#: A year and a day: an event older than this, seen from its receipt, has a broken clock.
MAX_EVENT_AGE = timedelta(days=366)

#: A put that fails is tried again inside this budget, then the browser is told to keep its events. One put ends
#: within STORE_RETRY_FOR + STORE_TIMEOUT; API Gateway itself waits 30 seconds.
STORE_TIMEOUT = timedelta(seconds=3)
STORE_CONNECT_TIMEOUT = timedelta(seconds=2)
STORE_RETRY_FOR = timedelta(seconds=4)
STORE_MAX_RETRIES = 2
#: Nobody waits for the loader, and objects may be large: it goes on as long as bytes come, and waits for a bad moment to pass.
READ_SILENCE = timedelta(seconds=10)
READ_TIMEOUT = timedelta(minutes=30)
READ_RETRY_FOR = timedelta(seconds=30)
READ_MAX_RETRIES = 5
#: What a client is told to wait after a 503.
RETRY_AFTER_SECONDS = 30


def raw_bucket_name() -> str:
    """`RAW_BUCKET_NAME`: a bucket, or a URL such as `file:///var/raw`, `memory:///` or `s3://bucket/prefix`."""
    name = os.environ.get("RAW_BUCKET_NAME", "").strip()
    if not name:
        raise RuntimeError("RAW_BUCKET_NAME is not set: name the raw bucket, or a folder as file:///path")
    return name


class SecretUnavailable(RuntimeError):
    """A secret is named and cannot be read. Nothing may be stored without it: the client is told to send again."""


def hash_salt() -> str:
    """`CLICKSTREAM_HASH_SALT`: the secret by which ids that are e-mail addresses are hashed. Empty: they go.

    Or `CLICKSTREAM_HASH_SALT_PARAMETER`, its name in Parameter Store: read when the first such id comes, which most
    requests do not have, so that a cold start does not pay for it.
    """
    return os.environ.get("CLICKSTREAM_HASH_SALT", "") or _secret("CLICKSTREAM_HASH_SALT_PARAMETER")


def origin_secret() -> str:
    """`CLICKSTREAM_ORIGIN_SECRET_PARAMETER`: names what CloudFront sends along, where all requests must come through
    CloudFront. Empty: they may come from anywhere."""
    return _secret("CLICKSTREAM_ORIGIN_SECRET_PARAMETER")


def _secret(variable: str) -> str:
    name = os.environ.get(variable, "")
    return _parameter(name) if name else ""


@cache
def _parameter(name: str) -> str:
    """A SecureString of Parameter Store, once per process. A failure is not kept: the next request tries again."""
    import boto3  # in Lambda's runtime; slow to import, hence only here
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
    try:
        answer = boto3.client("ssm", config=patience).get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise SecretUnavailable(f"cannot read {name} from Parameter Store: {error}") from error
    return str(answer["Parameter"]["Value"])


def allowed_origins() -> frozenset[str]:
    """`CLICKSTREAM_ALLOWED_ORIGINS`: the sites that may send, comma-separated. Empty: any site may."""
    listed = os.environ.get("CLICKSTREAM_ALLOWED_ORIGINS", "").split(",")
    return frozenset(origin.strip().rstrip("/") for origin in listed if origin.strip())


def hosts() -> tuple[str, ...]:
    """`CLICKSTREAM_HOSTS`: the names, besides loopback, under which our servers are reached, comma-separated."""
    listed = os.environ.get("CLICKSTREAM_HOSTS", "").split(",")
    return tuple(name.strip() for name in listed if name.strip())


def metrics_namespace() -> str:
    """`CLICKSTREAM_METRICS_NAMESPACE`: where CloudWatch keeps our numbers; another one for each installation in an account."""
    return os.environ.get("CLICKSTREAM_METRICS_NAMESPACE") or "Clickstream"


_ADDRESS = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?")


class BadAddress(ValueError):
    """An address that nothing can be sent to; the message says what one looks like."""


def canary_url() -> str:
    """`CLICKSTREAM_CANARY_URL`: where a test visit is sent each hour. Empty: none is."""
    url = os.environ.get("CLICKSTREAM_CANARY_URL", "").strip()
    return web_address("CLICKSTREAM_CANARY_URL", url) if url else ""


def web_address(what: str, url: str) -> str:
    """The address. Raises `BadAddress` for what is none of http or https."""
    if not _ADDRESS.fullmatch(url):
        raise BadAddress(f"{what} takes an address such as https://collect.shop.example/clickstream; {url!r} is none.")
    return url


def tick_dead_letters() -> str:
    """`CLICKSTREAM_TICK_DEAD_LETTERS`: the queue of the ticks that failed for good, by its name. Empty: there is none."""
    return os.environ.get("CLICKSTREAM_TICK_DEAD_LETTERS", "").strip()


class Watched(NamedTuple):
    """What the scheduled function asks CloudWatch about, by AWS's own names."""

    api: str
    functions: dict[str, str]
    queues: tuple[str, ...]


def watched() -> Watched:
    """`CLICKSTREAM_API_ID`, `CLICKSTREAM_INGEST_FUNCTION`, `CLICKSTREAM_ETL_FUNCTION`, and `CLICKSTREAM_DEAD_LETTER_QUEUES`,
    comma-separated. A KeyError names the one that is not set: the stack sets them all."""
    env = os.environ
    functions = {"ingest": env["CLICKSTREAM_INGEST_FUNCTION"], "etl": env["CLICKSTREAM_ETL_FUNCTION"]}
    queues = (queue.strip() for queue in env["CLICKSTREAM_DEAD_LETTER_QUEUES"].split(","))
    return Watched(env["CLICKSTREAM_API_ID"], functions, tuple(filter(None, queues)))


def open_store(name: str, *, is_patient: bool = False) -> ObjectStore:
    """The raw bucket. A laptop's folder and S3 answer to the same calls. Patient is whom no browser waits for.

    Credentials, region and endpoint come from the usual AWS_* variables. An emulator's plain-http endpoint is
    allowed only because it was named.
    """
    from obstore.store import MemoryStore, S3Store

    if name.startswith("memory:"):
        return MemoryStore()
    if name.startswith("file://"):
        from urllib.parse import unquote

        from ingest_lambda.folder import FolderStore

        return FolderStore(unquote(name.removeprefix("file://")))
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    return S3Store.from_url(
        name if "://" in name else f"s3://{name}",
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "timeout": READ_TIMEOUT if is_patient else STORE_TIMEOUT,
            "read_timeout": READ_SILENCE if is_patient else STORE_TIMEOUT,
            "connect_timeout": STORE_CONNECT_TIMEOUT,
        },
        retry_config={
            "max_retries": READ_MAX_RETRIES if is_patient else STORE_MAX_RETRIES,
            "retry_timeout": READ_RETRY_FOR if is_patient else STORE_RETRY_FOR,
        },
    )
