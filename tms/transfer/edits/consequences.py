"""What a bulk edit means besides: what uses the tag, the group or the site, and what a lifecycle state does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.consequences import Consequences, of_terminals
from tms.alerts.retirement import needs_second_person
from tms.fleet.groups.dynamic import readable
from tms.fleet.groups.uses import uses_of
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage.views import MEANINGS
from tms.fleet.models import Group, Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.fleet.terminals import lifecycle_changes
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Part
from tms.transfer.edits.planning import EditPlan
from tms.transfer.effects import ImportEffect, effects_of
from tms.transfer.kinds.edits import Edit, EditKind
from tms.transfer.kinds.terminals import TerminalRows

MAX_GROUPS = 10
"""Groups that are named."""


@dataclass(frozen=True)
class EditConsequences:
    lines: Sequence[str] = ()
    effects: Sequence[ImportEffect] = ()
    impact: Consequences | None = None
    """What retiring means for sites."""
    needs_second_person: bool = False


def consequences_of(made: EditPlan, *, to: User, at: datetime) -> EditConsequences:
    """What the person sees of them. The number of queries does not depend on that of terminals."""
    if not made.changed:
        return EditConsequences()
    match made.edit.kind:
        case EditKind.GROUP:
            return EditConsequences(list(_of_group(made.edit, to)))
        case EditKind.TAG | EditKind.UNTAG | EditKind.ATTRIBUTE:
            return EditConsequences(list(_of_label(made.edit, to)))
        case EditKind.STATE:
            return _of_state(made, to=to, at=at)
        case EditKind.MOVE:
            lines = [gettext("Devices move with their terminals. The past stays with the site of then.")]
            effects = effects_of(made.changed, kind=TerminalRows.name, to=to)
            return EditConsequences(lines, effects, None, _needs_second_person(made.pks, to=to, at=at))


def _of_state(made: EditPlan, *, to: User, at: datetime) -> EditConsequences:
    state = Lifecycle(made.edit.lifecycle)
    lines = [str(MEANINGS[state]), *lifecycle_changes.consequences(made.pks, state)]
    if state is not Lifecycle.RETIRED:
        return EditConsequences(lines)
    lines.append(gettext("Keys are revoked, and devices become spare. You can bring them back within 30 days."))
    impact = of_terminals(Terminal.objects.filter(pk__in=made.pks), to=to, at=at)
    return EditConsequences(lines, (), impact, needs_second_person(len(made.changed), impact))


def _needs_second_person(pks: Sequence[int], *, to: User, at: datetime) -> bool:
    # What it means for sites costs seconds for many, and decides nothing then.
    if 0 < settings.APPROVAL_TERMINALS < len(pks):
        return True
    return needs_second_person(len(pks), of_terminals(Terminal.objects.filter(pk__in=pks), to=to, at=at))


def _of_group(edit: Edit, to: User) -> Iterator[str]:
    group = Group.objects.filter(pk=edit.group).first()
    for use in uses_of(group, to=to) if group else ():
        yield f"{use.number:,} {use.kind}: {use.consequence}" if use.consequence else f"{use.number:,} {use.kind}"


def _of_label(edit: Edit, to: User) -> Iterator[str]:
    """The dynamic groups that ask for the tag or attribute, and what uses them."""
    name = f"attr.{edit.attribute}" if edit.kind is EditKind.ATTRIBUTE else "tag"
    asking = [
        group
        for group in visible(Group.objects.exclude(query=""), to=to).order_by("name")
        if readable(group) and asks_for(parse(group.query), name, edit.tags)
    ]
    for group in asking[:MAX_GROUPS]:
        uses = ", ".join(f"{use.number:,} {use.kind}" for use in uses_of(group, to=to))
        text = gettext("The members of “%(group)s” follow; it is used by %(uses)s.")
        without = gettext("The members of “%(group)s” follow; nothing uses it.")
        yield (text if uses else without) % {"group": group.name, "uses": uses}
    if len(asking) > MAX_GROUPS:
        yield gettext("And %(n)s more groups.") % {"n": f"{len(asking) - MAX_GROUPS:,}"}


def asks_for(part: Part, field: str, values: Sequence[str]) -> bool:
    """Whether a query has a condition on the field with one of these values; with any, if there are none."""
    match part:
        case Comparison():
            found = TERMINAL_FIELDS.find(part.field)
            if found is None or found.name != field:
                return False
            texts = {value.text.casefold() for value in part.values}
            return not values or any(not text or "*" in text or text in values for text in texts)
        case Negation(part=inner):
            return asks_for(inner, field, values)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return any(asks_for(each, field, values) for each in parts)
        case _:
            return False
