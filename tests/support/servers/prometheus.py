"""A Prometheus with the shipped configuration."""

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

import yaml

from deploy.processes import HOST, Service
from deploy.processes.programs import find

HERE = Path(__file__).resolve().parents[3] / "deploy/prometheus"


class Prometheus(Service):
    """One with our configuration, and a shorter scrape interval."""

    def __init__(self, folder: Path, *, nodes: Sequence[int], clocks: Sequence[int] = ()) -> None:
        """Ports of processes on this host."""
        super().__init__(folder=folder)
        shutil.copytree(HERE, folder / "etc")
        config = folder / "etc/prometheus.yml"
        config.write_text(config.read_text().replace("15s", "1s"))
        for name, ports in {"nodes": nodes, "clocks": clocks}.items():
            targets = [{"targets": [f"{HOST}:{port}" for port in ports]}] if ports else []
            (folder / f"etc/targets/{name}.yml").write_text(yaml.safe_dump(targets))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def command(self) -> Sequence[str]:
        return [
            find("prometheus", package="prometheus"),
            f"--config.file={self.folder}/etc/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address={HOST}:{self.port}",
        ]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, HTTPException, ConnectionError):
            return False

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            found = json.load(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]
