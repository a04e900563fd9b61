"""An empty installation as in production, and the machines that become terminals of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.journeys.demo import ROOT
from deploy.processes import Cluster

ADMINISTRATOR, PASSWORD = "tanaka", "quiet-harbour-lamp"
STOP_DEADLINE_S = 10


class Installation(NamedTuple):
    url: str
    folder: Path
    machines: dict[str, "Machine"]
    """The machines that were switched on, by name."""

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate" / "chain.pem"


@contextmanager
def installation(port: int | None = None) -> Iterator[Installation]:
    """PostgreSQL, Redis, nginx with TLS, a node and a clock, with nothing but an account of `createsuperuser`."""
    with Cluster(1, settings={"TMS_DEMO_IN_PRODUCTION": "0"}, port=port) as cluster:
        account = ["--username", ADMINISTRATOR, "--email", "tanaka@noc.example"]
        cluster.manage("createsuperuser", "--no-input", *account, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        machines: dict[str, Machine] = {}
        try:
            yield Installation(cluster.url, cluster.folder, machines)
        finally:
            for machine in machines.values():
                machine.switch_off()


class Machine:
    """A Linux machine with tms-agent, where people paste commands into a shell."""

    def __init__(self, name: str, at: Installation) -> None:
        self.name = name
        self.folder = at.folder / name
        self.folder.mkdir()
        self._certificate = str(at.certificate)
        self._shells: list[subprocess.Popen[str]] = []
        agent = self.folder / "tms-agent"
        config = self.folder / "tms-agent.toml"
        # A configuration that is named must exist, and enrolment makes it.
        named = f'if [ "$1" = enrol ] || [ -e {config} ]; then export TMS_AGENT_CONFIG={config}; fi'
        agent.write_text(f'#!/bin/sh\n{named}\nexec {sys.executable} -m tms_agent "$@"\n')
        agent.chmod(0o700)

    def paste(self, command: str, *, typed: str = "") -> None:
        """Run a command, such as the agent, which goes on until the machine is switched off. It reads what is typed."""
        trusted = {"SSL_CERT_FILE": self._certificate}
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "agent" / "src")}
        path |= {"TMS_AGENT_SPOOL": f"{self.folder}/spool"}
        # A name of its own, which the agent reports as the serial number.
        shell = ["unshare", "--uts", "sh", "-c", f"hostname {self.name}\n{command}"]
        with (self.folder / "log").open("ab") as log:
            started = subprocess.Popen(
                shell,
                cwd=self.folder,
                env=os.environ | trusted | path,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._shells.append(started)
        assert started.stdin is not None
        with started.stdin:
            started.stdin.write(f"{typed}\n")

    def switch_off(self) -> None:
        for shell in self._shells:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGTERM)
            shell.wait(STOP_DEADLINE_S)
        self._shells.clear()
