"""The panel of the tags and attributes of one site, terminal or device, as several pages show it."""

from collections.abc import Iterable
from typing import NamedTuple

from tms.accounts.access import may
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.groups.label_conditions import LabelConditions, groups_reading, seen_among
from tms.fleet.groups.uses import GroupUse, uses_of
from tms.fleet.label_editing.forms import TagsForm, ValuesForm
from tms.fleet.label_editing.subjects import Labelled
from tms.fleet.models import Attribute, Group, Placement, Terminal

MAX_GROUPS = 10
"""Groups of which the panel says what uses them."""


class ReadingGroup(NamedTuple):
    """A dynamic group whose query reads tags or attributes of the row."""

    group: Group
    labels: list[str]
    """Which ones, as conditions: `tag:lobby`, `attr.floor`."""
    uses: list[GroupUse]


class LabelsPanel(NamedTuple):
    of: Labelled
    may_edit: bool
    values: list[tuple[Attribute, str]]
    """Attributes that have a value, with its text."""
    tags_form: TagsForm
    values_form: ValuesForm
    inherited: list[tuple[Labelled, list[str]]]
    """The tags of the terminal's site and device, which count for it, too."""
    groups: list[ReadingGroup]
    more_groups: int
    """How many others there are; some may be out of the reader's sight."""


def panel_of(
    labelled: Labelled, *, to: User, tags_form: TagsForm | None = None, values_form: ValuesForm | None = None
) -> LabelsPanel:
    texts = labelled.texts
    values = [(attribute, text) for attribute, text in texts.items() if text]
    conditions = groups_reading(labelled.tags, [attribute.name for attribute, _text in values])
    seen = seen_among([each.group for each in conditions], to=to)
    shown = [each for each in conditions if each.group in seen][:MAX_GROUPS]
    return LabelsPanel(
        labelled,
        may(to, Permission.MANAGE_GROUPS, labelled.row),
        values,
        tags_form or TagsForm(),
        values_form or ValuesForm(attributes=texts),
        list(_inherited(labelled.row)) if isinstance(labelled.row, Terminal) else [],
        [_reading(each, labelled, to) for each in shown],
        len(conditions) - len(shown),
    )


def _inherited(terminal: Terminal) -> Iterable[tuple[Labelled, list[str]]]:
    placed = Placement.objects.open().filter(terminal=terminal).select_related("device").first()
    for row in (terminal.site, placed.device if placed else None):
        if row is not None and (tags := Labelled(row).tags):
            yield Labelled(row), tags


def _reading(conditions: LabelConditions, labelled: Labelled, to: User) -> ReadingGroup:
    tags = [f"tag:{name}" for name in labelled.tags if conditions.reads_tag(name)]
    attributes = [f"attr.{each.name}" for each in labelled.values if conditions.reads_attribute(each.name)]
    return ReadingGroup(conditions.group, [*tags, *attributes], uses_of(conditions.group, to=to))
