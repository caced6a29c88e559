"""A mail server of the tests' own, that keeps what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from clickstream_dagster.settings import MailServer


@dataclass
class Mailbox:
    """What a mail server was given. `refuses` are recipients that it does not know; `breaks` ends the connection when it has
    a mail and before it says so."""

    port: int
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    breaks: bool = False

    @property
    def server(self) -> MailServer:
        """How it is reached."""
        return MailServer("127.0.0.1", self.port, "none", "", "", "reports@shop.example")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]) -> str:
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        if self.breaks:
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"
