"""Reports leave by a real mail server and a real topic: each recipient gets one, once, whoever is refused or killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from clickstream_dagster.reports import making
from clickstream_dagster.reports.making import Report
from clickstream_dagster.reports.periods import named
from clickstream_dagster.reports.sending import Outcome, due, send
from clickstream_dagster.settings import Reports
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from support.aws import KEYS
from support.mailbox import Mailbox
from support.scripts import script
from support.stories import event, rows, tell

WEEK = named("2026-W16")
REPORT = Report(
    WEEK, "Week 16 of 2026: 95.50 USD, 3 orders", "<!doctype html><h1>Week 16 – übrig</h1>", "Week 16 – übrig\n"
)
OWNERS = ("ann@shop.example", "bob@shop.example")


def by_mail(box: Mailbox, *recipients: str) -> Reports:
    return Reports(("weekly", "monthly"), recipients or OWNERS, box.server, None, None)


def given(box: Mailbox) -> list[str]:
    return [recipient for recipients, _ in box.mails for recipient in recipients]


def test_each_gets_one_with_html_text_and_pdf(stack: Stack, mailbox: Mailbox) -> None:
    assert send(stack, by_mail(mailbox), REPORT).sent == list(OWNERS)
    assert given(mailbox) == list(OWNERS)
    [(_, mail), (_, other)] = mailbox.mails
    assert mail["Subject"] == REPORT.headline
    assert (mail["From"], mail["To"]) == ("reports@shop.example", OWNERS[0])
    assert mail["Message-ID"] != other["Message-ID"]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == REPORT.text
    assert html.get_content().strip() == REPORT.html
    [pdf] = mail.iter_attachments()
    assert pdf.get_filename() == "report-2026-W16.pdf"
    assert pdf.get_content().startswith(b"%PDF-")


def test_nobody_gets_it_twice_unless_a_person_wants_it(stack: Stack, mailbox: Mailbox) -> None:
    for _ in range(2):
        send(stack, by_mail(mailbox, OWNERS[0]), REPORT)
    assert send(stack, by_mail(mailbox), REPORT).sent == [OWNERS[1]]  # who was added later
    assert given(mailbox) == list(OWNERS)
    assert send(stack, by_mail(mailbox), REPORT, again=True).sent == list(OWNERS)
    assert send(stack, by_mail(mailbox), REPORT, again=True).sent == list(OWNERS)
    ids = [mail["Message-ID"] for _, mail in mailbox.mails]
    assert len(set(ids)) == len(ids) == 6, "a mail program may hide what it has by that name"


def test_who_is_refused_does_not_keep_it_from_the_others_and_is_tried_again(stack: Stack, mailbox: Mailbox) -> None:
    mailbox.refuses = {OWNERS[0]}
    outcome = send(stack, by_mail(mailbox), REPORT)
    assert (outcome.sent, list(outcome.refused)) == ([OWNERS[1]], [OWNERS[0]])
    assert "the server refused ann@shop.example: nobody of that name" in outcome.sentence()
    mailbox.refuses = set()
    assert send(stack, by_mail(mailbox), REPORT).sent == [OWNERS[0]]
    assert sorted(given(mailbox)) == list(OWNERS)


def test_a_server_that_is_away_is_no_loss_and_no_secret(stack: Stack, mailbox: Mailbox) -> None:
    away = replace(mailbox.server, port=1, user="reports", password="s3cr3t-word")
    outcome = send(stack, replace(by_mail(mailbox), server=away), REPORT)
    assert list(outcome.refused) == list(OWNERS)
    assert "s3cr3t-word" not in f"{outcome.sentence()} {away}"
    assert send(stack, by_mail(mailbox), REPORT).sent == list(OWNERS)


def test_a_connection_that_breaks_after_the_mail_is_not_tried_again(stack: Stack, mailbox: Mailbox) -> None:
    mailbox.breaks = True
    first = send(stack, by_mail(mailbox, OWNERS[0]), REPORT)
    assert list(first.unknown) == [OWNERS[0]]
    mailbox.breaks = False
    second = send(stack, by_mail(mailbox, OWNERS[0]), REPORT)
    assert (second.sent, list(second.unknown)) == ([], [OWNERS[0]])
    assert "send it once more: clickstream report --send --again" in second.sentence()
    assert given(mailbox) == [OWNERS[0]]


#: Sends, and is killed when the mail server has the mail and before anybody has heard so.
KILLED = """
import os, signal, sys
from clickstream_dagster.reports import channels, sending
from clickstream_dagster.reports.making import Report
from clickstream_dagster.reports.periods import named
from clickstream_dagster.settings import MailServer, Reports, load_settings
from clickstream_dagster.stack import Stack

def killed(session, message):
    channels.hand_in(session, message)
    os.kill(os.getpid(), signal.SIGKILL)

sending.hand_in = killed
server = MailServer("127.0.0.1", int(sys.argv[1]), "none", "", "", "reports@shop.example")
reports = Reports(("weekly",), (sys.argv[2],), server, None, None)
sending.send(Stack(load_settings()), reports, Report(named("2026-W16"), "Week 16", "<h1>16</h1>", "16"))
"""


def test_killed_and_run_again_it_is_sent_once(stack: Stack, mailbox: Mailbox) -> None:
    server = stack.server
    environ = {**os.environ, "DW_PG_HOST": server.host, "DW_PG_PORT": str(server.port), "DW_PG_USER": server.user}
    environ |= {"DW_PG_PASSWORD": server.password, "DW_PG_DATABASE": server.database}
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(KILLED), str(mailbox.port), OWNERS[0]]
    assert subprocess.run(command, env=environ).returncode == -signal.SIGKILL
    outcome = send(stack, by_mail(mailbox), REPORT)
    assert (outcome.sent, list(outcome.unknown)) == ([OWNERS[1]], [OWNERS[0]])
    assert sorted(given(mailbox)) == list(OWNERS)


def test_without_chromium_the_mail_says_that_it_has_no_pdf(
    stack: Stack, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "BROWSERS", ("no-such-browser",))
    said: list[str] = []
    send(stack, by_mail(mailbox, OWNERS[0]), REPORT, told=said.append)
    assert said == ["The mail has no PDF: no Chromium is installed."]
    assert list(mailbox.mails[0][1].iter_attachments()) == []


def test_an_address_that_no_server_takes_does_not_keep_it_from_the_others(stack: Stack, mailbox: Mailbox) -> None:
    reports = by_mail(mailbox, OWNERS[0], "jürgen@shop.example", OWNERS[1])
    for sent in (list(OWNERS), []):
        outcome = send(stack, reports, REPORT)
        assert (outcome.sent, list(outcome.refused), outcome.unknown) == (sent, ["jürgen@shop.example"], {})
    elsewhere = replace(mailbox.server, sender="reports@bücher.example")
    outcome = send(stack, replace(by_mail(mailbox), server=elsewhere), replace(REPORT, period=named("2026-W17")))
    assert list(outcome.refused) == list(OWNERS)


def test_a_topic_gets_the_text(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    sns, sqs = (boto3.client(service, region_name="eu-central-1") for service in ("sns", "sqs"))
    topic, queue = sns.create_topic(Name="reports")["TopicArn"], sqs.create_queue(QueueName="reports")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    reports = Reports(("weekly",), (), None, topic, None)
    assert send(stack, reports, REPORT).sent == [topic]
    assert send(stack, reports, REPORT).sent == []
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == [REPORT.text]
    gone = replace(reports, topic=topic.replace("reports", "no-such"))
    assert list(send(stack, gone, REPORT).refused) == [gone.topic]
    aws.stop()


def test_what_is_due(stack: Stack, mailbox: Mailbox) -> None:
    """A week and a month that are over and loaded, until everybody has them."""
    reports, monday = by_mail(mailbox), datetime(2026, 8, 3, 7, tzinfo=UTC)
    tell(stack, event(datetime(2026, 7, 20, tzinfo=UTC), path="/"))  # received on 1 August, so July is loaded
    with stack.warehouse() as connection:
        found, waiting = due(connection, reports, "UTC", monday)
        assert [period.name for period in found] == ["2026-07"]
        assert waiting == ["Week 31 of 2026 is not loaded to its end. Run: clickstream materialize"]
    send(stack, reports, replace(REPORT, period=named("2026-07")))
    with stack.warehouse() as connection:
        assert due(connection, reports, "UTC", monday)[0] == []
        with transaction(connection) as cursor:
            cursor.execute("update report_deliveries set sent_at = null where recipient = %s", OWNERS[:1])
        assert due(connection, reports, "UTC", monday)[0] == [], "another run may be sending it"
        with transaction(connection) as cursor:
            cursor.execute("update report_deliveries set begun_at = begun_at - interval '61 minutes'")
        assert due(connection, reports, "UTC", monday)[0] == [named("2026-07")], "a run was killed: one has to tell it"
        assert due(connection, by_mail(mailbox, OWNERS[1]), "UTC", monday)[0] == [], "who was taken off the list"
    july = replace(REPORT, period=named("2026-07"))
    assert list(send(stack, reports, july).unknown) == [OWNERS[0]]
    assert send(stack, by_mail(mailbox, OWNERS[1]), july).is_well
    send(stack, reports, july, again=True)
    assert rows(stack, "select recipient, sent_at is not null from report_deliveries order by 1") == [
        (owner, True) for owner in OWNERS
    ]


def test_what_ended_before_the_first_event_is_not_due(stack: Stack, mailbox: Mailbox) -> None:
    """A shop that begins on a Wednesday, two days after the hours that are loaded do."""
    reports = by_mail(mailbox)
    tell(stack, event(datetime(2026, 7, 29, 9, tzinfo=UTC), path="/"))
    with stack.warehouse() as connection:
        found, waiting = due(connection, reports, "UTC", datetime(2026, 7, 30, 7, tzinfo=UTC))
        assert (found, waiting) == (
            [],
            ["Week 30 of 2026 ended before the first event.", "June 2026 ended before the first event."],
        )
        [july] = due(connection, reports, "UTC", datetime(2026, 8, 1, 7, tzinfo=UTC))[0]
        assert july.name == "2026-07", "its last days are told"


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("exit 1", "did not print the whole page; try it by hand"),
        ("for last; do :; done; echo %PDF-1.4 cut > ${last%.html}.pdf", "did not print the whole page; try it by hand"),
        (None, "could not print: "),
    ],
)
def test_a_broken_chromium_says_so(does: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = script(tmp_path / "chromium", does or "")
    if does is None:
        browser.write_text("#!/no/such/shell\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(making.NoPdf, match=f"{browser} {why}"):
        making.printed(REPORT.html)


def test_a_chromium_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds the pipe of the test open, which is read to its end once all are gone."""
    os.mkfifo(tmp_path / "held")
    script(tmp_path / "chromium", f"exec 9> {tmp_path}/held; echo begun >&9; sleep 40 & sleep 40")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(making, "PRINTING_SECONDS", 3)
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(making.NoPdf, match="did not print within 3 seconds"):
        making.printed(REPORT.html)
    os.set_blocking(held, True)
    assert os.read(held, 100) == b"begun\n"
    watched = select.poll()
    watched.register(held)
    [(_, happened)] = watched.poll(10_000)
    os.close(held)
    assert happened & select.POLLHUP, "a child is still there"


def test_it_is_printed(tmp_path: Path) -> None:
    pdf = making.printed(REPORT.html)
    assert pdf is not None
    assert pdf.startswith(b"%PDF-")
    assert Outcome().is_well
