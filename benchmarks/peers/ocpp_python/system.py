"""The peer on the library ocpp for Python."""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.installation import Installation
from benchmarks.peers.peer import Peer

HERE = Path(__file__).parent


class OcppPython(Peer):
    """`server.py` in this folder, in a separate virtual environment."""

    name = "ocpp-python"
    bearable_per_second = 800
    installation = Installation(
        name,
        locks=(HERE / "requirements.txt",),
        commands=(
            ("uv", "venv", "--quiet", "--no-project", "--python", sys.executable, "venv"),
            ("uv", "pip", "sync", "--quiet", "--require-hashes", "--python", "venv/bin/python", "requirements.txt"),
        ),
    )

    @property
    def serve(self) -> Sequence[str]:
        interpreter = self.installation.folder / "venv" / "bin" / "python"
        return [str(interpreter), "-m", "benchmarks.peers.ocpp_python.server"]

    @classmethod
    def versions(cls) -> dict[str, str]:
        pins = (HERE / "requirements.in").read_text().split()
        return {name: version for name, _, version in (pin.partition("==") for pin in pins)}
