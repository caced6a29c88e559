"""The two ways out: a mail by SMTP, and the text alone to an SNS topic. Each says whether a report was taken, was refused, or
nobody knows."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate
from functools import partial

from clickstream_dagster.reports.making import Report
from clickstream_dagster.settings import MailServer

SMTP_SECONDS = 30
#: SNS takes 100 characters of printable ASCII as the subject, and 256 KB in all.
_SUBJECT_LENGTH = 99
_TEXT_BYTES = 250_000


class Refused(RuntimeError):
    """It was not taken, for sure: it can be sent again. The message says why."""


class Unknown(RuntimeError):
    """The connection broke when it may have been taken."""


def mail(report: Report, pdf: bytes | None, sender: str, recipient: str, copy: str | None = None) -> EmailMessage:
    """The mail, with the same id each time it is made: where it did come twice, most programs show it once. What a person sends
    once more is to be seen: it is a `copy` with an id of its own."""
    message = EmailMessage()
    same = hashlib.sha256(f"{report.period.name} {recipient}".encode()).hexdigest()[:24]
    name = ".".join((report.period.name, same, *([copy] if copy else [])))
    message["Message-ID"] = f"<{name}@{sender.partition('@')[2]}>"
    message["From"], message["To"], message["Subject"] = sender, recipient, report.headline
    message["Date"], message["Auto-Submitted"] = formatdate(), "auto-generated"
    message.set_content(report.text)
    message.add_alternative(report.html, subtype="html")
    if pdf is not None:
        message.add_attachment(pdf, "application", "pdf", filename=f"report-{report.period.name}.pdf")
    return message


@contextmanager
def connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A session with the mail server. Raises `Refused` when there is none, and never says the password."""
    secure = ssl.create_default_context()
    kind = partial(smtplib.SMTP_SSL, context=secure) if server.security == "tls" else smtplib.SMTP
    try:
        session = kind(server.host, server.port, timeout=SMTP_SECONDS)
        if server.security == "starttls":
            session.starttls(context=secure)
        if server.user:
            session.login(server.user, server.password)
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(f"{server.host}:{server.port} takes no mail: {_said(error)}. Check CLICKSTREAM_SMTP_*.") from None
    try:
        yield session
    finally:
        session.close()


def hand_in(session: smtplib.SMTP, message: EmailMessage) -> None:
    """Give the server one mail for one recipient. Raises `Refused` or `Unknown`."""
    try:
        content = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
        f"{message['From']}{message['To']}".encode("ascii")  # smtplib would say so in mid-session
    except UnicodeError as error:
        raise Refused(f"the mail cannot be written: {error}") from None
    try:
        session.ehlo_or_helo_if_needed()
        for step, address in ((session.mail, message["From"]), (session.rcpt, message["To"])):
            code, said = step(address)
            if code >= 300:
                session.rset()
                raise Refused(f"the server refused {address}: {said.decode(errors='replace')}")
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(_said(error)) from None
    try:
        code, said = session.data(content)
    except smtplib.SMTPDataError as error:
        raise Refused(_said(error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unknown(_said(error)) from None
    if code != 250:
        raise Refused(f"the server refused the mail: {said.decode(errors='replace')}")


def publish(report: Report, topic: str) -> None:
    """Send the text to a topic. Raises `Refused` or `Unknown`."""
    import boto3  # in Lambda's runtime and on the server; a laptop never comes here
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        NoCredentialsError,
    )

    once = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1})
    subject = report.headline.encode("ascii", "replace").decode()[:_SUBJECT_LENGTH]
    text = report.text.encode()[:_TEXT_BYTES].decode(errors="ignore")
    try:
        boto3.client("sns", region_name=topic.split(":")[3], config=once).publish(
            TopicArn=topic, Subject=subject, Message=text
        )
    except (ClientError, NoCredentialsError, EndpointConnectionError, ConnectTimeoutError) as error:
        raise Refused(f"{topic}: {error}") from None
    except BotoCoreError as error:
        raise Unknown(str(error)) from None


def _said(error: Exception) -> str:
    """What the server said; of a login never what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__
