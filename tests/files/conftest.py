"""Fixtures of files that terminals upload."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import Client

from tests.support.builders import Fleet, Link
from tests.support.factories import now
from tms.commands import services as commands
from tms.commands.models import Command
from tms.files.models import TerminalFile
from tms.files.offers import make_offers
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Terminal
from tms.ingest.commit.transaction import write_in_transaction

type Offered = Callable[..., "Uploader"]


class Uploader(NamedTuple):
    """A terminal with a command that has files, and the address of one of them."""

    terminal: Terminal
    command: Command
    path: str
    credential: str

    def send(self, method: str, data: bytes = b"", **headers: str) -> HttpResponse:
        given = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {self.credential}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Client().generic(
            method, self.path, data, given.get("Content-Type", ""), headers={n: v for n, v in given.items() if v}
        )

    def announce(self, length: int, **metadata: str | bytes) -> HttpResponse:
        told = {"filename": "app.log", "filetype": "text/plain"} | metadata
        pairs = (f"{name} {base64.b64encode(_bytes(value)).decode()}" for name, value in told.items() if value)
        return self.send("POST", Upload_Length=str(length), Upload_Metadata=",".join(pairs))

    def append(self, offset: int, data: bytes) -> HttpResponse:
        return self.send("PATCH", data, Content_Type="application/offset+octet-stream", Upload_Offset=str(offset))

    def upload(self, data: bytes, **metadata: str | bytes) -> TerminalFile:
        self.announce(len(data), **metadata)
        self.append(0, data)
        return self.file

    @property
    def file(self) -> TerminalFile:
        return TerminalFile.objects.get(command=self.command, number=1)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


@pytest.fixture
def offered(fleet: Fleet) -> Offered:
    """A terminal whose command `logs` was sent at `at`."""

    def make(terminal: Terminal | None = None, *, at: datetime | None = None, **options: Any) -> Uploader:
        at, terminal = at or now(), terminal or fleet.terminal()
        write_in_transaction([Link(terminal).boot(capabilities=("logs", "screenshot"), at=at)])
        values = {"name": "logs", "args": {}, "answer_within_s": 600.0} | options
        command = commands.queue(terminal, by=None, at=at, **values)
        sent = commands.dequeue({terminal.pk: 1}, at=at)
        offer = make_offers(sent)[command.pk][0]
        return Uploader(terminal, command, offer.path, str(credentials.issue(terminal)))

    return make


@pytest.fixture
def stored() -> Iterator[Callable[[TerminalFile], list[str]]]:
    """The names of what the storage has of a file."""

    def names(file: TerminalFile) -> list[str]:
        try:
            return default_storage.listdir(file.folder)[1]
        except FileNotFoundError:
            return []

    return names
