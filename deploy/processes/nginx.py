"""nginx as a process."""

import grp
import resource
import socket
from collections.abc import Sequence
from pathlib import Path

from deploy.nginx.configuration import FILES, Configuration, Tls
from deploy.processes.certificate import Certificate
from deploy.processes.programs import find, unprivileged
from deploy.processes.service import HOST, Service, free_port


class Nginx(Service):
    """The reverse proxy, with the configuration of `deploy/nginx/`.

    With a certificate it terminates TLS on `port`. `plain_port` is for a load balancer that terminates TLS itself.
    """

    def __init__(
        self,
        *,
        upstream: Sequence[int],
        static: Path,
        artifacts: Path | None = None,
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
        self.artifacts = artifacts
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
        """Write the configuration; a running nginx loads it on SIGHUP."""
        access_log = self.folder / "access.log"
        access_log.touch(0o600)
        Configuration(
            folder=self.folder,
            state=self.folder,
            access_log=access_log,
            static=self.static,
            artifacts=self.artifacts,
            nodes=self.upstream,
            listen=f"{HOST}:{self.plain_port}",
            balancers=[f"{HOST}/32"],
            user=_user(),
            files=_most_files(),
            tls=self._tls(),
        ).write()
        self.folder.chmod(0o755)  # its workers are not root

    def answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=5):
                return True
        except (ConnectionError, TimeoutError):
            return False

    def _tls(self) -> Tls | None:
        if self.certificate is None:
            return None
        return Tls(listen=f"{HOST}:{self.port}", chain=self.certificate.chain, key=self.certificate.key)


def _user() -> str:
    worker = unprivileged("www-data", "nginx")
    return f"{worker.pw_name} {grp.getgrgid(worker.pw_gid).gr_name}" if worker else ""


def _most_files() -> int:
    """File descriptors that one process may have. Root may raise the limit, but not in every container."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= FILES:
        return FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, FILES))
    except (ValueError, OSError):
        return hard
    return FILES
