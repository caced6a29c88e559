"""`clickstream report`, and the schedule, as their users meet them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from cli_command import Command

from clickstream_dagster import resources
from clickstream_dagster.jobs import report_mails
from clickstream_dagster.resources import Platform
from clickstream_dagster.schedules import morning_reports
from clickstream_dagster.stack import Stack
from support.mailbox import Mailbox
from support.scripts import script
from support.stories import rows


@pytest.fixture
def clickstream(shop: Stack, tmp_path: Path) -> Command:
    """The command on the shop's warehouse."""
    server = shop.server
    environ = {"DW_PG_HOST": server.host, "DW_PG_PORT": str(server.port), "DW_PG_DATABASE": server.database}
    return Command(tmp_path / "home", environ)


def test_it_prints_and_writes(clickstream: Command, tmp_path: Path) -> None:
    printed = clickstream("report", "--week", "2026-W16")
    assert printed.out.startswith("Week 16 of 2026\n13 – 19 Apr 2026, compared with 6 – 12 Apr 2026\n")
    written = clickstream("report", "--month", "2026-04", "--out", tmp_path / "april.html")
    assert written.out.startswith("April 2026: 195.50 USD, 4 orders\nWritten to ")
    assert (tmp_path / "april.html").read_text().startswith("<!doctype html>")
    clickstream("report", "--month", "2026-04", "--out", tmp_path / "april.pdf")
    assert (tmp_path / "april.pdf").read_bytes().startswith(b"%PDF-")


def test_without_chromium_there_is_html_alone(clickstream: Command, tmp_path: Path) -> None:
    ran = clickstream("report", "--month", "2026-04", "--out", tmp_path / "april.pdf", PATH="")
    assert ran.sentence == "No PDF: no Chromium is installed. Mend that, or write HTML: --out report.html"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--week", "2026-W16", "--month", "2026-04"], "Name a week or a month, not both."),
        (["--week", "2026-10"], "--week 2026-10 names none; a week is 2026-W48, a month 2026-10."),
        (["--month", "May"], "'May' is no week or month; a week is 2026-W48, a month 2026-10."),
        (["--out", "report.doc"], "--out report.doc should end in .html, .pdf or .txt."),
        (["--again"], "--again sends once more; it needs --send."),
        (["--send"], "Nobody is to have it. Set CLICKSTREAM_REPORT_TO, or CLICKSTREAM_REPORT_TOPIC."),
    ],
)
def test_a_mistake_is_one_sentence(clickstream: Command, arguments: list[str], sentence: str) -> None:
    assert clickstream("report", *arguments).sentence.startswith(sentence.removesuffix("."))


def test_it_sends(clickstream: Command, mailbox: Mailbox) -> None:
    environ = _environment(mailbox)
    command = ("report", "--week", "2026-W15", "--send")
    assert clickstream(*command, **environ).out == "Sent to ann@shop.example: Week 15 of 2026: 100.00 USD, 1 order\n"
    assert "Everybody has had the report of Week 15 of 2026" in clickstream(*command, **environ).out
    assert len(mailbox.mails) == 1


def test_the_schedule_sends_what_is_due_once(shop: Stack, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_stack", lambda: shop)
    for name, value in _environment(mailbox).items():
        monkeypatch.setenv(name, value)
    morning = datetime(2026, 4, 20, 7, tzinfo=UTC)
    with dg.instance_for_test() as storage:
        context = dg.build_schedule_context(storage, scheduled_execution_time=morning)
        request = morning_reports(context, platform=Platform())
        assert isinstance(request, dg.RunRequest)
        assert request.run_config["ops"]["send_due_reports"]["config"] == {"periods": ["2026-W16"]}
        config = {"ops": {"send_due_reports": {"config": {"periods": ["2026-W16"]}}}}
        ran = report_mails.execute_in_process(run_config=config, instance=storage, resources={"platform": Platform()})
        assert ran.success
    assert [mail["Subject"] for _, mail in mailbox.mails] == ["Week 16 of 2026: 95.50 USD, 3 orders"]
    sent = "select period from report_deliveries where recipient = 'ann@shop.example' and sent_at is not null"
    assert ("2026-W16",) in rows(shop, sent)


def test_a_run_tells_of_what_cannot_be_made_and_printed_and_sends_the_rest(
    shop: Stack, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """March was before the shop began, and Chromium is broken: the week goes out."""
    monkeypatch.setattr(resources, "_stack", lambda: shop)
    monkeypatch.setenv("PATH", str(script(tmp_path / "chromium", "exit 1").parent), prepend=":")
    for name, value in {**_environment(mailbox), "CLICKSTREAM_REPORT_TO": "zoe@shop.example"}.items():
        monkeypatch.setenv(name, value)

    def told(*periods: str) -> tuple[bool, dict[str, str]]:
        config = {"ops": {"send_due_reports": {"config": {"periods": list(periods)}}}}
        with dg.instance_for_test() as storage:
            ran = report_mails.execute_in_process(
                run_config=config, instance=storage, resources={"platform": Platform()}, raise_on_error=False
            )
            if ran.success:
                [output] = [event.step_output_data for event in ran.all_events if event.is_successful_output]
                metadata = output.metadata
            else:
                [failed] = [event.step_failure_data for event in ran.all_events if event.is_step_failure]
                assert failed.user_failure_data is not None
                metadata = failed.user_failure_data.metadata
        return ran.success, {name: str(value.value) for name, value in metadata.items()}

    success, became = told("2026-03", "2026-W16")
    assert not success
    assert became["2026-03"].startswith("No report of 2026-03: Nothing happened.")
    assert [recipients for recipients, _ in mailbox.mails] == [["zoe@shop.example"]]
    success, became = told("2026-W15")
    assert success
    [(_, first), (_, second)] = mailbox.mails
    assert list(first.iter_attachments()) == list(second.iter_attachments()) == []
    assert became["2026-W15"] == (
        "Week 15 of 2026: sent to 1, refused by 0. "
        f"The mail has no PDF: {tmp_path}/chromium did not print the whole page; try it by hand."
    )


def _environment(mailbox: Mailbox) -> dict[str, str]:
    return {
        "CLICKSTREAM_REPORT_TO": "ann@shop.example",
        "CLICKSTREAM_REPORT_FROM": "reports@shop.example",
        "CLICKSTREAM_SMTP_HOST": "127.0.0.1",
        "CLICKSTREAM_SMTP_PORT": str(mailbox.port),
        "CLICKSTREAM_SMTP_SECURITY": "none",
    }
