"""Writes the configuration of nginx."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent
SOCKETS = 60_000
"""WebSockets that it can hold; each needs two descriptors."""
FILES = 2 * SOCKETS + 1_000
"""Descriptors for them and for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The certificate of an nginx that terminates TLS itself."""

    listen: str
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    folder: Path
    """Where the configuration is written."""
    state: Path
    """The folder for files that nginx writes while it runs: its pid, bodies of requests."""
    access_log: Path
    static: Path
    """Served as `/static/`."""
    artifacts: Path | None = None
    """Sent to terminals that TMS allows it (`TMS_ARTIFACTS_BY_NGINX`)."""
    nodes: Sequence[int]
    """Their ports, on this host."""
    listen: str
    """Address and port for the load balancer, which terminates TLS."""
    balancers: Sequence[str]
    """Networks of the load balancers: their X-Forwarded-For is trusted."""
    user: str = ""
    """User and group of the workers; by default the user that starts nginx."""
    files: int = FILES
    """File descriptors of a worker."""
    tls: Tls | None = None

    def write(self) -> Sequence[Path]:
        """Write the files; returns those that changed. nginx loads them on SIGHUP, and closes links a minute later."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in ("body", "proxy"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        templates = sorted([*TEMPLATES.glob("*.conf"), *TEMPLATES.glob("*.html")])
        texts = {self.folder / path.name: self._render(path.read_text()) for path in templates}
        changed = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
        for path in changed:
            path.write_text(texts[path])
        return changed

    def _render(self, template: str) -> str:
        for name, value in self._values().items():
            template = template.replace(f"@{name}@", value)
        return template

    def _values(self) -> Mapping[str, str]:
        workers = max(os.cpu_count() or 1, math.ceil(2 * SOCKETS / self.files))
        return {
            "USER": f"user {self.user};" if self.user else "",
            "FOLDER": str(self.folder),
            "STATE": str(self.state),
            "ACCESS_LOG": str(self.access_log),
            "FILES": str(self.files),
            "CONNECTIONS": str(self.files - 100),
            "WORKERS": str(workers),
            "UPSTREAM": _lines(f"server 127.0.0.1:{port} max_fails=0;" for port in self.nodes),
            "BALANCERS": _lines(f"{network} 1;" for network in self.balancers),
            "REAL_IP_FROM": _lines(f"set_real_ip_from {network};" for network in self.balancers),
            "LISTEN_PLAIN": self.listen,
            "LISTEN_TLS": self.tls.listen if self.tls else "",
            "TLS": f"include {self.folder}/tls.conf;" if self.tls else "",
            "CERTIFICATE": str(self.tls.chain) if self.tls else "",
            "KEY": str(self.tls.key) if self.tls else "",
            "STATIC": str(self.static),
            "ARTIFACTS": f"location /artifact-files/ {{ internal; alias {self.artifacts}/; }}"
            if self.artifacts
            else "",
            "PER_ADDRESS": "65535",
        }


def _lines(lines: Iterable[str]) -> str:
    return "\n    ".join(lines)
