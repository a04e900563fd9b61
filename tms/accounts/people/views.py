"""The list of people, and the page of one."""

from typing import NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from tms.accounts import access
from tms.accounts.access import grant_scopes
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import Role, User
from tms.accounts.people import account, context, directory, rows
from tms.accounts.people.context import Undo
from tms.accounts.people.forms import GrantForm
from tms.accounts.people.invitations.forms import InviteForm
from tms.accounts.people.service_accounts.panel import tokens_of
from tms.accounts.permissions import Permission

DONE = {"sent": _("Invitation sent."), "sessions": _("All sessions ended."), "factors": _("Second factors removed.")}
"""What was done before the redirect to a person's page."""


@require_safe
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def people(request: AuthenticatedRequest) -> HttpResponse:
    """Who has access; with a search and filters."""
    search = directory.PeopleSearch.of(request.GET, by=request.user, at=timezone.now())
    if request.htmx.request_type == "partial":
        counted = {"filters": search.filters(), "counts_again": True}
        answer = render(request, "accounts/people/people.html#results", {**list_context(search), **counted})
        return replace_url(answer, search.address())
    return list_page(request, InviteForm(by=request.user), search=search)


def list_page(
    request: AuthenticatedRequest,
    invite: InviteForm,
    *,
    search: directory.PeopleSearch | None = None,
    is_refused: bool = False,
) -> HttpResponse:
    search = search or directory.PeopleSearch.of(request.GET, by=request.user, at=timezone.now())
    values = {"filters": search.filters(), "invite": invite, "invitation_days": settings.INVITATION_DAYS}
    return context.page(request, "people", {**list_context(search), **values}, tab="people", is_refused=is_refused)


def list_context(search: directory.PeopleSearch) -> dict[str, object]:
    """One page of the list."""
    found = search.page()
    people = rows.person_rows(list(found.object_list), by=search.by, at=search.at)
    return {
        "search": search,
        "rows": people,
        "page_of_list": found,
        "headers": search.headers(),
        "order": search.order.parameter(default=directory.BY_NAME),
        "previous": search.address(found.previous_page_number()) if found.has_previous() else "",
        "next": search.address(found.next_page_number()) if found.has_next() else "",
    }


@require_safe
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def person(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return person_page(request, find_person(request.user, pk))


def find_person(by: User, pk: int) -> User:
    """A person whom `by` manages. Others look as if they did not exist."""
    return get_object_or_404(directory.managed(by), pk=pk)


class Button(NamedTuple):
    label: str
    address: str
    kind: str = ""
    asks: bool = False
    """Whether a page asks for confirmation first."""


def person_page(
    request: AuthenticatedRequest,
    person: User,
    *,
    form: GrantForm | None = None,
    is_refused: bool = False,
    **more: object,
) -> HttpResponse:
    by = request.user
    grants = rows.grants_of_person(person)
    known = rows.known_grants(by).filter(pk__in=grants.values("pk"))
    [row] = rows.person_rows([person], by=by, at=timezone.now())
    address = reverse("grant-to-person", args=(person.pk,))
    values = {
        "row": row,
        "grants": rows.grant_lines(known, of=person, by=by),
        "elsewhere": grants.count() - known.count(),
        "grant_form": form or GrantForm(by=by, address=address),
        "teams": person.teams.filter(pk__in=directory.teams(by).values("pk")),
        "actions": buttons(row) if account.may_manage(by, person) else (),
        "why_not": why_not(by, person),
        "done": DONE.get(request.GET.get("done", ""), ""),
        **tokens_of(by, person),
        **undoable(request, address),
    }
    is_refused = is_refused or form is not None
    return context.page(request, "person", values | more, tab=context.tab_of(person), is_refused=is_refused)


def buttons(row: rows.PersonRow) -> list[Button]:
    """What may be done to the account."""
    person = row.person
    if not person.is_active:
        return [Button(gettext("Enable"), reverse("enable-person", args=(person.pk,)))]
    offered = []
    if not person.is_name_verified:
        offered.append(Button(gettext("Confirm name"), reverse("confirm-name", args=(person.pk,)), asks=True))
    if row.ways.is_pending:
        offered.append(Button(gettext("Send invitation again"), reverse("resend-invitation", args=(person.pk,))))
    if row.sessions:
        offered.append(Button(gettext("End all sessions"), reverse("end-sessions", args=(person.pk,))))
    if row.ways.has_factor:
        address = reverse("remove-factors", args=(person.pk,))
        offered.append(Button(gettext("Remove second factors"), address, "danger", asks=True))
    return [*offered, Button(gettext("Disable"), reverse("disable-person", args=(person.pk,)), "danger", asks=True)]


def why_not(by: User, person: User) -> str:
    if person.pk == by.pk:
        return gettext("This is your own account. Another person who manages people can change it.")
    return gettext("This person holds more than you may grant, so you cannot change the account.")


def undoable(request: AuthenticatedRequest, address: str) -> dict[str, object]:
    """What a withdrawn grant was, and how to give it again at `address`.

    The URL may name any scope: only what the reader may grant is shown.
    """
    role, scope = request.GET.get("role", ""), grant_scopes.parse(request.GET.get("scope", ""))
    found = Role.objects.filter(pk=int(role)).first() if grant_scopes.is_key(role) else None
    if found is None or scope is None or not access.may_grant(request.user, found, scope.value):
        return {}
    text = gettext("Withdrawn: %(role)s, %(scope)s") % {"role": found, "scope": scope.label}
    fields = {"role": found.pk, "scope": scope.key}
    return {"undo": Undo(text, address, fields)}
