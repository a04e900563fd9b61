"""Rules as a YAML file. An exported file can be imported again without a change.

All errors of a file are reported at once, by line and field, and nothing is imported then. Rules are identified by
name; those that a file does not name are not changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
import yaml
from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.access import Person, visible
from tms.accounts.models import User
from tms.alerts.models import Rule
from tms.alerts.rule_editing import services, yaml_reader
from tms.alerts.rule_editing.entry import KnownScopes, RuleEntry, entry_of, fill
from tms.alerts.rule_editing.yaml_reader import BadYaml
from tms.protocol.text import clean_tree

MAX_ENTRIES = 300
MAX_FAULTS = 100
MAX_FAULT_CHARACTERS = 300
"""Characters of an error: it repeats the invalid value, which may be as long as the file."""


class RuleFileFault(NamedTuple):
    """An error and its line."""

    line: int
    where: str
    what: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return gettext("line %(line)d: %(where)s%(what)s") % {"line": self.line, "where": where, "what": self.what}


class BadFile(Exception):
    code = "tms:bad-rules"

    def __init__(self, faults: Sequence[RuleFileFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class PlannedRule(NamedTuple):
    rule: Rule
    is_new: bool
    fields: tuple[str, ...]
    """The fields that change; empty for a new rule."""

    @property
    def is_edit(self) -> bool:
        return self.is_new or bool(self.fields)


def export(*, to: Person | None = None) -> str:
    """The rules that `to` may see, by name; None for all."""
    rules = Rule.objects.not_deleted().select_related("site", "group").order_by("name")
    rules = rules if to is None else visible(rules, to=to)
    document = {"rules": [msgspec.to_builtins(entry_of(rule)) for rule in rules]}
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    return text


def plan_import(source: str | bytes) -> list[PlannedRule]:
    """What importing would change, by rule in the order of the file. Raises BadFile."""
    lines = RuleFileLines.of(source)
    reader = RuleFileReader(lines)
    plan = []
    for number, entry in enumerate(lines.entries):
        plan.append(reader.read(number, entry))
        if len(reader.faults) >= MAX_FAULTS:
            more = gettext("%d errors; the rest of the file was not checked.") % MAX_FAULTS
            faults = sorted(reader.faults)[:MAX_FAULTS]
            raise BadFile([*faults, RuleFileFault(faults[-1].line, "", more)])
    reader.check_names()
    if reader.faults:
        raise BadFile(sorted(reader.faults)[:MAX_FAULTS])
    return [one for one in plan if one is not None]


@transaction.atomic
def import_rules(source: str | bytes, *, by: User | None, at: datetime) -> list[PlannedRule]:
    """All of the file, or nothing. Importing it again changes nothing. Raises BadFile."""
    plan = plan_import(source)
    edited = [one.rule for one in plan if one.is_edit]
    services.lock(edited)
    for rule in edited:
        services.save_rule(rule, by=by, at=at)
    return plan


@dataclass
class RuleFileLines:
    """The entries of a file, and the line of each part by its path."""

    entries: list[object]
    at: dict[str, int]

    @classmethod
    def of(cls, source: str | bytes) -> "RuleFileLines":
        try:
            document = yaml_reader.read(source)
        except BadYaml as error:
            raise BadFile([RuleFileFault(error.line, "", error.what)]) from None
        data = document.data
        if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
            raise BadFile([RuleFileFault(1, "", gettext("A rule file must be a mapping with a list `rules`."))])
        if len(data["rules"]) > MAX_ENTRIES:
            line = document.lines[f"$.rules[{MAX_ENTRIES}]"]
            raise BadFile([RuleFileFault(line, "", gettext("more than %d rules; split the file") % MAX_ENTRIES)])
        return cls(clean_tree(data["rules"]), document.lines)

    def line(self, path: str) -> int:
        """The line of the part, or of its parent if it is missing."""
        while path not in self.at and path != "$":
            path = path[: max(path.rfind("."), path.rfind("["))]
        return self.at.get(path, 1)


class RuleFileReader:
    """Makes rules of entries, and collects errors."""

    def __init__(self, lines: RuleFileLines) -> None:
        self.faults: list[RuleFileFault] = []
        self._lines = lines
        self._rules = {rule.name: rule for rule in Rule.objects.not_deleted()}
        self._scopes = KnownScopes.of()
        self._names: dict[str, list[str]] = {}

    def read(self, number: int, raw: object) -> PlannedRule | None:
        path = f"$.rules[{number}]"
        try:
            entry = msgspec.convert(raw, RuleEntry)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$")
            self._fault(path + where.rstrip("`"), what)
            return None
        self._names.setdefault(entry.name, []).append(f"{path}.name")
        rule = self._rules.get(entry.name) or Rule(name=entry.name)
        before = rule.content()
        for where, what in fill(rule, entry, self._scopes, is_name_known=True):
            self._fault(path + where, what)
        return PlannedRule(
            rule,
            not rule.pk,
            tuple(name for name, value in rule.content().items() if rule.pk and value != before[name]),
        )

    def check_names(self) -> None:
        for paths in self._names.values():
            for path in paths[1:]:
                self._fault(path, gettext("A rule with this name already appears above. Rename or remove one."))

    def _fault(self, path: str, what: str) -> None:
        text = what if len(what) <= MAX_FAULT_CHARACTERS else what[: MAX_FAULT_CHARACTERS - 1] + "…"
        self.faults.append(RuleFileFault(self._lines.line(path), path.removeprefix("$."), text))
