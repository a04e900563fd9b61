"""Roles: which permissions each has. Built-in ones are read-only."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.models import Role, User
from tms.accounts.people import context, deleted
from tms.accounts.people.context import Confirmation
from tms.accounts.people.forms import OwnRoleForm
from tms.accounts.people.roles import deletion
from tms.accounts.people.roles.deletion import RoleUse
from tms.accounts.people.roles.matrix import (
    PermissionLine,
    PermissionPart,
    RoleColumn,
    cells_of,
    holders,
    parts,
    sorted_roles,
)
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.lib.forms.saved import redirect_saved


@require_safe
@never_cache
@sign_in_required
def roles(request: AuthenticatedRequest) -> HttpResponse:
    """The matrix, for people who manage people or roles."""
    if not (access.may(request.user, Permission.MANAGE_PEOPLE) or access.may(request.user, Permission.EDIT_ROLES)):
        raise access.Forbidden(Permission.MANAGE_PEOPLE)
    columns = [RoleColumn(role, holders(role).count()) for role in sorted_roles()]
    seen = PermissionPart(
        pgettext("permissions", "See"),
        [PermissionLine(gettext("boards, terminals and alerts of the scope"), "", [True] * len(columns))],
    )
    values = {
        "roles": columns,
        "parts": [seen, *parts(lambda permission: cells_of(permission, columns))],
        "columns": len(columns) + 1,
        "permissions": len(Permission),
        "may_edit": may_edit(request.user),
    }
    return context.page(request, "roles", values, tab="roles")


def may_edit(person: User) -> bool:
    """A role applies wherever it is granted, so the permission must be for everything."""
    return access.may_within(person, Permission.EDIT_ROLES, EVERYTHING)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_ROLES)
def new_role(request: AuthenticatedRequest) -> HttpResponse:
    access.demand_within(request.user, Permission.EDIT_ROLES, EVERYTHING)
    return _edit(request, Role())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_ROLES)
@context.keeping_an_administrator
def role(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return _edit(request, _own(request, pk))


def _own(request: AuthenticatedRequest, pk: int) -> Role:
    """A role that is not built in."""
    access.demand_within(request.user, Permission.EDIT_ROLES, EVERYTHING)
    chosen = get_object_or_404(Role, pk=pk)
    if chosen.is_builtin:
        raise PermissionDenied
    return chosen


def _edit(request: AuthenticatedRequest, chosen: Role) -> HttpResponse:
    choosable = [each for each in Permission if access.may_within(request.user, each, EVERYTHING)]
    form = OwnRoleForm(request.POST if request.method == "POST" else None, instance=chosen, choosable=choosable)
    if request.method == "POST" and form.is_valid():
        with recorder.change(chosen):
            form.save()
        return redirect_saved(request, "roles")
    ticked = {*form.retained, *(form["permissions"].value() or ())}
    lines = parts(lambda each: PermissionLine(each.label, each.key, (), each.key in ticked, each in choosable))
    values = {"chosen": chosen, "form": form, "parts": lines, "used_by": chosen.grants.count() if chosen.pk else 0}
    values["may_delete"] = bool(chosen.pk) and deletion.may_delete(request.user, chosen)
    return context.page(request, "role", values, tab="roles", is_refused=bool(form.errors))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_ROLES)
@context.keeping_an_administrator
def delete_role(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _own(request, pk)
    if not deletion.may_delete(request.user, chosen):
        raise PermissionDenied
    if request.method == "POST":
        token = deleted.of_role(chosen, by=request.user)
        deletion.delete(chosen)
        deleted.add_toast(request, token)
        return redirect("roles")
    return context.confirm(request, _about_deleting(chosen), tab="roles")


def _about_deleting(role: Role) -> Confirmation:
    return Confirmation(
        about=role.name,
        title=gettext("Delete this role?"),
        consequences=RoleUse.of(role).consequences,
        act=gettext("Delete"),
        back=reverse("role", args=(role.pk,)),
    )
