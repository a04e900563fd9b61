"""E-mail, through the mail server that TMS_EMAIL_URL names."""

import base64
import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.lib.outgoing.mail_backend import Refusals, refusals_of
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult
from tms.protocol.text import clean

MAX_CHARACTERS = 500
TEMPORARY = range(400, 500)


class Email(Transport):
    name = "email"
    position = 10
    label = _("E-mail")
    summary = _("To people and mailing lists, through your mail server.")
    icon = "letter"
    address_label = _("E-mail addresses")
    address_hint = _("Separate several addresses with commas.")
    is_address_secret = False

    def clean_address(self, text: str) -> str:
        for address in _addresses(text):
            try:
                validate_email(address)
            except ValidationError:
                message = gettext("%(address)s is not an e-mail address. Enter one such as noc@example.com.")
                raise ValidationError(message % {"address": address}) from None
        if len(text) > MAX_CHARACTERS:
            raise ValidationError(gettext("Too many addresses. Use a mailing list instead."))
        return text

    def send(self, to: Recipient, message: Message) -> SendResult:
        if not settings.EMAIL_URL:
            return SendResult.retry(gettext("No mail server is configured. Set TMS_EMAIL_URL."))
        recipients = _addresses(to.address)
        mail = _mail(recipients, message)
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            # Delivery to one of them may become possible.
            return _refusal(min(code for code, _ in error.recipients.values()), _list(error.recipients))
        except smtplib.SMTPDataError as error:
            return _refusal(error.smtp_code, _describe(error))
        except smtplib.SMTPResponseException as error:  # of the sign-in, or of the sender: TMS_EMAIL_… may be corrected
            return SendResult.retry(_describe(error))
        except smtplib.SMTPServerDisconnected as error:
            return SendResult.retry(str(error), possibly_delivered=True)
        except TimeoutError:
            return SendResult.retry(gettext("No response in time."), possibly_delivered=True)
        except OSError as error:
            return SendResult.retry(f"{type(error).__name__}: {error}")
        return SendResult.delivered(_acceptance_text(len(recipients), refusals_of(mail)))


def _addresses(text: str) -> list[str]:
    return [address for part in text.split(",") if (address := part.strip())]


def _acceptance_text(number: int, refusals: Refusals) -> str:
    """The answer of the mail server, for people. The mail is not sent again to those that it refused: the others would
    get it twice.
    """
    accepted = number - len(refusals)
    text = ngettext(
        "Accepted by the mail server for %d address.", "Accepted by the mail server for %d addresses.", accepted
    )
    refused = gettext("Refused: %(addresses)s") % {"addresses": _list(refusals)} if refusals else ""
    return f"{text % accepted} {refused}".strip()


def _list(refusals: Refusals) -> str:
    return "; ".join(f"{address}: {code} {_text(reply)}" for address, (code, reply) in refusals.items())


def _mail(to: list[str], message: Message) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "tms.invalid"
    headers = {"Message-ID": f"<{message.uid}@{domain}>", "Auto-Submitted": "auto-generated"}
    if message.possible_duplicate:
        headers["X-TMS-Possible-Duplicate"] = "true"
    mail = EmailMessage(" ".join(clean(message.title).split()), message.body, to=to, headers=headers)
    if attached := message.attachment:
        mail.attach(attached.name, base64.b64decode(attached.base64), attached.content_type)
    return mail


def _refusal(code: int, reply: str) -> SendResult:
    return SendResult.retry(reply) if code in TEMPORARY else SendResult.failed(reply)


def _describe(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
