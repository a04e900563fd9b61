"""`manage.py audit` verifies or exports the audit trail."""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from tms.accounts.audit import anchors, export, recorder
from tms.accounts.audit.verification import Broken, ChainAnchor, Verified, verify
from tms.accounts.models.audit_chain import AuditDay
from tms.accounts.models.audit_entry import AuditEntry
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Verifies the hash chain of the audit trail, or exports the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verifying = actions.add_parser("verify", help="find the first entry that was edited or deleted")
        verifying.add_argument("--since", type=_day, metavar="DAY", help="first day, such as 2026-11-24; default: all")
        verifying.add_argument(
            "--anchor", action="append", default=[], metavar="FILE", help="anchors as JSON Lines, or the log with them"
        )
        exporting = actions.add_parser("export", help="write all entries to standard output, the oldest first")
        exporting.add_argument("--format", choices=export.FORMATS, default="jsonl", dest="form")

    def handle(
        self,
        *args: object,
        action: str,
        since: date | None = None,
        anchor: Sequence[str] = (),
        form: str = "",
        **options: object,
    ) -> None:
        if action == "verify":
            self._verify(since, [anchor for name in anchor for anchor in _anchors(name)])
        else:
            self._export(form)

    def _verify(self, since: date | None, known: Sequence[ChainAnchor]) -> None:
        try:
            found = verify(since=since, anchors=known)
        except Broken as broken:
            raise CommandError(f"The audit trail is not intact: {broken}.") from None
        self.stdout.write(_summary(found, len({anchor.number for anchor in known})))

    def _export(self, form: str) -> None:
        recorder.record_export(AuditEntry, form)
        for piece in export.pieces(AuditEntry.objects.all(), form):
            self.stdout.write(piece, ending="")


def _summary(found: Verified, anchors: int) -> str:
    purged = AuditDay.objects.exclude(purged_at=None).order_by("-day").first()
    lines = [
        f"The audit trail is intact: {found.entries:,} entries of {len(found.days)} days"
        + (f", {found.days[0]} to {found.days[-1]}." if found.days else "."),
        f"Not sealed yet: {AuditEntry.objects.unsealed().count():,} entries.",
    ]
    if found.last_hash:
        lines.append(f"Last hash: {found.last_hash}.")
    if purged:
        lines.append(f"Purged: entries up to {purged.day}.")
    if anchors:
        others = "; the others lie before the verified days" if found.anchors < anchors else ""
        lines.append(f"Anchors: {found.anchors:,} of {anchors:,} compared{others}.")
    return "\n".join(lines)


def _day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a day such as 2026-11-24")
    return day


def _anchors(name: str) -> list[ChainAnchor]:
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as lines:
            return list(anchors.read(lines))
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None
    except anchors.BadAnchor as error:
        raise CommandError(f"{name}, {error}") from None
