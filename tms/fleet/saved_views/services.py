"""Services for saved views: who sees them, who changes them, and how many there may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from tms.accounts.access import Person, demand_within, may_within, visible
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.access.owner_form import owner_of
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models import SavedView, ViewedList
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.errors import QueryError
from tms.query.fields import FieldSet
from tms.query.query import Query

MAX_OWN_VIEWS, MAX_SHARED_VIEWS = 50, 200
FIELDS: Mapping[str, FieldSet] = {ViewedList.TERMINALS: TERMINAL_FIELDS}
CHECKED = ("name", "query", "columns", "order")


class TooManyViews(ValueError):
    """A person has `MAX_OWN_VIEWS`, or there are `MAX_SHARED_VIEWS` shared ones."""

    code = "tms:too-many-views"


@dataclass(frozen=True, slots=True)
class ViewValues:
    """What a person chooses of a view."""

    name: str
    query: str = ""
    columns: str = ""
    order: str = ""
    owner: GrantScope | None = None
    """The scope that it is shared for; None for a private view."""

    @classmethod
    def of(cls, view: SavedView) -> "ViewValues":
        owner = owner_of(view) if view.is_shared else None
        return cls(view.name, view.query, view.columns, view.order, owner)


def views_of(person: User) -> QuerySet[SavedView]:
    """The views that a person may open: their own, and those shared for a scope that overlaps what they see."""
    shared = visible(SavedView.objects.filter(is_shared=True), to=person)
    return SavedView.objects.filter(Q(by=person) | Q(pk__in=shared.values("pk")))


def shared_views(person: Person | None) -> QuerySet[SavedView]:
    """The shared views of terminals that a person sees; all for None."""
    shared = SavedView.objects.filter(is_shared=True, list=ViewedList.TERMINALS)
    return shared if person is None else visible(shared, to=person)


def may_change(view: SavedView, *, by: User) -> bool:
    """Whether `by` may change and delete the view. A shared one is everybody's who manages groups for its scope."""
    if view.is_shared:
        return may_within(by, Permission.MANAGE_GROUPS, view.owner)
    return view.by_id == by.pk


@transaction.atomic
def create_view(values: ViewValues, *, by: User, listed: ViewedList = ViewedList.TERMINALS) -> SavedView:
    """Raises ValidationError, Forbidden and TooManyViews; IntegrityError if `by` has another view of this name."""
    if SavedView.objects.filter(by=by).count() >= MAX_OWN_VIEWS:
        raise TooManyViews(gettext("You have %(number)d views. Delete one first.") % {"number": MAX_OWN_VIEWS})
    view = SavedView(by=by, list=listed)
    _save(view, values, by=by)
    return view


@transaction.atomic
def change_view(view: SavedView, values: ViewValues, *, by: User) -> None:
    """The same; `by` must be permitted to change the view as it is stored."""
    stored = SavedView.objects.select_for_update(no_key=True).get(pk=view.pk)
    demand_change(stored, by=by)
    _save(stored, values, by=by)


@transaction.atomic
def delete_view(view: SavedView, *, by: User) -> None:
    """Raises Forbidden."""
    demand_change(view, by=by)
    if view.is_shared:
        recorder.record("deleted", view)
    view.delete()


def demand_change(view: SavedView, *, by: User) -> None:
    """Raises Forbidden for a shared view. Another person's private view is not found by `views_of`."""
    if view.is_shared:
        demand_within(by, Permission.MANAGE_GROUPS, view.owner)
    elif view.by_id != by.pk:
        raise SavedView.DoesNotExist


def _save(view: SavedView, values: ViewValues, *, by: User) -> None:
    _check_sharing(view, values.owner, by=by)
    was_shared, query_before = view.is_shared, view.query if view.pk else None
    for name in CHECKED:
        setattr(view, name, getattr(values, name))
    view.is_shared = values.owner is not None
    view.owner_region, view.owner_site, view.owner_group = (values.owner or GrantScope()).columns.values()
    view.clean_fields(exclude=[field.name for field in view._meta.concrete_fields if field.name not in CHECKED])
    if view.query != query_before:
        _check_query(view)
    if view.is_shared or was_shared:
        with recorder.change(view):
            view.save()
    else:
        view.save()


def _check_sharing(view: SavedView, owner: GrantScope | None, *, by: User) -> None:
    if owner is None and view.by_id != by.pk:
        raise ValidationError({"owner": gettext("Only the person who made a view can make it private.")})
    if owner is None:
        return
    demand_within(by, Permission.MANAGE_GROUPS, owner.value)
    if not view.is_shared and SavedView.objects.filter(is_shared=True).count() >= MAX_SHARED_VIEWS:
        text = gettext("There are %(number)d shared views. Delete one first, or keep this one private.")
        raise TooManyViews(text % {"number": MAX_SHARED_VIEWS})


def _check_query(view: SavedView) -> None:
    try:
        Query.of(view.query, FIELDS[view.list])
    except QueryError as error:
        raise ValidationError({"query": str(error)}) from None
