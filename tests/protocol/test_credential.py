import secrets

import pytest

from tms.protocol import BEARER_PREFIX
from tms.protocol.credential import PlainCredential, parse

SECRET = "s" * 43


@pytest.mark.parametrize("uid", ["T-1", "a", "SJK_G-01", "x" * 64])
def test_a_formatted_credential_can_be_parsed(uid):
    key = PlainCredential(uid, secrets.token_urlsafe(32))

    assert parse(str(key)) == key


NO_UIDS = ["", "-T", "T 1", "T-1.", "x" * 65, "\N{FULLWIDTH LATIN CAPITAL LETTER T}"]
NO_SECRETS = ["", "s" * 42, "s" * 129, "é" * 43, SECRET + "\n", SECRET + "."]


@pytest.mark.parametrize(
    "text", ["", ".", SECRET, *(f"{uid}.{SECRET}" for uid in NO_UIDS), *(f"T-1.{secret}" for secret in NO_SECRETS)]
)
def test_an_invalid_credential_is_rejected(text):
    assert parse(text) is None


def test_its_secret_is_not_in_its_representation():
    assert SECRET not in repr(PlainCredential("T-1", SECRET))


def test_it_fits_a_subprotocol_token():
    tchar = set("!#$%&'*+-.^_`|~") | {chr(code) for code in range(128) if chr(code).isalnum()}

    assert set(BEARER_PREFIX + str(PlainCredential("T_1-x", secrets.token_urlsafe(96)))) <= tchar
