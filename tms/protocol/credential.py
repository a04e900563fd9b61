"""A terminal's credential as transmitted: `<uid>.<secret>`. `tms.fleet.credentials` stores the secrets."""

import re
from typing import NamedTuple

UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SECRET = re.compile(r"[A-Za-z0-9_-]{43,128}")
"""The secret: at least 256 bits in URL-safe base64, whose alphabet is also valid in a subprotocol token (RFC 6455,
4.1).
"""


class PlainCredential(NamedTuple):
    uid: str
    secret: str

    def __str__(self) -> str:
        return f"{self.uid}.{self.secret}"

    def __repr__(self) -> str:
        return f"PlainCredential({self.uid}.…)"


def parse(text: str) -> PlainCredential | None:
    """The credential in `text`, or None if it cannot be one."""
    uid, dot, secret = text.partition(".")
    if dot and UID.fullmatch(uid) and SECRET.fullmatch(secret):
        return PlainCredential(uid, secret)
    return None
