"""Browsers that sign in step by step, and the codes that they need."""

import re
from datetime import UTC, datetime, timedelta

from django.http import HttpResponse
from django.test import Client

from tms.accounts.factors import totp

PASSWORD = "a password for tests"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
AT = datetime(2026, 11, 28, 9, 0, 10, tzinfo=UTC)


class Steps:
    """A browser, and each step."""

    def __init__(self, *, address: str = "198.51.100.7") -> None:
        self.client = Client(REMOTE_ADDR=address)

    def password(self, username: str = "tanaka", password: str = PASSWORD, **fields: str) -> HttpResponse:
        return self.client.post("/sign-in/", {"username": username, "password": password, **fields})

    def code(self, code: str) -> HttpResponse:
        return self.client.post("/sign-in/code/", {"code": code})

    def sign_in(self, code: str) -> HttpResponse:
        self.password()
        return self.code(code)

    @property
    def is_signed_in(self) -> bool:
        return self.client.get("/help/").status_code == 200


def code_at(at: datetime, *, secret: str = SECRET) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(at.timestamp()) // totp.STEP_S))


def later(**span: int) -> str:
    return code_at(AT + timedelta(**span))


def codes_on(answer: HttpResponse) -> list[str]:
    """The recovery codes that a page shows."""
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.content.decode(), re.DOTALL)
    return text[1].split("\n") if text else []
