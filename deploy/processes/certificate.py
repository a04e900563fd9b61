"""A self-signed certificate for loopback."""

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
    """The certificate in `folder`, created if there is none. Raises ProgramMissing."""
    found = Certificate(folder / "chain.pem", folder / "key.pem")
    if not found.chain.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _create(found)
    return found


def _create(certificate: Certificate) -> None:
    openssl = find("openssl", package="openssl")
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", DAYS]
    where = ["-keyout", str(certificate.key), "-out", str(certificate.chain)]
    subprocess.run(
        [openssl, *kind, "-subj", SUBJECT, "-addext", NAMES, *where],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
