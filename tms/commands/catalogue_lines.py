"""The lines of the catalogue's page: each command with who supports it, when it was used, and what uses it."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.commands import catalogue
from tms.commands.catalogue import Able
from tms.commands.kinds import CATALOG, CommandSpec
from tms.commands.models import Command, CommandState
from tms.commands.uses import every_use
from tms.fleet.lifecycle import states
from tms.fleet.models import Terminal

LATEST = 1_000
"""Commands of a name whose results are counted: a whole history may have millions."""
WORKING = states(lambda treatment: treatment.takes_work)


class CommandUsage(NamedTuple):
    last_used_at: datetime | None
    """Anywhere in the fleet: whether a command is still needed does not depend on who asks."""
    results: Mapping[str, int]
    """How many of the latest `LATEST` commands that the person sees are in each state."""


class CatalogueLine(NamedTuple):
    spec: CommandSpec
    arguments: tuple[str, ...]
    supported: int
    """Terminals that are offered it."""
    jobs: int
    last_used_at: datetime | None

    def matches(self, words: str) -> bool:
        texts = (self.spec.name, str(self.spec.label), *self.arguments, *self.spec.models)
        return all(any(word in text.lower() for text in texts) for word in words.lower().split())


FILTERS: Mapping[str, Callable[[CatalogueLine], bool]] = {
    "builtin": lambda line: line.spec.is_builtin,
    "own": lambda line: not line.spec.is_builtin,
    "dangerous": lambda line: line.spec.is_dangerous,
    "unsupported": lambda line: line.supported == 0,
    "unused": lambda line: line.last_used_at is None,
}


def lines_for(person: User) -> list[CatalogueLine]:
    """*Supported by* counts what the person sees. Four queries."""
    specs = catalogue.everything()
    supported, used = supported_by(specs, person), Command.objects.last_uses([spec.name for spec in specs])
    jobs = Counter(use.command for use in every_use())
    return [
        CatalogueLine(
            spec,
            tuple(spec.arguments.get("properties", ())),
            supported[spec.name],
            jobs[spec.name],
            used.get(spec.name),
        )
        for spec in specs
    ]


def supported_by(specs: list[CommandSpec], person: User) -> Counter[str]:
    """How many terminals are offered each command. The time grows with what terminals say, not with the catalogue."""
    by_name, found = {spec.name: spec for spec in specs}, Counter[str]()
    rows = visible(Terminal.objects.filter(lifecycle__in=WORKING).order_by(), to=person)
    for kind, model, names, number in rows.values_list("kind", "model", "capabilities__names").annotate(n=Count("pk")):
        able = Able(kind, model, None if names is None else frozenset(names.splitlines()))
        for name in (CATALOG if able.supported is None else able.supported) & by_name.keys():
            if able.is_offered(by_name[name]):
                found[name] += number
    return found


def usage_of(name: str, person: User) -> CommandUsage:
    """When a command was sent last, and how its latest ones ended."""
    latest = Command.objects.newest_of(name).values("pk")[:LATEST]
    rows = visible(Command.objects.filter(pk__in=latest).order_by(), to=person)
    found = dict(rows.values_list("state").annotate(n=Count("pk")))
    return CommandUsage(Command.objects.last_uses([name]).get(name), dict.fromkeys(CommandState.values, 0) | found)
