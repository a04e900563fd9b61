"""The list of devices that a factory delivers: a CSV `serial,model,key,site,kind,label`, read strictly.

`key` may be empty. It is the secret that the factory put into the device, which connects with it as `SERIAL.KEY`; of it
only the hash is kept.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

from django.utils.translation import gettext

from tms.fleet.models import Site, TerminalKind
from tms.lib.hashing import hash_token
from tms.protocol.credential import SECRET
from tms.protocol.text import is_clean, is_storable

COLUMNS = ("serial", "model", "key", "site", "kind", "label")
REQUIRED = ("serial", "site", "kind")
MAX_ROWS = 10_000
MAX_BYTES = 1_000_000
"""Ten thousand devices with keys; the proxy accepts little more."""
MAX_ERRORS = 50
LENGTHS = {"serial": 64, "model": 64, "label": 100}
ENCODINGS = ("utf-8-sig", "cp932")
"""UTF-8, and what Excel writes in Japan."""


@dataclass(frozen=True, slots=True)
class FactoryDevice:
    line: int
    serial: str
    model: str
    digest: str
    """The hash of its key; empty if it enrols with a token."""
    site: Site
    kind: TerminalKind
    label: str


class ListError(NamedTuple):
    line: int
    column: str
    text: str

    def __str__(self) -> str:
        values = {"line": self.line, "column": self.column, "text": self.text}
        if not self.column:
            return gettext("Line %(line)d: %(text)s") % values
        return gettext("Line %(line)d, column %(column)s: %(text)s") % values


class BadList(Exception):
    """Nothing of the list is used."""

    def __init__(self, *errors: ListError) -> None:
        super().__init__("; ".join(f"{error.line} {error.column} {error.text}" for error in errors))
        self.errors = errors


def read(content: bytes, *, sites: Mapping[str, Site]) -> list[FactoryDevice]:
    """`sites`: those that the list may name, by code. Raises BadList with the first errors."""
    devices: list[FactoryDevice] = []
    errors: list[ListError] = []
    reader = _ListReader(sites)
    for line, cells in _lines(_text(content)):
        found = list(reader.errors_of(line, cells))
        errors += found
        if not found:
            devices.append(reader.device(line, cells))
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        raise BadList(*errors[:MAX_ERRORS])
    if not devices:
        raise BadList(ListError(2, "", gettext("expected at least one device")))
    return devices


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise BadList(ListError(1, "", gettext("the file is larger than 1 MB; split it")))
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadList(ListError(1, "", gettext("expected CSV in UTF-8")))


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each row by column, with the number of its line. Rows without any text are left out."""
    rows = csv.reader(StringIO(text), strict=True)
    number = 0
    try:
        columns = _columns(next(rows, []))
        for cells in rows:
            if not any(cells):
                continue
            number += 1
            if len(cells) != len(columns):
                expected = gettext("expected %(columns)d cells, found %(cells)d")
                raise BadList(ListError(rows.line_num, "", expected % {"columns": len(columns), "cells": len(cells)}))
            if number > MAX_ROWS:
                raise BadList(ListError(rows.line_num, "", gettext("a list has at most 10,000 devices; split it")))
            yield rows.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise BadList(ListError(rows.line_num, "", str(error))) from None


def _columns(head: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in head]
    expected = gettext("expected the columns %(columns)s") % {"columns": ",".join(COLUMNS)}
    if len(set(columns)) != len(columns) or not set(REQUIRED) <= set(columns) <= set(COLUMNS):
        raise BadList(ListError(1, "", expected))
    return columns


class _ListReader:
    """Reads rows of one list, and remembers what must not be repeated."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self.sites = sites
        self.lines: dict[tuple[str, str], int] = {}
        """The line of each serial number and of each hash."""

    def errors_of(self, line: int, cells: Mapping[str, str]) -> Iterator[ListError]:
        for column, most in LENGTHS.items():
            text = cells.get(column, "")
            if len(text) > most:
                yield ListError(line, column, gettext("expected at most %(most)d characters") % {"most": most})
            elif not is_storable(text) or not is_clean(text):
                yield ListError(line, column, gettext("contains a control character"))
        if not cells["serial"]:
            yield ListError(line, "serial", gettext("expected a serial number"))
        if cells["site"] not in self.sites:
            text = gettext("%(site)s is no open site where you may enrol terminals; expected its code")
            yield ListError(line, "site", text % {"site": cells["site"] or "–"})
        if cells["kind"] not in TerminalKind:
            yield ListError(line, "kind", gettext("expected %(kinds)s") % {"kinds": ", ".join(TerminalKind.values)})
        key = cells.get("key", "")
        if key and not SECRET.fullmatch(key):
            yield ListError(line, "key", gettext("expected 43 to 128 characters of A–Z, a–z, 0–9, - and _, or nothing"))
        yield from self._repeated(line, "serial", cells["serial"])
        yield from self._repeated(line, "key", hash_token(key) if key else "")

    def _repeated(self, line: int, column: str, value: str) -> Iterator[ListError]:
        first = self.lines.setdefault((column, value), line)
        if value and first != line:
            yield ListError(line, column, gettext("is the same as in line %(line)d") % {"line": first})

    def device(self, line: int, cells: Mapping[str, str]) -> FactoryDevice:
        key = cells.get("key", "")
        return FactoryDevice(
            line=line,
            serial=cells["serial"],
            model=cells.get("model", ""),
            digest=hash_token(key) if key else "",
            site=self.sites[cells["site"]],
            kind=TerminalKind(cells["kind"]),
            label=cells.get("label", ""),
        )


def refuse(devices: Collection[FactoryDevice], column: str, text: str) -> None:
    """Raises BadList if there are any."""
    if devices:
        raise BadList(*(ListError(device.line, column, text) for device in list(devices)[:MAX_ERRORS]))
