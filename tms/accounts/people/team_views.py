"""Teams: who is in them, and what they hold."""

from collections import Counter
from itertools import groupby
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import Team, User
from tms.accounts.people import account, context, deleted, directory, holdings, rows
from tms.accounts.people.context import Confirmation
from tms.accounts.people.forms import GrantForm, TeamForm, TeamMemberForm
from tms.accounts.people.views import find_person, undoable
from tms.accounts.permissions import Permission
from tms.lib.forms.saved import redirect_saved


@require_safe
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def teams(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def new_team(request: AuthenticatedRequest) -> HttpResponse:
    return _edit(request, Team())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def team(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """POST: change its name."""
    return _edit(request, _own(request, pk) if request.method == "POST" else _find(request, pk))


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def release_team(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A team of the directory is managed in TMS from now on."""
    holdings.release_team(_editable(request, pk))
    return redirect("team", pk)


def _edit(request: AuthenticatedRequest, chosen: Team) -> HttpResponse:
    form = TeamForm(request.POST if request.method == "POST" else None, instance=chosen)
    if request.method != "POST" or not form.is_valid():
        return _page(request, chosen, form=form)
    with recorder.change(chosen):
        form.save()
    return redirect_saved(request, "team", chosen.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
@context.keeping_an_administrator
def delete_team(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    if request.method == "POST":
        token = deleted.of_team(chosen, by=request.user)
        holdings.delete_team(chosen)
        deleted.add_toast(request, token)
        return redirect("teams")
    return context.confirm(request, _about_deleting(chosen), tab="teams")


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def grant_to_team(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    form = GrantForm(request.POST, by=request.user, address=reverse("grant-to-team", args=(pk,)))
    if not form.is_valid():
        return _page(request, chosen, grant_form=form)
    holdings.give(form.cleaned_data["role"], form.found, to=chosen, by=request.user)
    return redirect("team", pk)


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def add_member(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _own(request, pk)
    form = TeamMemberForm(request.POST, people=_others(request.user, chosen))
    if not form.is_valid():
        return _page(request, chosen, member_form=form)
    try:
        holdings.add_member(chosen, form.cleaned_data["person"])
    except holdings.UnverifiedAddressError as error:
        form.add_error("person", str(error))
        return _page(request, chosen, member_form=form)
    return redirect("team", pk)


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
@context.keeping_an_administrator
def remove_member(request: AuthenticatedRequest, pk: int, person: int) -> HttpResponse:
    chosen, member = _own(request, pk), find_person(request.user, person)
    if holdings.remove_member(chosen, member):
        token = deleted.of_member(chosen, member, by=request.user)
        deleted.add_toast(request, token, gettext("Removed from the team"))
    return redirect("team", pk)


def _find(request: AuthenticatedRequest, pk: int) -> Team:
    return get_object_or_404(directory.teams(request.user), pk=pk)


def _editable(request: AuthenticatedRequest, pk: int) -> Team:
    """A team whose grants its editor could all give: who joins it receives them."""
    chosen = _find(request, pk)
    if not _may_edit(request.user, chosen):
        raise PermissionDenied
    return chosen


def _own(request: AuthenticatedRequest, pk: int) -> Team:
    """The same, if its name and members are not managed by the directory."""
    chosen = _editable(request, pk)
    if chosen.is_of_directory:
        raise PermissionDenied
    return chosen


def _may_edit(by: User, team: Team) -> bool:
    return not team.pk or account.may_change_all(by, team.grants.all())


def _others(by: User, team: Team) -> Any:
    """The people who may join."""
    pks = directory.managed(by).exclude(teams=team).values("pk")
    return User.objects.filter(pk__in=pks, is_active=True).order_by("last_name", "first_name", "username")


def _page(
    request: AuthenticatedRequest,
    chosen: Team | None,
    *,
    form: TeamForm | None = None,
    grant_form: GrantForm | None = None,
    member_form: TeamMemberForm | None = None,
) -> HttpResponse:
    is_refused = any(each is not None and each.errors for each in (form, grant_form, member_form))
    values: dict[str, object] = {"teams": _lines(request.user), "chosen": chosen}
    if chosen is not None:
        values |= {"form": form or TeamForm(instance=chosen), "may_edit": _may_edit(request.user, chosen)}
    if chosen is not None and chosen.pk:
        values |= _holdings(request, chosen, grant_form, member_form)
    return context.page(request, "teams", values, tab="teams", is_refused=is_refused)


class TeamLine(NamedTuple):
    team: Team
    people: int
    chips: list[rows.Chip]


def _lines(by: User) -> list[TeamLine]:
    found = list(directory.teams(by).select_related("provisioned"))
    grants = groupby(rows.known_grants(by).filter(team__in=found).order_by("team", "role__name"), lambda one: one.team)
    chips = {team: rows.chips_of(of_team) for team, of_team in grants}
    known = Team.members.through.objects.filter(team__in=found, user__in=directory.managed(by).values("pk"))
    people = Counter(known.values_list("team", flat=True))
    return [TeamLine(team, people[team.pk], chips.get(team, [])) for team in found]


def _holdings(
    request: AuthenticatedRequest, chosen: Team, grant_form: GrantForm | None, member_form: TeamMemberForm | None
) -> dict[str, object]:
    by = request.user
    known = rows.known_grants(by).filter(team=chosen)
    may_edit = _may_edit(by, chosen)
    may_change_members = may_edit and not chosen.is_of_directory
    address = reverse("grant-to-team", args=(chosen.pk,))
    return {
        "grants": rows.grant_lines(known, of=chosen, by=by),
        "elsewhere": chosen.grants.count() - known.count(),
        "grant_form": (grant_form or GrantForm(by=by, address=address)) if may_edit else None,
        "members": chosen.members.filter(pk__in=directory.managed(by).values("pk")).order_by("last_name", "username"),
        "member_form": (member_form or TeamMemberForm(people=_others(by, chosen))) if may_change_members else None,
        "may_change_members": may_change_members,
        **undoable(request, address),
    }


def _about_deleting(team: Team) -> Confirmation:
    grants, people = team.grants.count(), team.members.count()
    lost = ngettext("%d person loses what the team holds.", "%d people lose what the team holds.", people) % people
    held = ngettext("%d grant is withdrawn.", "%d grants are withdrawn.", grants) % grants
    return Confirmation(
        about=team.name,
        title=gettext("Delete this team?"),
        consequences=[held, lost],
        act=gettext("Delete"),
        back=reverse("team", args=(team.pk,)),
    )
