"""What a bulk edit does, and the check that it is possible."""

from datetime import datetime
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.labels import tags
from tms.fleet.labels.attributes import BadValue, read_value, written
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Attribute, AttributeSubject, Group, Site
from tms.transfer.kinds.base import Reach
from tms.transfer.kinds.membership import GroupReach

MAX_TAGS = 20
"""Tags of one edit."""
MAX_PICKED = 5_000
"""Terminals that are named one by one."""
STATES = (Lifecycle.IN_SERVICE, Lifecycle.OUT_OF_SERVICE, Lifecycle.RETIRED)


class EditKind(models.TextChoices):
    TAG = "tag", pgettext_lazy("bulk edit", "Add tags")
    UNTAG = "untag", pgettext_lazy("bulk edit", "Remove tags")
    ATTRIBUTE = "attribute", pgettext_lazy("bulk edit", "Set an attribute")
    GROUP = "group", pgettext_lazy("bulk edit", "Change a group")
    STATE = "state", pgettext_lazy("bulk edit", "Change the state")
    MOVE = "move", pgettext_lazy("bulk edit", "Move to a site")

    @property
    def permission(self) -> Permission:
        return Permission.MANAGE_TERMINALS if self in (EditKind.STATE, EditKind.MOVE) else Permission.MANAGE_GROUPS


class MemberChange(models.TextChoices):
    ADD = "add", _("Add")
    REMOVE = "remove", pgettext_lazy("group", "Remove")


class Edit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change, to the terminals that a query selects or a person picked. Which fields count depends on `kind`."""

    kind: EditKind
    tags: tuple[str, ...] = ()
    attribute: str = ""
    value: str = ""
    """Empty to remove the value."""
    group: int = 0
    change: MemberChange = MemberChange.ADD
    lifecycle: str = ""
    site: str = ""
    query: str | None = None
    """None if the terminals were picked."""
    comment: str = ""
    name: str = ""
    """The name that the group has."""

    @property
    def given(self) -> dict[str, str]:
        """What each terminal gets, by column."""
        match self.kind:
            case EditKind.TAG:
                return {f"tag:{tag}": tag for tag in self.tags}
            case EditKind.UNTAG:
                return {f"tag:{tag}": "" for tag in self.tags}
            case EditKind.ATTRIBUTE:
                return {f"attr.{self.attribute}": self.value}
            case EditKind.GROUP:
                return {"group": self.name if self.change == MemberChange.ADD else ""}
            case EditKind.STATE:
                return {"lifecycle": self.lifecycle}
            case EditKind.MOVE:
                return {"site": self.site}

    @property
    def summary(self) -> str:
        """The change in the words of the REST API: the audit trail keeps it."""
        match self.kind:
            case EditKind.TAG | EditKind.UNTAG:
                return f"{self.kind} {' '.join(self.tags)}"
            case EditKind.ATTRIBUTE:
                return f"attribute {self.attribute}={self.value}"
            case EditKind.GROUP:
                return f"group {self.change} {self.name}"
            case EditKind.STATE:
                return f"state {self.lifecycle}"
            case EditKind.MOVE:
                return f"move {self.site}"

    @property
    def title(self) -> str:
        """The same for people, in the active language."""
        match self.kind:
            case EditKind.ATTRIBUTE if not self.value:
                return gettext("Remove attribute %(name)s") % {"name": self.attribute}
            case EditKind.GROUP if self.change == MemberChange.REMOVE:
                return gettext("Remove from group %(name)s") % {"name": self.name}
            case EditKind.TAG:
                return gettext("Add tags %(tags)s") % {"tags": ", ".join(self.tags)}
            case EditKind.UNTAG:
                return gettext("Remove tags %(tags)s") % {"tags": ", ".join(self.tags)}
            case EditKind.ATTRIBUTE:
                return gettext("Set attribute %(name)s to %(value)s") % {"name": self.attribute, "value": self.value}
            case EditKind.GROUP:
                return gettext("Add to group %(name)s") % {"name": self.name}
            case EditKind.STATE:
                return gettext("Change state to “%(state)s”") % {"state": Lifecycle(self.lifecycle).label}
            case EditKind.MOVE:
                return gettext("Move to %(site)s") % {"site": self.site}


def reach_of(edit: Edit, *, by: User, at: datetime) -> Reach:
    return Reach(by, edit.kind.permission, at, is_import=False)


def checked(edit: Edit, *, by: User, at: datetime) -> Edit:
    """The edit in its normal form. Raises ValidationError with the field of what is not possible."""
    match edit.kind:
        case EditKind.TAG | EditKind.UNTAG:
            return msgspec.structs.replace(edit, tags=_check_tags(edit.tags))
        case EditKind.ATTRIBUTE:
            return msgspec.structs.replace(edit, value=_check_value(edit.attribute, edit.value))
        case EditKind.GROUP:
            return msgspec.structs.replace(edit, name=_find_group(edit.group, reach_of(edit, by=by, at=at)).name)
        case EditKind.STATE if edit.lifecycle not in STATES:
            raise _fault("lifecycle", gettext("One of %(states)s.") % {"states": ", ".join(STATES)})
        case EditKind.MOVE:
            return msgspec.structs.replace(edit, site=_find_site(edit.site, by=by).code)
    return edit


def _fault(field: str, message: Any) -> ValidationError:
    return ValidationError({field: message})


def _check_tags(given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        found = tags.normalized(given)
    except ValidationError as error:
        raise _fault("tags", error.messages) from None
    if not 0 < len(found) <= MAX_TAGS:
        raise _fault("tags", gettext("Name at least one tag, and at most %(most)s.") % {"most": MAX_TAGS})
    return found


def _check_value(name: str, text: str) -> str:
    attribute = Attribute.objects.filter(subject=AttributeSubject.TERMINAL, name=name).first()
    if attribute is None:
        raise _fault("attribute", gettext("Terminals have no attribute of this name."))
    try:
        return written(read_value(attribute, text)) if text.strip() else ""
    except BadValue as bad:
        raise _fault("value", str(bad)) from None


def _find_group(pk: int, reach: Reach) -> Group:
    group = visible(Group.objects.all(), to=reach.person).filter(pk=pk).first()
    if group is None:
        raise _fault("group", gettext("There is no such group, or you do not see it."))
    if group.is_dynamic:
        raise _fault("group", gettext("A query selects the members of this group. Choose another one."))
    if not GroupReach(reach).may_change(group.pk):
        raise _fault("group", gettext("You don't have permission to change the members of this group."))
    return group


def _find_site(code: str, *, by: User) -> Site:
    sites = permitted(Site.objects.filter(code=code), by=by, permission=Permission.MANAGE_TERMINALS)
    site = sites.first()
    if site is None:
        raise _fault("site", gettext("There is no such site, or you may not move terminals to it."))
    if site.closed_at is not None:
        raise _fault("site", gettext("The site is closed."))
    return site
