"""Access tokens of LINE WORKS: a JWT, signed by the service account, is exchanged for one that lasts a day."""

import hashlib
import threading
import time
from collections import OrderedDict
from urllib.parse import urlencode

from tms.lib.per_process import per_process
from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient
from tms.notifications.transports.http_client import ApiAnswer

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "bot.message"
VALID_S = 600
"""How long the JWT is valid; LINE WORKS takes an hour at most."""
EARLY_S = 300
"""A token is renewed before it expires."""
MAX_TOKENS = 100


class TokenDenied(Exception):
    """LINE WORKS issued no token."""

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class TokenCache:
    """The tokens of one process, by their credentials."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def get(self, key: str) -> str:
        """The token; empty if there is none, or it is about to expire."""
        with self._lock:
            token, until = self._tokens.get(key, ("", 0.0))
        return token if time.monotonic() < until else ""

    def put(self, key: str, token: str, valid_s: float) -> None:
        with self._lock:
            self._tokens[key] = (token, time.monotonic() + max(0.0, valid_s - EARLY_S))
            self._tokens.move_to_end(key)
            while len(self._tokens) > MAX_TOKENS:
                self._tokens.popitem(last=False)

    def drop(self, key: str) -> None:
        with self._lock:
            self._tokens.pop(key, None)


@per_process
def token_cache() -> TokenCache:
    return TokenCache()


def credentials_key(to: Recipient) -> str:
    """Names the credentials without holding them."""
    parts = (to.value(name) for name in ("client_id", "client_secret", "account", "private_key"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def issue(url: str, to: Recipient, until: float) -> tuple[str, float]:
    """A new token, and for how many seconds it is valid. Raises TokenDenied and HTTPError."""
    import jwt

    now = int(time.time())
    claims = {"iss": to.value("client_id"), "sub": to.value("account"), "iat": now, "exp": now + VALID_S}
    form = {
        "assertion": jwt.encode(claims, to.value("private_key").strip(), algorithm="RS256"),
        "grant_type": GRANT,
        "client_id": to.value("client_id"),
        "client_secret": to.value("client_secret"),
        "scope": SCOPE,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = http_client.post(url, urlencode(form).encode(), headers, until)
    token = answer.field("access_token")
    if not answer.is_success or not token:
        raise TokenDenied(answer)
    return token, _seconds(answer.data.get("expires_in"))


def _seconds(text: object) -> float:
    """LINE WORKS sends a number as a text."""
    digits = str(text)
    return float(digits) if digits.isdecimal() and len(digits) < 9 else 0.0
