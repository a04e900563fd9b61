"""Removes what the storage has of files."""

import contextlib

from django.core.files.storage import default_storage

from tms.files.models import TerminalFile


def remove_parts(file: TerminalFile) -> None:
    """The parts of a file that is joined."""
    for part in file.received_parts.all():
        default_storage.delete(part.content)
    file.received_parts.all().delete()


def clear(file: TerminalFile) -> None:
    """Everything of a file, also what a process left that died before it stored the name."""
    with contextlib.suppress(FileNotFoundError):
        for name in default_storage.listdir(file.folder)[1]:
            default_storage.delete(f"{file.folder}/{name}")
        with contextlib.suppress(OSError):  # a part arrives at this moment: the row still names the folder
            default_storage.delete(file.folder)
    file.received_parts.all().delete()
