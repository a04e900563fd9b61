"""The mail server, from one URL in the environment."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SECURITY = {"smtps": {"use_ssl": True}, "smtp": {"use_tls": True}, "smtp+plain": {}}
PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
EXPECTED = "expected smtp://USER:PASSWORD@HOST:587 (STARTTLS), smtps:// (TLS) or smtp+plain:// (neither)"
TIMEOUT_S = 10
BACKEND = "tms.lib.outgoing.mail_backend.MailBackend"


def mailer(url: str) -> dict[str, Any]:
    """Django's mail settings. Raises ImproperlyConfigured without the password in its text."""
    if not url:
        return {"BACKEND": BACKEND}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ImproperlyConfigured(f"TMS_EMAIL_URL is not valid: {EXPECTED}") from None
    if parts.scheme not in SECURITY or not host:
        raise ImproperlyConfigured(f"TMS_EMAIL_URL has no mail server: {EXPECTED}")
    return {
        "BACKEND": BACKEND,
        "OPTIONS": {
            "host": host,
            "port": port or PORTS[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "timeout": TIMEOUT_S,
            **SECURITY[parts.scheme],
        },
    }
