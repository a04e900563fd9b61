"""The pages of groups: the list, and one group with its members, what uses it, and its history."""

import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.groups import dynamic, services
from tms.fleet.groups.forms import GroupForm, MemberRemovalForm, MembersForm
from tms.fleet.groups.members_chart import members_chart
from tms.fleet.groups.uses import blocking_uses, uses_of
from tms.fleet.models import Group, Terminal
from tms.fleet.search import terminals_like
from tms.lib.db.natural_order import natural
from tms.lib.forms.saved import redirect_saved
from tms.protocol.text import clean
from tms.query.errors import QueryError

A_PAGE = 100
MAX_QUERY = 2_000
MAX_EXAMPLES = 10
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")
MAX_WORDS = 64


@require_safe
@never_cache
@sign_in_required
def groups(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_GROUPS)
def new_group(request: AuthenticatedRequest) -> HttpResponse:
    """Needs the permission for everything: no smaller scope contains a group that does not exist yet, so its creator
    could not change it afterwards.
    """
    access.demand_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING)
    return _edit(request, Group())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.MANAGE_GROUPS)
def group(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """POST: rename it."""
    if request.method != "POST":
        return _page(request, _find(request, pk))
    return _edit(request, _editable(request, pk))


@require_safe
@never_cache
@needs(Permission.MANAGE_GROUPS)
def preview_query(request: AuthenticatedRequest) -> HttpResponse:
    """What the `query` would change in the `group`, while somebody types it. Needs the permission for everything."""
    access.demand_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING)
    number, text = request.GET.get("group", ""), clean(request.GET.get("query", ""))[:MAX_QUERY]
    chosen = Group.objects.filter(pk=int(number)).first() if PRIMARY_KEY.fullmatch(number) else None
    return render(
        request, "fleet/group-preview.html", {"text": text, **_preview(chosen or Group(), text, by=request.user)}
    )


def _preview(chosen: Group, text: str, *, by: User) -> dict[str, Any]:
    at = timezone.now()
    try:
        found = dynamic.preview(chosen, text, at=at)
        sites = dynamic.selected(text, at=at).order_by().values("site").distinct().count()
    except QueryError as error:
        return {"problem": error}
    before = chosen.terminals.count() if chosen.pk else 0
    return {
        "changes": [(name, len(pks), _uids(pks)) for name, pks in (("leaves", found.leaves), ("joins", found.joins))],
        "before": before,
        "total": before + len(found.joins) - len(found.leaves),
        "sites": sites,
        "joins": len(found.joins),
        "leaves": len(found.leaves),
        "uses": uses_of(chosen, to=by) if chosen.pk and (found.joins or found.leaves) else (),
    }


def _uids(pks: Collection[int]) -> list[str]:
    """Some of them, as an example."""
    some = sorted(pks)[:MAX_EXAMPLES]
    return list(Terminal.objects.filter(pk__in=some).order_by(natural("uid")).values_list("uid", flat=True))


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def add_to_group(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    form = MembersForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, chosen, members_form=form)
    added, _ = services.set_members(
        chosen, add=[terminal.pk for terminal in form.cleaned_data["terminals"]], by=request.user, at=timezone.now()
    )
    text = ngettext("%(number)s terminal added", "%(number)s terminals added", added)
    return _changed(request, chosen, text % {"number": f"{added:,}"})


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def remove_from_group(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    form = MemberRemovalForm(request.POST, members=_members(request, chosen))
    if not form.is_valid():
        messages.error(request, gettext("Tick the terminals to remove first."))
        return redirect("group", pk)
    _, removed = services.set_members(
        chosen, remove=[terminal.pk for terminal in form.cleaned_data["terminal"]], by=request.user, at=timezone.now()
    )
    text = ngettext("%(number)s terminal removed", "%(number)s terminals removed", removed)
    return _changed(request, chosen, text % {"number": f"{removed:,}"})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_GROUPS)
def delete_group(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask first. 409 while something refers to the group."""
    chosen = _editable(request, pk)
    if request.method != "POST":
        return _confirm_deletion(request, chosen)
    try:
        services.delete_group(chosen, by=request.user, at=timezone.now())
    except services.GroupInUse:
        return _confirm_deletion(request, chosen, status=HTTPStatus.CONFLICT)
    messages.success(request, gettext("Deleted"))
    return redirect("groups")


def _find(request: AuthenticatedRequest, pk: int) -> Group:
    return get_object_or_404(access.visible(Group.objects.all(), to=request.user), pk=pk)


def _editable(request: AuthenticatedRequest, pk: int) -> Group:
    chosen = _find(request, pk)
    access.demand(request.user, Permission.MANAGE_GROUPS, chosen)
    return chosen


def _edit(request: AuthenticatedRequest, chosen: Group) -> HttpResponse:
    form = _form(request, chosen, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, chosen, form=form)
    try:
        with transaction.atomic():
            saved = _save(chosen, form, by=request.user)
    except dynamic.IsScope:
        form.add_error("query", gettext("People hold grants for this group, so no query can choose its members."))
        return _page(request, chosen, form=form)
    except dynamic.TooManyDynamicGroups:
        form.add_error("query", gettext("There are too many groups with a query. Delete one first."))
        return _page(request, chosen, form=form)
    except IntegrityError:  # another person took the name at this moment
        form.add_error("name", gettext("Another group has this name. Choose a different one."))
        return _page(request, chosen, form=form)
    return redirect_saved(request, "group", saved.pk)


def _form(request: AuthenticatedRequest, chosen: Group, data: QueryDict | None = None) -> GroupForm:
    has_query = access.may_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING)
    return GroupForm(data, group=chosen, has_query=has_query)


def _save(chosen: Group, form: GroupForm, *, by: User) -> Group:
    name, query = form.cleaned_data["name"], form.cleaned_data.get("query", chosen.query)
    if not chosen.pk:
        chosen = services.create_group(name)
    elif name != chosen.name:
        services.rename_group(chosen, name=name)
    if query != chosen.query:
        dynamic.set_query(chosen, query, by=by, at=timezone.now())
    return chosen


def _changed(request: AuthenticatedRequest, chosen: Group, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("group", chosen.pk)


class GroupLine(NamedTuple):
    group: Group
    members: int
    """The number of members that the reader sees."""


def _page(
    request: AuthenticatedRequest,
    chosen: Group | None,
    *,
    form: GroupForm | None = None,
    members_form: MembersForm | None = None,
) -> HttpResponse:
    lines = _lines(request)
    values: dict[str, Any] = {
        "nav_item": "groups",
        "number": len(lines),
        "sections": [
            ("dynamic", [line for line in lines if line.group.is_dynamic]),
            ("static", [line for line in lines if not line.group.is_dynamic]),
        ],
        "chosen": chosen,
        "may_create": access.may_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING),
    }
    if chosen is not None:
        values["form"] = form or _form(request, chosen)
        values["may_edit"] = not chosen.pk or access.may(request.user, Permission.MANAGE_GROUPS, chosen)
    if chosen is not None and chosen.pk:
        values |= _of_group(request, chosen, members_form)
    is_refused = any(one is not None and one.errors for one in (form, members_form))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "fleet/groups.html", values, status=status)


def _lines(request: AuthenticatedRequest) -> list[GroupLine]:
    """Two queries: the count of members in the reader's scope, by group."""
    rows = access.visible(Group.objects.all(), to=request.user)
    seen = access.visible(Terminal.objects.order_by(), to=request.user)
    counts = dict(
        Group.terminals.through.objects.filter(terminal__in=seen.values("pk"))
        .values_list("group")
        .annotate(number=Count("pk"))
        .order_by()
    )
    return [GroupLine(row, counts.get(row.pk, 0)) for row in rows]


def _of_group(request: AuthenticatedRequest, chosen: Group, members_form: MembersForm | None) -> dict[str, Any]:
    words = clean(request.GET.get("q", ""))[:MAX_WORDS]
    seen = _members(request, chosen)
    found = seen.filter(terminals_like(words)) if words else seen
    page = Paginator(found.select_related("site", "state"), A_PAGE).get_page(request.GET.get("page"))
    may_edit = access.may(request.user, Permission.MANAGE_GROUPS, chosen)
    is_locked = services.is_scope_of_grant(chosen) and not access.may_within(
        request.user, Permission.MANAGE_PEOPLE, Scope.of(group=chosen.pk)
    )
    number = seen.count()
    return {
        "words": words,
        "page_of_members": page,
        "members": number,
        "unseen": chosen.terminals.count() - number,
        "is_scope_of_grant": services.is_scope_of_grant(chosen),
        "is_locked": is_locked,
        "may_change_members": may_edit and not is_locked and not chosen.is_dynamic,
        "is_unreadable": chosen.is_dynamic and dynamic.readable(chosen) is None,
        "members_form": members_form or MembersForm(by=request.user),
        "uses": uses_of(chosen, to=request.user),
        "chart": members_chart(chosen, access.visible(Terminal.objects.all(), to=request.user), at=timezone.now()),
        **_neighbours(chosen, page, words),
    }


def _members(request: AuthenticatedRequest, chosen: Group) -> QuerySet[Terminal]:
    return access.visible(chosen.terminals.order_by(natural("uid")), to=request.user)


def _neighbours(chosen: Group, page: Any, words: str) -> dict[str, str]:
    numbers = {
        "previous": page.previous_page_number() if page.has_previous() else 0,
        "next": page.next_page_number() if page.has_next() else 0,
    }
    address = reverse("group", args=(chosen.pk,))
    search = {"q": words} if words else {}
    return {name: f"{address}?{urlencode({**search, 'page': number})}" for name, number in numbers.items() if number}


def _confirm_deletion(request: AuthenticatedRequest, chosen: Group, *, status: int = HTTPStatus.OK) -> HttpResponse:
    values = {
        "nav_item": "groups",
        "chosen": chosen,
        "members": chosen.terminals.count(),
        "uses": uses_of(chosen, to=request.user),
        "is_blocked": bool(blocking_uses(chosen)),
    }
    return render(request, "fleet/group-delete.html", values, status=status)
