"""A real SAML provider, the npm package samlp, and the way of a browser through it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.request import build_opener

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.polling import DEADLINE_S
from tests.support.servers.tms import ROOT

SCRIPT = Path(__file__).with_suffix(".js")
ENTITY_ID = "urn:company:idp"


class Keys(NamedTuple):
    """A private key and its certificate, in PEM."""

    key: bytes
    certificate: bytes


def keys(bits: int = 2_048) -> Keys:
    key = rsa.generate_private_key(65_537, bits)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "idp")])
    begin = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=30))
    pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Keys(key.private_bytes(serialization.Encoding.PEM, pem, plain), certificate)


class Form(HTMLParser):
    """The form of a page: where it goes, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given["value"]


class SamlProviderServer(NamedTuple):
    address: str
    certificate: str

    def sign_in(self, address: str) -> Form:
        """What Keiko's browser sends back, after she went to `address`."""
        with build_opener().open(address, timeout=DEADLINE_S) as answer:
            return Form(answer.read().decode())


@contextmanager
def running(folder: Path, *, email: str = "keiko@noc.example") -> Iterator[SamlProviderServer]:
    """`email`: the address of Keiko."""
    made = keys()
    files = [folder / "key.pem", folder / "certificate.pem"]
    for file, content in zip(files, made, strict=True):
        file.write_bytes(content)
    command = ["node", str(SCRIPT), *map(str, files), email]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield SamlProviderServer(json.loads(process.stdout.readline())["address"], made.certificate.decode())
        finally:
            process.terminate()
