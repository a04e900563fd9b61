"""E-mail, through the one server that the operators of TMS named."""

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext, ngettext

from tms.notifications.models.destination import Destination
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult
from tms.protocol.text import clean

TEMPORARY = range(400, 500)


def hand_over(destination: Destination, message: Message) -> SendResult:
    if not settings.EMAIL_URL:
        return SendResult.retry(gettext("TMS_EMAIL_URL names no mail server."))
    to = addresses(destination.address)
    try:
        _mail(to, message).send()
    except smtplib.SMTPRecipientsRefused as error:
        refusals = [(code, _text(said)) for code, said in error.recipients.values()]
        return _refused(max(code for code, _ in refusals), "; ".join(f"{code} {said}" for code, said in refusals))
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, f"{error.smtp_code} {_text(error.smtp_error)}")
    except smtplib.SMTPServerDisconnected as error:
        return SendResult.retry(str(error), possibly_delivered=True)
    except TimeoutError:
        return SendResult.retry(gettext("No answer in time."), possibly_delivered=True)
    except OSError as error:
        return SendResult.retry(f"{type(error).__name__}: {error}")
    number = len(to)
    return SendResult.delivered(
        ngettext("The mail server took it for %d address.", "The mail server took it for %d addresses.", number)
        % number
    )


def addresses(text: str) -> list[str]:
    return [address for part in text.split(",") if (address := part.strip())]


def _mail(to: list[str], message: Message) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "tms.invalid"
    headers = {"Message-ID": f"<{message.uid}@{domain}>", "Auto-Submitted": "auto-generated"}
    if message.possible_duplicate:
        headers["X-TMS-Possible-Duplicate"] = "true"
    return EmailMessage(" ".join(clean(message.title).split()), message.body, to=to, headers=headers)


def _refused(code: int, said: str) -> SendResult:
    return SendResult.retry(said) if code in TEMPORARY else SendResult.failed(said)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
