"""The peer on the library ocpp-rpc for Node."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.installation import PATH, Installation
from benchmarks.peers.peer import Peer

HERE = Path(__file__).parent


class OcppNode(Peer):
    """`server.js` in this folder, with the packages of another folder."""

    name = "ocpp-node"
    installation = Installation(
        name,
        locks=(HERE / "package.json", HERE / "package-lock.json"),
        commands=(("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"),),
    )

    @property
    def env(self) -> dict[str, str]:
        return super().env | {"NODE_PATH": str(self.installation.folder / "node_modules"), "NODE_ENV": "production"}

    @property
    def serve(self) -> Sequence[str]:
        return ["node", str(HERE / "server.js")]

    @classmethod
    def versions(cls) -> dict[str, str]:
        environment = {"PATH": PATH}
        version = subprocess.run(["node", "--version"], env=environment, capture_output=True, text=True, check=True)
        return {"node": version.stdout.strip(), **json.loads((HERE / "package.json").read_text())["dependencies"]}
