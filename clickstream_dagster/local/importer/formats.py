"""Formats that no mapping of columns can describe: how a line of each becomes a record in the contract's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clickstream_dagster.local.importer import access_log, ga4_bigquery, snowplow
from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.status import LeftOut
from ingest_lambda.settings import hash_salt

#: Of a line: its record, or why it is left out. Raises `Reject`.
FORMATS: dict[str, Callable[[bytes], dict[str, Any] | LeftOut]] = {
    access_log.NAME: access_log.record,
    ga4_bigquery.NAME: ga4_bigquery.record,
    snowplow.NAME: snowplow.record,
}

#: Files of calls as the collector gets them: JSON as any other.
SEGMENT = "segment"
#: Of these a line may begin with a bracket that opens no array.
LINES_ONLY = frozenset((access_log.NAME, snowplow.NAME))


def check_format(name: str) -> None:
    """Raise `ImportFailed` where something is missing that the format needs."""
    if name == access_log.NAME and not hash_salt():
        raise ImportFailed(
            "An access log knows its visitors by their addresses, of which a keyed hash is kept and nothing else: set "
            "CLICKSTREAM_HASH_SALT to a secret, the same one for each log, and import it again."
        )
