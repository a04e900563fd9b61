"""A certificate for loopback, signed by itself: a browser asks once, a client may be told to trust it."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from deploy.processes.programs import find

SUBJECT = "/CN=TMS on this machine"
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
DAYS = "825"


class Certificate(NamedTuple):
    chain: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """That of `folder`, made when there is none. Raises Missing."""
    made = Certificate(folder / "chain.pem", folder / "key.pem")
    if not made.chain.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(made)
    return made


def _make(certificate: Certificate) -> None:
    openssl = find("openssl", package="openssl")
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", DAYS]
    where = ["-keyout", str(certificate.key), "-out", str(certificate.chain)]
    subprocess.run(
        [openssl, *kind, "-subj", SUBJECT, "-addext", NAMES, *where],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
