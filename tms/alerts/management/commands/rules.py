"""`manage.py rules` exports and imports rules."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from tms.accounts.audit import recorder
from tms.alerts.models import Rule
from tms.alerts.rule_editing import yaml_file
from tms.alerts.rule_editing.yaml_file import BadFile, PlannedRule
from tms.alerts.rule_editing.yaml_reader import MAX_BYTES
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Exports all rules as YAML, or imports rules from such a file."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("export", help="write all rules to standard output as YAML")
        importing = actions.add_parser(
            "import", help="import the rules of a file; rules missing from it stay unchanged"
        )
        importing.add_argument("file", help="path, or - for standard input")
        importing.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(self, *args: object, action: str, file: str = "", dry_run: bool = False, **options: object) -> None:
        if action == "export":
            recorder.record_export(Rule, "yaml")
            self.stdout.write(yaml_file.export(), ending="")
            return
        try:
            source = _read(file)
            plan = _take_over(source, is_dry=dry_run)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except BadFile as error:
            raise CommandError(str(error)) from None
        self._print(plan, is_dry=dry_run)

    def _print(self, plan: Sequence[PlannedRule], *, is_dry: bool) -> None:
        for one in plan:
            if one.is_edit:
                self.stdout.write(
                    f"new: {one.rule.name}" if one.is_new else f"{one.rule.name}: {', '.join(one.fields)}"
                )
        edits = sum(one.is_edit for one in plan)
        self.stdout.write(f"{edits} of {len(plan)} rules {'would change' if is_dry else 'changed'}")


def _read(name: str) -> bytes:
    """Read only as much as needed to see that it is too long."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _take_over(source: bytes, *, is_dry: bool) -> list[PlannedRule]:
    return yaml_file.plan_import(source) if is_dry else yaml_file.import_rules(source, by=None, at=datetime.now(UTC))
