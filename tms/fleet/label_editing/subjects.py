"""One site, terminal or device whose tags and attributes a page is about."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404
from django.urls import reverse

from tms.accounts.access import demand, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.labels.attributes import set_values
from tms.fleet.labels.subjects import BY_MODEL, SUBJECTS
from tms.fleet.labels.tags import change_tags, tags_of
from tms.fleet.models import Attribute, AttributeSubject, Site, Terminal
from tms.fleet.models.attribute import AttributeValue, as_text


@dataclass(frozen=True)
class Labelled:
    """A row with its tags and attributes."""

    row: Any

    @classmethod
    def find(cls, subject: str, pk: int, *, to: User, permission: Permission | None = None) -> "Labelled":
        """One that the person sees, otherwise 404. Raises Forbidden without the permission for it."""
        if subject not in AttributeSubject:
            raise Http404
        found = visible(SUBJECTS[AttributeSubject(subject)].rows._default_manager.filter(pk=pk), to=to).first()
        if found is None:
            raise Http404
        if permission is not None:
            demand(to, permission, found)
        return cls(found)

    @property
    def subject(self) -> AttributeSubject:
        return AttributeSubject(BY_MODEL[type(self.row)].name)

    @property
    def own_page(self) -> str:
        """That of its tags and attributes alone."""
        return reverse("labels-of", args=(self.subject.value, self.row.pk))

    @property
    def page(self) -> str:
        """Where people see it."""
        match self.row:
            case Terminal(uid=uid):
                return reverse("manage-terminal", args=(uid,))
            case Site(code=code):
                return reverse("site", args=(code,))
        return self.own_page

    @property
    def nav_item(self) -> str:
        return f"{self.subject}s"

    @property
    def name(self) -> str:
        return str(self.row)

    @property
    def label(self) -> str:
        """That of its model in the audit trail."""
        return str(self.row._meta.label_lower)

    @cached_property
    def tags(self) -> list[str]:
        return tags_of(self.row)

    @cached_property
    def values(self) -> dict[Attribute, AttributeValue | None]:
        """Each attribute that such a row may have, in the order of their names."""
        subject = SUBJECTS[self.subject]
        rows = subject.values.objects.filter(**{subject.column: self.row.pk})
        stored = {value.attribute_id: value.value for value in rows}
        return {each: stored.get(each.pk) for each in Attribute.objects.filter(subject=self.subject)}

    @property
    def texts(self) -> dict[Attribute, str]:
        return {each: "" if value is None else as_text(value) for each, value in self.values.items()}

    def change_tags(self, *, add: tuple[str, ...], remove: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """The tags that it did not have, and those that it had. Raises TooManyTags."""
        change = change_tags(type(self.row), [self.row.pk], add=add, remove=remove)
        added, removed = ([name for name, pks in each.items() if pks] for each in (change.added, change.removed))
        return added, removed

    def set_values(self, values: dict[Attribute, str]) -> None:
        """Raises BadValue."""
        set_values(type(self.row), [self.row.pk], values)
