"""What the pages of people share: tabs with numbers, and the response to a form."""

from collections.abc import Callable, Iterator
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, NamedTuple

from django.contrib.messages.storage import default_storage
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from tms.accounts import access
from tms.accounts.access import administrators
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import IdentityProvider, Role, User, WallScreen
from tms.accounts.people import directory
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING


class PeopleTab(NamedTuple):
    label: str
    address: str
    number: int | None
    """The number of rows on the page; None if it has no number."""
    is_current: bool


class Confirmation(NamedTuple):
    """A page that asks for confirmation."""

    about: str
    title: str
    consequences: list[str]
    act: str
    """The label of the button; empty if it cannot be done."""
    back: str


class ShownSecret(NamedTuple):
    """Shown once, in the response itself, so that no session or message stores it."""

    title: str
    text: str
    hint: str


class Undo(NamedTuple):
    """What was done, and a form that reverses it."""

    text: str
    address: str
    fields: dict[str, Any]


def page(
    request: AuthenticatedRequest, template: str, context: dict[str, object], *, tab: str, is_refused: bool = False
) -> HttpResponse:
    """A page below the tabs; `is_refused`: a form on it has errors."""
    shared = {"nav_item": "people", "tabs": list(tabs(request.user, current=tab))}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, f"accounts/people/{template}.html", {**shared, **context}, status=status)


def tabs(by: User, *, current: str) -> Iterator[PeopleTab]:
    if access.may(by, Permission.MANAGE_PEOPLE):
        yield PeopleTab(gettext("People"), reverse("people"), directory.people(by).count(), current == "people")
        yield PeopleTab(gettext("Teams"), reverse("teams"), directory.teams(by).count(), current == "teams")
    if access.may(by, Permission.MANAGE_PEOPLE) or access.may(by, Permission.EDIT_ROLES):
        yield PeopleTab(gettext("Roles"), reverse("roles"), Role.objects.count(), current == "roles")
    if access.may(by, Permission.MANAGE_PEOPLE):
        number = directory.service_accounts(by).count()
        yield PeopleTab(gettext("Service accounts"), reverse("service-accounts"), number, current == "service-accounts")
    if access.may_within(by, Permission.EDIT_PROVIDERS, EVERYTHING):
        number = IdentityProvider.objects.count()
        is_current = current == "identity-providers"
        yield PeopleTab(gettext("Identity providers"), reverse("identity-providers"), number, is_current)
    if access.may(by, Permission.MANAGE_SCREENS):
        number = access.permitted(WallScreen.objects.all(), by=by, permission=Permission.MANAGE_SCREENS).count()
        yield PeopleTab(gettext("Wall screens"), reverse("wall-screens"), number, current == "wall-screens")
    if access.may_within(by, Permission.READ_AUDIT, EVERYTHING):
        yield PeopleTab(gettext("Audit"), reverse("audit"), None, current == "audit")


def confirm(
    request: AuthenticatedRequest, question: Confirmation, *, tab: str, is_refused: bool = False
) -> HttpResponse:
    return page(request, "confirm", {"question": question}, tab=tab, is_refused=is_refused)


def keeping_an_administrator[**P](
    view: Callable[Concatenate[AuthenticatedRequest, P], HttpResponse],
) -> Callable[Concatenate[AuthenticatedRequest, P], HttpResponse]:
    """A submission after which no person would manage people everywhere changes nothing, and says so."""

    @wraps(view)
    def guarded(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with transaction.atomic(), administrators.keeping_one():
                return view(request, *args, **kwargs)
        except administrators.LastAdministratorError:
            request.__dict__["_messages"] = default_storage(request)  # without the toast of what was undone
            return refused_without_administrator(request)

    return guarded


def refused_without_administrator(request: AuthenticatedRequest) -> HttpResponse:
    """Says that the change would leave no person who manages people everywhere."""
    question = Confirmation(
        about=gettext("People"),
        title=gettext("At least one person must manage people everywhere"),
        consequences=[gettext("Nothing was changed. Give another person such a grant for everything first.")],
        act="",
        back=reverse("people"),
    )
    return confirm(request, question, tab="people", is_refused=True)


def tab_of(person: User) -> str:
    return "service-accounts" if person.is_service else "people"
