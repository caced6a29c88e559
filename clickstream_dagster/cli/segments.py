"""`clickstream segment`."""

from __future__ import annotations

import csv
import sys

import click

from clickstream_dagster.cli.show import console, table
from clickstream_dagster.settings import SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Cursor

_SIZES = """
    select segments.segment, segments.label, count(segment_members.person_id)
    from segments left join segment_members on segment_members.segment = segments.segment
    group by segments.segment, segments.label, segments.place order by segments.place
"""


class NoSuchSegment(SettingsError):
    """The message names those that there are."""


@click.command("segment")
@click.argument("name", required=False)
def segment_command(name: str | None) -> None:
    """Print the ids of the people in segment NAME as CSV, or list the segments.

    \b
    A segment is what segments.yml says it is; CLICKSTREAM_SEGMENTS names yours.
      clickstream segment
      clickstream segment lapsed-regulars > ids.csv
    """
    with Stack(load_settings(), keeps_settings=True).reading() as connection, connection.cursor() as cursor:
        if name is None:
            cursor.execute(_SIZES)
            table("Segments", ("segment", "what it is", "people"), cursor.fetchall())
            console.print("Their ids:  clickstream segment NAME > ids.csv")
            return
        _check(cursor, name)
        cursor.execute("select person_id from segment_members where segment = %s order by person_id", (name,))
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["person_id"])
        writer.writerows(cursor)


def _check(cursor: Cursor, name: str) -> None:
    cursor.execute("select segment from segments order by place")
    known = [segment for (segment,) in cursor.fetchall()]
    if name not in known:
        raise NoSuchSegment(f"There is no segment {name!r}; segments.yml has {', '.join(known) or 'none'}.")
