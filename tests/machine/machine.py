"""A machine as shipped, below its own directory: installed by userdata.sh, run by supervisor."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError

import psutil
import psycopg

from deploy.processes import HOST, PostgreSQL, Redis
from deploy.processes.tms_process import clean_environment
from tests.machine.metadata import Metadata
from tests.support.servers.tms import QUICK, ROOT

SCRIPTS = ROOT / "deploy" / "machine"
STAND_INS = Path(__file__).parent / "stand_ins"
BUCKET = "tms-000000000000-releases"
NODES = 2
STOP_DEADLINE_S = 10
EXPORTS = {
    "AWS_REGION": "ap-northeast-1",
    "TMS_NAME": "tms",
    "TMS_RELEASES_BUCKET": BUCKET,
    "TMS_RELEASE_PARAMETER": "/tms/release",
    "TMS_APPLICATION_SECRET": "application",
    "TMS_DATABASE_SECRET": "database",
    "TMS_DATABASE_HOST": "database.internal:5432",
    "TMS_DATABASE_NAME": "tms",
    "TMS_REDIS_SECRET": "redis",
    "TMS_MAIL_SECRET": "mail",
    "TMS_MASTER_PARAMETER": "master",
    "TMS_SETTINGS_PARAMETER": "settings",
    "TMS_REDIS_HOST": "redis.internal:6379",
    "TMS_ALLOWED_HOSTS": "tms.example.com",
    "TMS_TRUSTED_PROXIES": "127.0.0.1/32,10.0.1.0/24",
    "TMS_NODES": str(NODES),
    "TMS_LIFECYCLE_HOOK": "drain",
    "TMS_LAUNCH_HOOK": "launch",
    "TMS_ASG": "tms-autoscaling-group",
}
"""Tags as Terraform writes them before userdata.sh."""


class Machine:
    """A machine that has a release in its bucket and all dependencies while it is entered; `boot` starts it."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="tms-machine-"))
        self.root.chmod(0o755)  # nginx's workers run as another user when we are root
        self.aws = self.root / "aws"
        self.metadata = Metadata()
        self.postgresql = PostgreSQL()
        self.redis = Redis()
        self.port, self._first_node_port, *_, self._clock_port = free_run(NODES + 2)

    def __enter__(self) -> Self:
        self.metadata.__enter__()
        self.postgresql.start()
        self.redis.start()
        self._create_folders()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill_supervisor()
        self.redis.__exit__()
        self.postgresql.__exit__()
        self.metadata.__exit__()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def url(self) -> str:
        """The URL at which the load balancer reaches it."""
        return f"http://{HOST}:{self.port}"

    @property
    def link(self) -> str:
        return f"ws://{HOST}:{self.port}/ws/terminal/"

    @property
    def releases_folder(self) -> Path:
        return self.root / "opt/tms/releases"

    def build(self, version: str) -> None:
        """A release of this checkout, in the bucket."""
        self.run(SCRIPTS / "build-release", str(self.aws / "buckets" / BUCKET), TMS_VERSION=version)

    def boot(self, version: str) -> str:
        """Boot the machine like cloud-init. Returns the log."""
        (self.aws / "parameters/tms/release").write_text(version)
        return self.run(SCRIPTS / "userdata.sh")

    def publish_again(self, version: str) -> None:
        """The release `first` under another name, in the bucket only."""
        bucket = self.aws / "buckets" / BUCKET
        artefact = bucket / f"tms-{version}.tar.gz"
        artefact.hardlink_to(bucket / "tms-first.tar.gz")
        digest = (bucket / "tms-first.tar.gz.sha256").read_text().split()[0]
        artefact.with_name(f"{artefact.name}.sha256").write_text(f"{digest}  {artefact.name}\n")

    def copy_release(self, version: str) -> Path:
        """The current release under another name, installed."""
        made = self.releases_folder / version
        shutil.rmtree(made, ignore_errors=True)
        return Path(shutil.copytree((self.root / "opt/tms/current").resolve(), made, symlinks=True))

    def deploy(self, script: str, *arguments: str) -> str:
        """A script of the current release."""
        return self.run(self.root / "opt/tms/current/deploy/machine" / script, *arguments)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        return self._ran("bash", "-c", script)

    def run(self, *command: str | Path, **settings: str) -> str:
        """The output. Raises RuntimeError if it fails."""
        done = self._ran(*command, **settings)
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout}")
        return done.stdout

    def _ran(self, *command: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            env=self._environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def pid_of(self, program: str) -> int:
        """The process id of a program; 0 if it does not run."""
        return int(self._ran(*self._supervisorctl, "pid", program).stdout)

    def releases(self) -> set[str]:
        """The parent of the nodes and the clock."""
        programs = [*(f"tms:node-{number}" for number in range(1, NODES + 1)), "tms:clock"]
        return {Path(f"/proc/{self.pid_of(program)}/cwd").readlink().name for program in programs}

    @property
    def is_answering(self) -> bool:
        """Whether every node answers."""
        try:
            self.metric("tms_false_offline_total")
        except URLError:
            return False
        return True

    def metric(self, name: str) -> float:
        """Its sum over the nodes."""
        return sum(self._metric(self._first_node_port + number, name) for number in range(NODES))

    def start_again(self) -> None:
        """Start what a drain stopped."""
        self.supervisorctl("start", "tms:*")
        self.supervisorctl("restart", "lifecycle")

    def supervisorctl(self, *words: str) -> str:
        return self.run(*self._supervisorctl, *words)

    def manage(self, *arguments: str) -> str:
        return self.deploy("manage", *arguments)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgresql.url, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    @property
    def _environment(self) -> dict[str, str]:
        own = {
            "PATH": f"{STAND_INS}:{os.environ['PATH']}:/usr/sbin",
            "AWS_STAND_IN": str(self.aws),
            "TMS_ROOT": str(self.root),
            "TMS_METADATA": self.metadata.url,
            "TMS_LISTEN": f"{HOST}:{self.port}",
            "TMS_FIRST_NODE_PORT": str(self._first_node_port),
            "TMS_CLOCK_PORT": str(self._clock_port),
            "TMS_START_S": "1",
            "TMS_HEALTHY_WITHIN_S": "150",
            "TMS_LOOK_EVERY_S": "3",  # the watchdog starts a supervisorctl for each node
            "TMS_ANSWER_WITHIN_S": "60",  # a busy computer is no node that hangs
            "TMS_USER": self.root.owner(),
            "TMS_PYTHON": sys._base_executable,  # type: ignore[attr-defined]
            "TMS_RELEASE_PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
            "TMS_DRAIN_SPREAD_S": "1",
        }
        return clean_environment() | EXPORTS | own

    @property
    def _settings(self) -> dict[str, str]:
        """No certificates and no secret of RDS here; and short waits."""
        stores = {
            "TMS_DATABASE_URL": self.postgresql.url,
            "TMS_DATABASE_SECRET": "",
            "TMS_DATABASE_MASTER_SECRET": "",
            "TMS_REDIS_URL": self.redis.url,
            "TMS_CLOUDWATCH_LOG_GROUP": "",
            "TMS_CLOUDWATCH_NAMESPACE": "",
            "TMS_FRAMES_PER_MINUTE": "600",
            "TMS_FRAMES_BURST": "300",
        }
        patient = {"TMS_DRAIN_SPREAD_S": "1", "TMS_RECONNECT_GRACE_S": "30", "TMS_LEASE_GRACE_S": "10"}
        return QUICK | patient | stores

    @property
    def _supervisorctl(self) -> list[str | Path]:
        program = self.root / "opt/tms/supervisor/bin/supervisorctl"
        return [program, "-c", self.root / "etc/tms/supervisord.conf"]

    def _metric(self, port: int, name: str) -> float:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as page:
            found = re.search(rf"^{name} (\S+)", page.read().decode(), re.MULTILINE)
        assert found is not None
        return float(found[1])

    def _create_folders(self) -> None:
        for folder in ("parameters/tms/releases", "secrets", f"buckets/{BUCKET}"):
            (self.aws / folder).mkdir(parents=True)
        secret = json.dumps({"TMS_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"})
        (self.aws / "secrets/application").write_text(secret)
        (self.aws / "secrets/redis").write_text(json.dumps({"auth_token": "a-token"}))
        (self.aws / "secrets/mail").write_text(json.dumps({"url": "smtp://tms:a-password@smtp.example.com:587"}))
        (self.aws / "parameters/master").write_text("rds!db-master")
        settings = "\n".join(f"{name}={value}" for name, value in self._settings.items())
        (self.aws / "parameters/settings").write_text(settings)
        (self.root / "etc/tms").mkdir(parents=True)
        (self.root / "etc/tms/rds.pem").write_text("those of RDS")
        agent = self.root / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
        agent.parent.mkdir(parents=True)
        agent.symlink_to("/bin/true")

    def _kill_supervisor(self) -> None:
        """Kill supervisor and all that it runs. It is suspended first, so that it starts nothing again."""
        pid = self.root / "run/tms/supervisord.pid"
        if not pid.exists():
            return
        supervisor = psutil.Process(int(pid.read_text()))
        supervisor.suspend()
        family = [supervisor, *supervisor.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=STOP_DEADLINE_S)


def free_run(number: int) -> list[int]:
    """Consecutive free ports: nodes have consecutive ports."""
    for first in range(22_000, 22_900, number):
        ports = list(range(first, first + number))
        if all(is_free(port) for port in ports):
            return ports
    raise RuntimeError("no ports are free")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
