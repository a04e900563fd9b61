"""The source code of libraries that tms.server relies on beyond their documentation.

`python -m tests.server.relied` prints a hash of each; `--accept` writes them to relied.json, after the changes were
reviewed and tms.server still fits them.
"""

import hashlib
import importlib
import inspect
import json
import sys
from importlib.metadata import version
from pathlib import Path

KNOWN = Path(__file__).with_name("relied.json")

PACKAGES = ["daphne", "twisted"]

RELIED = {
    "daphne.server": [
        "Server.__init__",
        "Server.run",
        "Server.create_application",
        "Server.handle_reply",
        "Server.application_checker",
        "Server.timeout_checker",
        "Server.protocol_connected",
        "Server.protocol_disconnected",
        "Server.kill_all_applications",
        "Server.stop",
    ],
    "daphne.http_protocol": [
        "WebRequest.__init__",
        "WebRequest.process",
        "WebRequest.connectionLost",
        "WebRequest.finish",
        "WebRequest.handle_exception",
    ],
    "twisted.web.http": [
        "HTTPChannel.connectionMade",
        "HTTPChannel.lineReceived",
        "HTTPChannel.allContentReceived",
        "HTTPChannel.requestDone",
        "HTTPChannel.loseConnection",
        "HTTPChannel.allHeadersReceived",
        "HTTPChannel.rawDataReceived",
        "Request.gotLength",
        "Request.handleContentChunk",
    ],
}


def hashes() -> dict[str, str]:
    versions = {package: version(package) for package in PACKAGES}
    return versions | {
        f"{module}.{name}": hash_of(importlib.import_module(module), name)
        for module, names in RELIED.items()
        for name in names
    }


def hash_of(owner: object, name: str) -> str:
    """The function as defined right there, not inherited."""
    for part in name.split("."):
        owner = vars(owner)[part]
    return hashlib.sha256(inspect.getsource(owner).encode()).hexdigest()[:12]  # type: ignore[arg-type]


def main() -> None:
    text = json.dumps(hashes(), indent=2) + "\n"
    if "--accept" in sys.argv:
        KNOWN.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
