"""Django's backend for SMTP, which also says which of several recipients the server refused."""

import contextlib
import smtplib
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

type Refusals = dict[str, tuple[int, bytes]]
"""The code and the text of the response, by address."""


class MailSession(smtplib.SMTP):
    refused: Refusals = {}  # replaced, and never changed

    def sendmail(self, *args: Any, **options: Any) -> Refusals:
        """Raises SMTPRecipientsRefused if the server refuses all of them."""
        self.refused = super().sendmail(*args, **options)
        return self.refused


class TlsMailSession(MailSession, smtplib.SMTP_SSL):
    pass


class MailBackend(EmailBackend):
    @property
    def connection_class(self) -> type[MailSession]:
        return TlsMailSession if self.use_ssl else MailSession

    def open(self) -> bool | None:
        """A session in which the server refused the sign-in is closed, too."""
        try:
            return super().open()
        except OSError:
            with contextlib.suppress(OSError):
                self.close()
            raise

    def _send(self, email_message: EmailMessage) -> bool:
        is_sent: bool = super()._send(email_message)  # type: ignore[misc]  # unknown to the stubs
        if is_sent and isinstance(self.connection, MailSession):
            email_message.refused = self.connection.refused  # type: ignore[attr-defined]
        return is_sent


def refusals_of(message: EmailMessage) -> Refusals:
    """The addresses that the server refused when the message was sent; other backends know none."""
    found: Refusals = getattr(message, "refused", {})
    return found
