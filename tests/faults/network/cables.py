"""A network namespace with virtual cables that can be cut: packets into a cut cable are lost silently."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

UNUSED_MAC = "02:00:00:00:00:01"
"""An address that no interface has: frames to it are dropped at the other end, as in a network failure."""
PREFIX = "tms-faults-"
FOLDER = Path("/run/netns")


def needs_namespaces() -> str:
    if os.geteuid() != 0:
        return "needs root, to make a network namespace"
    if not shutil.which("ip"):
        return "needs ip (Debian: apt install iproute2)"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "network namespaces are not allowed here"


class Cable(NamedTuple):
    """`here` and `there` are addresses; `inside` is the name of the interface in the namespace."""

    here: str
    there: str
    outside: str
    inside: str
    namespace: str

    def cut(self) -> None:
        ip("neigh", "replace", self.there, "lladdr", UNUSED_MAC, "dev", self.outside, "nud", "permanent")
        ip(*self._in, "neigh", "replace", self.here, "lladdr", UNUSED_MAC, "dev", self.inside, "nud", "permanent")

    def repair(self) -> None:
        ip("neigh", "del", self.there, "dev", self.outside)
        ip(*self._in, "neigh", "del", self.here, "dev", self.inside)

    @property
    def _in(self) -> tuple[str, str]:
        return "-n", self.namespace


class Namespace:
    """Removed with its cables when it is closed; leftovers of a killed run are removed when the next one begins."""

    def __init__(self) -> None:
        self.name = f"{PREFIX}{os.getpid()}"
        self.cables: dict[str, Cable] = {}

    def open(self, *cables: str) -> None:
        remove_leftovers()
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        for number, name in enumerate(cables):
            self.cables[name] = self._add(number)

    def close(self) -> None:
        for cable in self.cables.values():
            ip("link", "del", cable.outside)  # by itself it goes too, but later
        ip("netns", "del", self.name)

    def inside(self, *command: str) -> list[str]:
        """A command line that runs `command` in the namespace, in the same process."""
        return ["ip", "netns", "exec", self.name, *command]

    def _add(self, number: int) -> Cable:
        outside, inside = f"tmsf{number}o{os.getpid() % 100_000}", f"tmsf{number}i"
        net = f"10.{64 + os.getpid() % 64}.{number}"  # another run may be on this machine
        here, there = f"{net}.1", f"{net}.2"
        ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name)
        ip("addr", "add", f"{here}/30", "dev", outside)
        ip("link", "set", outside, "up")
        ip("-n", self.name, "addr", "add", f"{there}/30", "dev", inside)
        ip("-n", self.name, "link", "set", inside, "up")
        return Cable(here, there, outside, inside, self.name)


def remove_leftovers() -> None:
    for path in FOLDER.glob(f"{PREFIX}*"):
        pid = re.sub(r"\D", "", path.name)
        if not Path(f"/proc/{pid}").exists():
            ip("netns", "del", path.name)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
