"""`make run`: the embedded TMS with a demo fleet, in one command."""

import errno
import fcntl
import logging
import os
import platform
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from tms.demo import seed
from tms.demo.breaking import client
from tms.demo.breaking.socket_path import ControlSocket
from tms.demo.checks import refuse_production
from tms.demo.children import Children
from tms.demo.notification_log import NotificationLog
from tms.demo.people import PEOPLE, VISITOR
from tms.lib.management import NoChecksCommand
from tms.main import demo_notifications
from tms.main.management.commands import serve
from tms.server import CannotListen, PortInUse

MAX_TERMINALS = 5_000
HERE = "127.0.0.1"


class Command(NoChecksCommand):
    help = "Migrates, seeds a demo fleet once, serves it, and runs a simulator and the real agent of this machine."
    needs_database = False

    def handle(self, *args: object, **options: object) -> None:
        refuse_production()
        host, port = address("HOST", HERE), number("PORT", 8000, least=1, most=65_535)
        terminals = number("TERMINALS", 200, least=0, most=MAX_TERMINALS)
        reduce_logging()
        must_be_writable(settings.DATA_DIR)
        with only_one(Path(settings.DATA_DIR), url=url_of(port)):
            must_be_free(host, port)
            self.run(host, port, terminals)
        self.show("Stopped.")

    def run(self, host: str, port: int, terminals: int) -> None:
        log = NotificationLog(notifications_file())
        demo = Demo(self, port=port)
        try:
            self.prepare(terminals, log)
            serve.server_for(demo, host=host, port=port).run()
        except PortInUse:
            raise port_in_use(port) from None
        except CannotListen as error:
            raise CommandError(str(error)) from None
        finally:
            demo.children.stop()
            demo.control.remove()
            log.close()

    def prepare(self, terminals: int, log: NotificationLog) -> None:
        self.show(f"Preparing the database in {settings.DATA_DIR} …")
        call_command("migrate", verbosity=0, interactive=False)
        self.show(f"Preparing the demo fleet of {terminals} terminals …")
        seed.seed(terminals, path=fleet_file(), machine=machine_uid())
        usernames = [one.username for one in PEOPLE]
        demo_notifications.write_policy(usernames, log_url=log.url, today=timezone.localdate())
        demo_notifications.redirect_to(log.url)

    def show(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class Demo(serve.Process):
    """The server's process, which includes the clock. The terminals are processes of their own, over the real link."""

    def __init__(self, command: Command, *, port: int) -> None:
        super().__init__(with_clock=True)
        self.command = command
        self.port = port
        self.children = Children(Path(settings.DATA_DIR) / "terminals.log")
        self.control = ControlSocket(Path(settings.DATA_DIR))

    async def start(self) -> None:
        await super().start()
        link = f"ws://{HERE}:{self.port}/ws/terminal/"
        fleet = str(fleet_file())
        count = os.environ.get("TERMINALS", "200")
        control = self.control.path
        client.enable(control)
        self.children.start(
            "tms.demo", "--url", link, "--fleet", fleet, "--terminals", count, "--control", str(control)
        )
        self.children.start("tms.demo.this_machine", "--url", link, "--fleet", fleet, "--spool", str(spool_file()))
        self.command.show(greeting(self.port))

    async def drain(self, server: object) -> None:
        """The terminals leave before the server does, so that it need not wait for them."""
        self.command.show("Stopping …")
        self.children.request_stop()
        await super().drain(server)


def greeting(port: int) -> str:
    return (
        f"\n  TMS is ready:   {url_of(port)}\n"
        f"  Sign in with:   {VISITOR.username} / {VISITOR.password}\n"
        f"  Notifications:  {notifications_file()}\n"
        f"  Stop it with:   Ctrl-C\n"
    )


def reduce_logging() -> None:
    """The console is for a person: warnings only, unless another level was requested."""
    if not os.environ.get("TMS_LOG_LEVEL"):
        logging.getLogger().setLevel(logging.WARNING)


def url_of(port: int) -> str:
    return f"http://{HERE}:{port}/"


def address(name: str, default: str) -> str:
    text = os.environ.get(name) or default
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise CommandError(f"{name}={text!r}: expected an IPv4 address of this machine, or 0.0.0.0") from None


def number(name: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise CommandError(f"{name}={text!r}: expected a whole number from {least} to {most}")
    return int(text)


def must_be_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CommandError(f"TMS_DATA_DIR={folder}: {error.strerror}; set a writable directory") from None


@contextmanager
def only_one(folder: Path, *, url: str) -> Iterator[None]:
    """Hold the data directory for this process. The lock ends with it, also when it is killed."""
    with (folder / "demo.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CommandError(
                f"TMS already runs there at {lock.read()}; for a second one: TMS_DATA_DIR=~/tms-2 PORT=8001 make run"
            ) from None
        lock.truncate(0)
        lock.write(url)
        lock.flush()
        yield


def must_be_free(host: str, port: int) -> None:
    """Checked before the preparation, which takes longer than a person waits for an error."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise port_in_use(port) from None


def port_in_use(port: int) -> CommandError:
    return CommandError(f"port {port} is in use; choose another: PORT=8001 make run")


def machine_uid() -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:40]
    return name or f"this-{sys.platform}"


def fleet_file() -> Path:
    return Path(settings.DATA_DIR) / "demo-fleet.json"


def notifications_file() -> Path:
    return Path(settings.DATA_DIR) / "notifications.log"


def spool_file() -> Path:
    return Path(settings.DATA_DIR) / "agent.spool"
