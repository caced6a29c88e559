"""A mail server that wants TLS and a login: its certificate is checked before it hears a password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from clickstream_dagster.reports.channels import Refused, connected, hand_in, mail
from clickstream_dagster.reports.making import Report
from clickstream_dagster.reports.periods import named
from clickstream_dagster.settings import MailServer
from dashboard_site import free_port
from support.mailbox import Mailbox
from support.tls import certificate

REPORT = Report(named("2026-10"), "October 2026", "<h1>October</h1>", "October")


@pytest.fixture
def heard() -> list[object]:
    """The passwords that the server was told."""
    return []


@pytest.fixture
def box(tmp_path: Path, heard: list[object]) -> Iterator[Mailbox]:
    """A server on STARTTLS, with a certificate that signs itself."""
    shown = certificate(tmp_path, "DNS:localhost")
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.file, shown.key)

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
        heard.append(login)
        return AuthResult(success=getattr(login, "password", b"") == b"right", handled=False)

    kept = Mailbox(free_port())
    running = Controller(
        kept, hostname="localhost", port=kept.port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=check,
    )  # fmt: skip
    running.start()
    yield kept
    running.stop()


def server(box: Mailbox, password: str) -> MailServer:
    return replace(box.server, host="localhost", security="starttls", user="reports", password=password)


def send(box: Mailbox, password: str) -> None:
    with connected(server(box, password)) as session:
        hand_in(session, mail(REPORT, None, "reports@shop.example", "ann@shop.example"))


def test_the_right_password_sends(box: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "DNS-localhost.crt"))
    send(box, "right")
    assert [recipients for recipients, _ in box.mails] == [["ann@shop.example"]]


def test_a_wrong_password_is_refused_and_not_told(
    box: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "DNS-localhost.crt"))
    with pytest.raises(Refused, match=r"takes no mail: 535 .*Check CLICKSTREAM_SMTP_") as refused:
        send(box, "wr0ng-word")
    assert "wr0ng-word" not in str(refused.value)


def test_a_certificate_that_nobody_vouches_for_hears_no_password(box: Mailbox, heard: list[object]) -> None:
    with pytest.raises(Refused, match="certificate"):
        send(box, "right")
    assert heard == []
