"""Offers: the addresses at which a terminal may upload the files of a command that is being sent to it."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tms.commands import catalogue
from tms.commands.kinds import CommandSpec
from tms.commands.models import Command
from tms.files.models import TerminalFile
from tms.lib.hashing import hash_token

FOLDER = "terminal-files"
"""All objects of files are below it: rules of the storage name it."""
MAX_PART_BYTES = 2**20
"""The largest body that nginx passes on by default. It is in memory while it is stored."""


class Offer(NamedTuple):
    """One file that the terminal may upload."""

    path: str
    max_bytes: int
    part_bytes: int
    media_types: tuple[str, ...]


def make_offers(commands: Sequence[Command]) -> dict[int, list[Offer]]:
    """The offers of each of these sent commands that has files, by the key of the command.

    The tokens are nowhere else: a command is sent at most once.
    """
    specs = _with_files({command.name for command in commands})
    offers: dict[int, list[Offer]] = {}
    rows = []
    for command in commands:
        if command.name in specs:
            for row, offer in _of(command, specs[command.name]):
                rows.append(row)
                offers.setdefault(command.pk, []).append(offer)
    TerminalFile.objects.bulk_create(rows)
    return offers


def _with_files(names: set[str]) -> Mapping[str, CommandSpec]:
    found = (catalogue.find(name) for name in names)
    return {spec.name: spec for spec in found if spec is not None and spec.files}


def _of(command: Command, spec: CommandSpec) -> Iterator[tuple[TerminalFile, Offer]]:
    assert command.due_at is not None
    for number in range(1, spec.files + 1):
        token = secrets.token_urlsafe(32)
        row = TerminalFile(
            terminal_id=command.terminal_id,
            command_id=command.pk,
            number=number,
            digest=hash_token(token),
            expires_at=command.due_at,
            max_bytes=spec.max_file_bytes,
            media_types=list(spec.file_types),
            folder=f"{FOLDER}/{secrets.token_urlsafe(18)}",
        )
        yield row, Offer(f"/upload/{token}", spec.max_file_bytes, MAX_PART_BYTES, tuple(spec.file_types))
