"""To whom a report has been sent. Sent at most once: the row comes first and is committed, then the mail goes. Who is killed in
between leaves a row without an end. Nobody can know what became of that mail, so the next run names the address, and a person
decides: `clickstream report --send --again`."""

from __future__ import annotations

from datetime import timedelta

from clickstream_dagster.warehouse.connection import Connection, transaction

#: A row without an end that is older was left by a run that was killed: a mail takes seconds.
LONGEST_DELIVERY = timedelta(hours=1)


def begin(connection: Connection, period: str, recipient: str) -> bool:
    """True for the one who may send it now. Commits."""
    with transaction(connection) as cursor:
        cursor.execute(
            "insert into report_deliveries (period, recipient) values (%s, %s) on conflict do nothing",
            (period, recipient),
        )
        return cursor.rowcount == 1


def end(connection: Connection, period: str, recipient: str) -> None:
    """It was taken."""
    with transaction(connection) as cursor:
        cursor.execute(
            "update report_deliveries set sent_at = clock_timestamp() where (period, recipient) = (%s, %s)",
            (period, recipient),
        )


def forget(connection: Connection, period: str, recipient: str) -> None:
    """It was refused, or a person wants it again: the next run may send it."""
    with transaction(connection) as cursor:
        cursor.execute("delete from report_deliveries where (period, recipient) = (%s, %s)", (period, recipient))


def begun(connection: Connection, period: str) -> dict[str, bool]:
    """Who has it, or may have it: recipient -> whether it is known that it was taken."""
    with transaction(connection) as cursor:
        cursor.execute("select recipient, sent_at is not null from report_deliveries where period = %s", (period,))
        return dict(cursor.fetchall())


def settled(connection: Connection, period: str) -> set[str]:
    """Recipients who need no run: it was taken, or another run may be sending it right now."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select recipient from report_deliveries where period = %s and (sent_at is not null or begun_at > now() - %s)",
            (period, LONGEST_DELIVERY),
        )
        return {recipient for (recipient,) in cursor.fetchall()}
