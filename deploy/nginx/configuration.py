import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent
SOCKETS = 60_000
"""That it can hold; each has two ends."""
FILES = 2 * SOCKETS + 1_000
"""Descriptors for them and for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Where nginx itself ends TLS."""

    listen: str
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    folder: Path
    """Where it is written."""
    state: Path
    """What nginx writes while it runs: its pid, bodies of requests."""
    access_log: Path
    static: Path
    """What is served as `/static/`."""
    nodes: Sequence[int]
    """Their ports, on this host."""
    listen: str
    """Address and port for whoever ends TLS before us."""
    balancers: Sequence[str]
    """Networks of those, and of nobody else: they are believed when they say who a client is."""
    user: str = ""
    """Whom the workers run as, with the group behind it; by default, whoever starts nginx."""
    files: int = FILES
    """Descriptors that a worker may have."""
    tls: Tls | None = None

    def write(self) -> Sequence[Path]:
        """What changed by it. A running nginx takes it at SIGHUP, and lets go of its links a minute later."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for place in ("body", "proxy"):
            (self.state / place).mkdir(parents=True, exist_ok=True)
        templates = sorted([*TEMPLATES.glob("*.conf"), *TEMPLATES.glob("*.html")])
        texts = {self.folder / path.name: self._filled_in(path.read_text()) for path in templates}
        changed = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
        for path in changed:
            path.write_text(texts[path])
        return changed

    def _filled_in(self, template: str) -> str:
        for name, value in self._blanks().items():
            template = template.replace(f"@{name}@", value)
        return template

    def _blanks(self) -> Mapping[str, str]:
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
            "PER_ADDRESS": "65535",
        }


def _lines(lines: Iterable[str]) -> str:
    return "\n    ".join(lines)
