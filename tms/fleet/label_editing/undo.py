"""Undo of a change of the tags or attributes of one row."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import Forbidden
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.label_editing.subjects import Labelled
from tms.fleet.labels.attributes import BadValue
from tms.fleet.labels.tags import TooManyTags
from tms.fleet.models import Attribute

TAGS, VALUES = "tags-changed", "attributes-changed"


def offer_tags(of: Labelled, added: Collection[str], removed: Collection[str], *, by: User) -> str:
    """A token; empty if nothing changed."""
    return _offer(TAGS, of, {"added": added, "removed": removed}, by=by) if added or removed else ""


def offer_values(of: Labelled, values: Mapping[Attribute, tuple[str, str]], *, by: User) -> str:
    """`values`: the texts before and after."""
    named = {attribute.name: texts for attribute, texts in values.items()}
    return _offer(VALUES, of, {"values": named}, by=by) if named else ""


def _offer(kind: str, of: Labelled, payload: undo.Payload, *, by: User) -> str:
    return undo.offer(kind, {"subject": of.subject.value, "pk": of.row.pk, **payload}, by=by)


def undo_tags(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    """What somebody changed since stays."""
    of = _find(payload, by)
    if of is None:
        return False
    add = tuple(name for name in payload["removed"] if name not in of.tags)
    remove = tuple(name for name in payload["added"] if name in of.tags)
    try:
        return any(of.change_tags(add=add, remove=remove))
    except TooManyTags:
        return False


@transaction.atomic
def undo_values(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    """What somebody changed since stays."""
    of = _find(payload, by)
    if of is None:
        return False
    same = {
        attribute: payload["values"][attribute.name][0]
        for attribute, text in of.texts.items()
        if text == payload["values"].get(attribute.name, ("", None))[1]
    }
    try:
        of.set_values(same)
    except BadValue:  # it is no choice any more
        return False
    return bool(same)


def _find(payload: undo.Payload, by: User) -> Labelled | None:
    try:
        return Labelled.find(payload["subject"], payload["pk"], to=by, permission=Permission.MANAGE_GROUPS)
    except (Http404, Forbidden):
        return None


undo.register(TAGS, undo_tags, _("Tags restored"))
undo.register(VALUES, undo_values, _("Attributes restored"))
