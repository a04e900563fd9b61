"""TMS with all of its services, as processes on one machine."""

import secrets
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deploy.processes.certificate import certificate
from deploy.processes.clock import ClockProcess
from deploy.processes.nginx import Nginx
from deploy.processes.node import NodeProcess
from deploy.processes.postgresql import PostgreSQL
from deploy.processes.redis import Redis
from deploy.processes.service import HOST, Service, Startable
from deploy.processes.tms_process import ROOT, TmsProcess, clean_environment, manage

type Settings = Mapping[str, str]

MOST_NODES, MOST_CLOCKS = 60, 20
"""The number of nodes and clocks for which ports are reserved."""


class Ports:
    """Fixed ports from `first` on, the same at every start; free ones if it is None."""

    def __init__(self, first: int | None) -> None:
        self._first = first

    def at(self, offset: int) -> int | None:
        return None if self._first is None else self._first + offset


class Cluster(Startable):
    """TMS as in production on one machine.

    Ports are fixed from `port` on, nginx first and nodes from the tenth; or free ones if it is None. `settings` are
    environment variables of every node and clock, and override the cluster's own. With `{"TMS_PRODUCTION": "0"}` pages
    are plain HTTP; in production nginx terminates TLS with a self-signed certificate.
    """

    def __init__(
        self,
        nodes: int = 3,
        *,
        clocks: int = 1,
        settings: Settings = MappingProxyType({}),
        durable: bool = True,
        folder: Path | None = None,
        port: int | None = None,
    ) -> None:
        self.keeps_folder = folder is not None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="tms-cluster-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # as root, PostgreSQL and nginx's workers run as other users
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        data.chmod(0o711)  # nginx sends artifacts from there
        ports = Ports(port)
        self.postgresql = PostgreSQL(durable=durable, folder=self.folder / "postgresql", port=ports.at(90))
        self.redis = Redis(folder=self.folder / "redis", port=ports.at(91))
        self.environment = self._production() | dict(settings)
        self.nodes = [self._process(NodeProcess, f"node-{n}", ports.at(9 + n)) for n in range(1, nodes + 1)]
        self.clocks = [self._process(ClockProcess, f"clock-{n}", ports.at(69 + n)) for n in range(1, clocks + 1)]
        self.nginx = Nginx(
            folder=self.folder / "nginx",
            port=ports.at(0),
            plain_port=ports.at(1),
            upstream=[node.port for node in self.nodes],
            static=Path(self.environment["TMS_STATIC_ROOT"]),
            artifacts=Path(self.environment["TMS_DATA_DIR"]) / "artifacts",
            certificate=certificate(self.folder / "certificate") if self.is_production else None,
        )

    @property
    def url(self) -> str:
        """The URL of pages, through nginx."""
        return self.nginx.url

    @property
    def link(self) -> str:
        """The URL of the terminals' link, through nginx, as behind a load balancer that terminates TLS."""
        return self.nginx.link

    @property
    def is_production(self) -> bool:
        return self.environment["TMS_PRODUCTION"] == "1"

    @property
    def services(self) -> Sequence[Service]:
        """The services in the order of their start."""
        return [self.postgresql, self.redis, *self.clocks, *self.nodes, self.nginx]

    def start(self) -> None:
        self.start_stores()
        self.prepare()
        for service in (*self.clocks, *self.nodes, self.nginx):
            service.launch()
        for service in (*self.clocks, *self.nodes, self.nginx):
            service.wait_until_ready()

    def start_stores(self) -> None:
        self.postgresql.start()
        self.redis.start()

    def prepare(self) -> None:
        """Migrate the database and collect static files."""
        self.manage("migrate", "--verbosity", "0", "--no-input", "--skip-checks")
        if self.is_production:
            self.manage("collectstatic", "--verbosity", "0", "--no-input")

    @property
    def stop_order(self) -> Sequence[Sequence[Service]]:
        """Groups that stop together: nodes first, while the proxy still works, so that they can drain; stores last."""
        return (self.nodes, self.clocks, [self.nginx], [self.redis], [self.postgresql])

    def stop(self) -> None:
        for group in self.stop_order:
            for service in group:
                service.request_stop()
            for service in group:
                service.wait_until_ended()

    def manage(self, *arguments: str, **settings: str) -> str:
        """Standard output of a management command. Raises RuntimeError with its stderr if it fails."""
        done = subprocess.run(
            manage(*arguments),
            cwd=ROOT,
            env=clean_environment() | self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def _process[P: TmsProcess](self, kind: type[P], name: str, port: int | None) -> P:
        return kind(name=name, folder=self.folder / name, port=port, environment=self.environment)

    def _production(self) -> dict[str, str]:
        return {
            "TMS_PRODUCTION": "1",
            "TMS_DEMO_IN_PRODUCTION": "1",
            "TMS_SECRET_KEY": _stored_secret(self.folder / "secret-key"),
            "TMS_ALLOWED_HOSTS": f"{HOST},localhost",
            "TMS_TRUSTED_PROXIES": "127.0.0.0/8",
            "TMS_DATABASE_URL": self.postgresql.url,
            "TMS_REDIS_URL": self.redis.url,
            "TMS_DATA_DIR": str(self.folder / "data"),
            "TMS_STATIC_ROOT": str(self.folder / "static"),
            "TMS_ARTIFACTS_BY_NGINX": "1",
        }


def _stored_secret(path: Path) -> str:
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
