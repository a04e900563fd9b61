import grp
import math
import os
import resource
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.cluster.certificate import Certificate
from deploy.cluster.process import ROOT
from deploy.cluster.programs import find, unprivileged
from deploy.cluster.service import HOST, Service, free_port

TEMPLATES = ROOT / "deploy" / "nginx"
SOCKETS = 60_000
"""That it can hold; each has two ends."""


class Nginx(Service):
    """The proxy in front, with the configuration of `deploy/nginx/`.

    It ends TLS on `port` when it has a certificate. On `plain_port` it serves whoever ends TLS before it.
    """

    def __init__(
        self,
        *,
        upstream: Sequence[int],
        static: Path,
        certificate: Certificate | None = None,
        name: str = "",
        folder: Path | None = None,
        port: int | None = None,
        plain_port: int | None = None,
    ) -> None:
        super().__init__(name=name, folder=folder, port=port)
        self.plain_port = (plain_port or free_port()) if certificate else self.port
        self.upstream = upstream
        self.static = static
        self.certificate = certificate

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}" if self.certificate else f"http://{HOST}:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://{HOST}:{self.plain_port}"

    @property
    def link(self) -> str:
        return f"ws://{HOST}:{self.plain_port}/ws/terminal/"

    @property
    def command(self) -> Sequence[str]:
        program = find("nginx", package="nginx")
        return [program, "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]

    def launch(self) -> None:
        self.configure()
        super().launch()

    def configure(self) -> None:
        """Write the configuration; a running nginx takes it at SIGHUP."""
        for template in TEMPLATES.glob("*.conf"):
            (self.folder / template.name).write_text(self._filled_in(template.read_text()))
        for place in ("body", "proxy"):
            (self.folder / place).mkdir(exist_ok=True)
        self.folder.chmod(0o755)  # its workers are not root

    def answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=5):
                return True
        except (ConnectionError, TimeoutError):
            return False

    def _filled_in(self, template: str) -> str:
        for name, value in self._blanks().items():
            template = template.replace(f"@{name}@", value)
        return template

    def _blanks(self) -> Mapping[str, str]:
        files = _most_files()
        workers = max(os.cpu_count() or 1, math.ceil(2 * SOCKETS / files))
        return {
            "USER": _user(),
            "FOLDER": str(self.folder),
            "FILES": str(files),
            "CONNECTIONS": str(files - 100),
            "WORKERS": str(workers),
            "UPSTREAM": "\n    ".join(f"server {HOST}:{port} max_fails=0;" for port in self.upstream),
            "BALANCERS": f"{HOST}/32",
            "LISTEN_PLAIN": f"{HOST}:{self.plain_port}",
            "LISTEN_TLS": f"{HOST}:{self.port}",
            "TLS": f"include {self.folder}/tls.conf;" if self.certificate else "",
            "CERTIFICATE": str(self.certificate.chain) if self.certificate else "",
            "KEY": str(self.certificate.key) if self.certificate else "",
            "STATIC": str(self.static),
            "PER_ADDRESS": "65535",
        }


def _user() -> str:
    worker = unprivileged("www-data", "nginx")
    return f"user {worker.pw_name} {grp.getgrgid(worker.pw_gid).gr_name};" if worker else ""


def _most_files() -> int:
    """Descriptors that one process may have. Root may raise the limit, though not in every container."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * SOCKETS + 1_000
    if hard == resource.RLIM_INFINITY or hard >= needed:
        return needed
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, needed))
    except (ValueError, OSError):
        return hard
    return needed
