"""Notices when groups get or lose terminals, however they are saved: a group may be what a person sees."""

from django.db.models.signals import m2m_changed

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Group

MEMBERS_CHANGED = frozenset({"post_add", "post_remove", "post_clear"})


def connect() -> None:
    m2m_changed.connect(_members_changed, sender=Group.terminals.through)


def _members_changed(*, action: str, **_: object) -> None:
    if action in MEMBERS_CHANGED:
        publish(Change(everything=True))
