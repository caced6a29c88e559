"""Access logs of a web server in the combined format: each page that was read is a page view.

A visitor is an address and a browser together, kept as a keyed hash. Pictures, scripts, downloads, errors and what is no GET
are no page views, and are left out.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from typing import Any

from clickstream_dagster.local.importer.status import LeftOut
from ingest_lambda.contract import Reject
from ingest_lambda.settings import hash_salt

NAME = "access-log"
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_LINE = re.compile(
    r"(?:(?P<host>[\w.-]{1,253}):[0-9]{1,5} )?(?P<address>[^ ]++) [^ ]++ [^ ]++ \[(?P<time>[^\]]{1,40})\] "
    rf"{_QUOTED} (?P<status>[0-9]{{3}}) (?:[0-9]+|-) {_QUOTED} {_QUOTED}"
)
_NO_PAGE_VIEW = LeftOut("no page view (a picture, a script, an error and the like)")
_READ = frozenset(("200", "304"))
_TIME = "%d/%b/%Y:%H:%M:%S %z"
#: Endings of what is no page.
_NO_PAGES = frozenset(
    (
        *("css", "js", "mjs", "map", "wasm", "woff", "woff2", "ttf", "otf", "eot"),
        *(
            "png",
            "jpg",
            "jpeg",
            "gif",
            "webp",
            "avif",
            "svg",
            "ico",
            "bmp",
            "mp3",
            "mp4",
            "m4a",
            "webm",
            "ogg",
            "wav",
            "avi",
            "mov",
        ),
        *("txt", "xml", "xsl", "json", "rss", "atom", "csv", "log", "pdf", "swf"),
        *("zip", "gz", "tgz", "bz2", "xz", "rar", "7z", "jar", "exe", "msi", "dmg", "apk", "deb", "rpm", "iso"),
    )
)


def record(line: bytes) -> dict[str, Any] | LeftOut:
    """The page view of a line, where it is one. Raises `Reject`."""
    found = _LINE.match(line.decode("utf-8", "replace"))
    if not found:
        raise Reject("invalid_row", "the line is not in the combined log format: mend or drop it")
    host, address, time, request, status, referrer, agent = found.groups()
    method, _, rest = request.partition(" ")
    target = rest.rpartition(" ")[0] or rest
    if method != "GET" or status not in _READ or _ending(target) in _NO_PAGES:
        return _NO_PAGE_VIEW
    return {
        "event_name": "page_view",
        "event_timestamp": _moment(time),
        "client_id": _visitor(address, agent),
        "page_url": f"https://{host}{target}" if host and target.startswith("/") else target,
        "referrer": _said(referrer),
        "user_agent": _said(agent),
    }


def _ending(target: str) -> str:
    name = target.partition("?")[0].rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _moment(text: str) -> str:
    try:
        return datetime.strptime(text, _TIME).isoformat()
    except ValueError:
        raise Reject("invalid_timestamp", "event_timestamp: expected 18/May/2015:10:05:03 +0000") from None


def _visitor(address: str, agent: str) -> str:
    return "h_" + hmac.new(hash_salt().encode(), f"{address} {agent}".encode(), "sha256").hexdigest()[:32]


def _said(text: str) -> str | None:
    return None if text == "-" else text.replace('\\"', '"')
