"""What is done to another person: grants, and the account as a whole."""

from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.access import grant_scopes
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.factors import services as factors
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.models import Identity, User
from tms.accounts.people import account, context, holdings, rows
from tms.accounts.people.context import Confirmation
from tms.accounts.people.forms import GrantForm
from tms.accounts.people.views import find_person, person_page
from tms.accounts.permissions import Permission


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def grant_to_person(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    person = find_person(request.user, pk)
    form = GrantForm(request.POST, by=request.user, address=reverse("grant-to-person", args=(pk,)))
    if not form.is_valid():
        return person_page(request, person, form=form)
    try:
        holdings.give(form.cleaned_data["role"], form.found, to=person, by=request.user)
    except holdings.UnverifiedAddressError as error:
        form.add_error(None, str(error))
        return person_page(request, person, form=form)
    return redirect("person", pk)


@require_safe
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def preview_grant(request: AuthenticatedRequest) -> HttpResponse:
    """What a grant would give: shown below its form while it is filled in."""
    prefix = next((name.removesuffix("-role") for name in request.GET if name.endswith("-role")), None)
    form = GrantForm(request.GET, by=request.user, prefix=prefix)
    if not form.is_valid():
        return render(request, "accounts/people/preview.html", {"errors": form.non_field_errors()})
    held = form.cleaned_data["role"].known_permissions
    permissions = [permission.label for permission in Permission if permission in held]
    values = {"extent": grant_scopes.extent_of(form.found.value), "permissions": permissions}
    return render(request, "accounts/people/preview.html", values)


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
@context.keeping_an_administrator
def withdraw_grant(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Withdraw a grant of a person or a team. The page that follows offers to give it again."""
    grant = get_object_or_404(rows.known_grants(request.user), pk=pk)
    if grant.provider is not None:
        text = gettext("This grant follows from groups at %(provider)s. Change the groups there, or their mapping.")
        raise PermissionDenied(text % {"provider": grant.provider})
    if not account.may_change(request.user, grant):
        raise PermissionDenied
    again = urlencode({"role": grant.role_id, "scope": GrantScope.of(grant).key})
    holder = reverse("team", args=(grant.team_id,)) if grant.team_id else reverse("person", args=(grant.person_id,))
    holdings.withdraw(grant)
    return redirect(f"{holder}?{again}")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
@context.keeping_an_administrator
def disable_person(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    person = manageable(request, pk)
    if request.method == "POST":
        account.disable(person, at=timezone.now())
        return redirect("person", pk)
    return context.confirm(request, _about_disabling(person), tab=context.tab_of(person))


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def enable_person(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    account.enable(manageable(request, pk))
    return redirect("person", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def confirm_name(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Confirm the name of an account that a provider created."""
    person = manageable(request, pk)
    if request.method == "POST":
        account.confirm_name(person)
        return redirect("person", pk)
    return context.confirm(request, _about_confirming(person), tab=context.tab_of(person))


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def end_sessions(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    account.end_sessions(manageable(request, pk), at=timezone.now())
    return redirect(f"{reverse('person', args=(pk,))}?done=sessions")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
@recently_signed_in
def remove_factors(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    person = manageable(request, pk)
    if request.method == "POST":
        factors.remove_all(person)
        return redirect(f"{reverse('person', args=(pk,))}?done=factors")
    return context.confirm(request, _about_removing_factors(person), tab=context.tab_of(person))


def manageable(request: AuthenticatedRequest, pk: int) -> User:
    """A person whose account may be changed by the one who asks."""
    person = find_person(request.user, pk)
    if not account.may_manage(request.user, person):
        raise PermissionDenied
    return person


def _about_disabling(person: User) -> Confirmation:
    return Confirmation(
        about=person.display_name,
        title=gettext("Disable this account?"),
        consequences=[
            gettext("Sign-in and API tokens stop working at once, and all sessions and open boards end."),
            gettext("Grants and teams stay, and apply again when the account is enabled."),
        ],
        act=gettext("Disable"),
        back=reverse("person", args=(person.pk,)),
    )


def _about_confirming(person: User) -> Confirmation:
    found = Identity.objects.filter(person=person).select_related("provider")
    subjects = ", ".join(f"{row.subject} ({row.provider})" for row in found) or "–"
    return Confirmation(
        about=person.display_name,
        title=gettext("Confirm the name of this account?"),
        consequences=[
            gettext("An identity provider named this account %(username)s, and did not verify that.")
            % {"username": person.username},
            gettext("Who signs in with it there: %(subjects)s. Ask the person on a number that you know.")
            % {"subjects": subjects},
            gettext("From then on teams, grants and the directory may use the account."),
        ],
        act=gettext("Confirm"),
        back=reverse("person", args=(person.pk,)),
    )


def _about_removing_factors(person: User) -> Confirmation:
    return Confirmation(
        about=person.display_name,
        title=gettext("Remove all second factors?"),
        consequences=[
            gettext("Passkeys, authenticator apps and recovery codes of this person stop working at once."),
            gettext("From then on the password alone is enough, until the person sets up a new factor."),
            gettext("Make sure that it is really this person who asks: call back on a number that you know."),
        ],
        act=gettext("Remove"),
        back=reverse("person", args=(person.pk,)),
    )
