"""Checks of values: by the schema of the key, by its variables, and by the size of what a terminal would get."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tms.accounts.access import Person
from tms.configuration.changes import Compared, ValueChange, VersionEffects, changes_of, compare, effects_on, reached
from tms.configuration.contents import ContentRenderer, variables_of
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer, LayerValue
from tms.configuration.places import Place, names_of, seen_places
from tms.configuration.values import variables
from tms.configuration.values.schemas import ValueFault, fault_in
from tms.configuration.values.secrets import MASKED, DecryptionError, reveal
from tms.fleet.models import Attribute, AttributeSubject, Site, Terminal
from tms.protocol.limits import CONFIG_BYTES

MAX_ERRORS = 100


class CheckError(NamedTuple):
    key: str
    place: Place
    where: str
    """The name of the place: a site, a terminal; empty for the fleet."""
    value: Any
    problem: str
    suggestion: tuple[Any, ...] = ()
    """The value that would be right, if one is near."""


@dataclass
class CheckedVersion:
    changes: list[ValueChange] = field(default_factory=list)
    effects: VersionEffects = field(default_factory=VersionEffects)
    errors: list[CheckError] = field(default_factory=list)
    """The first `MAX_ERRORS`."""


def seen_errors(errors: Sequence[CheckError], *, to: Person) -> list[CheckError]:
    """The errors at places that the person sees."""
    seen = seen_places({error.place for error in errors}, to=to)
    return [error for error in errors if error.place in seen]


def value_fault(key: ConfigurationKey, value: Any, known: set[str]) -> ValueFault | None:
    """What is wrong with a value as people write it. `known`: the names of the variables. Says nothing of secrets."""
    if problem := variables.complaint(value, known):
        return ValueFault("unknown variable" if key.is_secret else problem)
    if variables.names_in(value):  # what it becomes is checked for each site
        return None
    found = fault_in(key.schema, value)
    return ValueFault("does not fit the schema of the key") if found and key.is_secret else found


def known_variables() -> set[str]:
    """The built-in ones, and the attributes of sites."""
    attributes = Attribute.objects.filter(subject=AttributeSubject.SITE).values_list("name", flat=True)
    return {*variables.KNOWN, *(f"site.{name}" for name in attributes)}


def check(version: ConfigurationVersion) -> CheckedVersion:
    """What is wrong with a draft, and what it would change."""
    checked = CheckedVersion(changes_of(version))
    names = names_of({change.place for change in checked.changes})
    checked.errors = list(_value_errors(checked.changes, names))[:MAX_ERRORS]
    terminals = reached(checked.changes)
    checked.effects = effects_on(_checking(checked, compare(version, terminals)))
    return checked


def _value_errors(changes: list[ValueChange], names: dict[Place, str]) -> Iterator[CheckError]:
    known = known_variables()
    for change in changes:
        if change.after is None:
            continue
        if fault := _stored_fault(change.key, change.after, known):
            shown = MASKED if change.key.is_secret else change.after.value
            yield CheckError(change.key.name, change.place, names[change.place], shown, *fault)


def _stored_fault(key: ConfigurationKey, stored: LayerValue, known: set[str]) -> ValueFault | None:
    try:
        value = reveal(stored.secret) if stored.secret else stored.value
    except DecryptionError:
        return ValueFault("cannot be decrypted; enter it again")
    return value_fault(key, value, known)


def _checking(checked: CheckedVersion, compared: Iterator[Compared]) -> Iterator[Compared]:
    """Pass on what is compared, and collect errors of rendered values and of sizes."""
    by_site = _SiteChecks(checked)
    for one in compared:
        if one.before is not one.after and len(checked.errors) < MAX_ERRORS:
            by_site.check(one)
        yield one


class _SiteChecks:
    """Checks each content of a site once: it is the same for terminals that share their values."""

    def __init__(self, checked: CheckedVersion) -> None:
        self._errors = checked.errors
        self._changed = {(change.key.name, change.place): change for change in checked.changes if change.after}
        self._seen: set[tuple[int, int]] = set()
        self._kept: list[Compared] = []
        self._renderers: dict[int, ContentRenderer] = {}

    def check(self, one: Compared) -> None:
        if (id(one.after), one.site) in self._seen:
            return
        self._seen.add((id(one.after), one.site))
        self._kept.append(one)
        if one.site not in self._renderers:
            self._renderers[one.site] = ContentRenderer([one.site])
        content = self._renderers[one.site].content(one.after, one.site)
        if content.size > CONFIG_BYTES:
            uid = Terminal.objects.get(pk=one.pk).uid
            problem = f"its values would have {content.size:,} bytes; at most {CONFIG_BYTES:,} can be sent"
            self._errors.append(CheckError("", Place(Layer.TERMINAL, one.pk), uid, None, problem))
        for name, effective in one.after.items():
            place = Place(effective.stored.layer, effective.stored.place)
            change = self._changed.get((name, place))
            if change and not effective.stored.secret and (used := variables.names_in(effective.stored.value)):
                self._check_rendered(change, used, content.values[name], one.site)

    def _check_rendered(self, change: ValueChange, used: set[str], value: Any, site: int) -> None:
        code = Site.objects.get(pk=site).code
        place = Place(Layer.SITE, site)
        if missing := sorted(used - variables_of([site])[site].keys()):
            problem = f"{missing[0]} is not set there; set it, or give the site a value of its own"
            self._errors.append(CheckError(change.key.name, place, code, _raw(change), problem))
        elif fault := fault_in(change.key.schema, value):
            self._errors.append(CheckError(change.key.name, place, code, value, fault.problem))


def _raw(change: ValueChange) -> Any:
    return change.after.value if change.after else None
