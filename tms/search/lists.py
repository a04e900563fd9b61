"""Saved views, groups and jobs that a search finds."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import and_

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tms.accounts.access import may, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models import Group, Terminal
from tms.fleet.saved_views.services import views_of
from tms.jobs.models import Job
from tms.search.hits import Hit, HitGroup, SourceQuery, count_hits, fit_of


def views(search: SourceQuery) -> HitGroup:
    """Saved views by name, own ones and those shared with the person."""
    rows = views_of(search.person).filter(_named(search)).order_by("name", "pk")
    found = list(rows[: search.limit])
    hits = [
        Hit(
            kind="view",
            name=str(view.pk),
            title=view.name,
            href=view.address,
            icon="share" if view.is_shared else "eye",
            detail=view.query,
            fit=fit_of(search.terms, view.name),
        )
        for view in found
    ]
    return HitGroup("views", _("Views"), hits, count_hits(rows, found, search.limit))


def groups(search: SourceQuery) -> HitGroup:
    """Groups by name, with the number of members that the person sees."""
    rows = visible(Group.objects.filter(_named(search)), to=search.person).order_by("name", "pk")
    found = list(rows[: search.limit])
    members = _members(found, search.person)
    hits = [
        Hit(
            kind="group",
            name=str(group.pk),
            title=group.name,
            href=reverse("group", args=(group.pk,)),
            icon="groups",
            detail=terminals_text(members.get(group.pk, 0)),
            fit=fit_of(search.terms, group.name),
        )
        for group in found
    ]
    return HitGroup("groups", _("Groups"), hits, count_hits(rows, found, search.limit))


def jobs(search: SourceQuery) -> HitGroup:
    """Jobs by name, the newest first."""
    if not may(search.person, Permission.RUN_JOBS):
        return HitGroup("jobs", _("Jobs"), (), 0)
    rows = Job.objects.of(search.person).filter(_named(search)).order_by("-pk")
    found = list(rows[: search.limit])
    hits = [
        Hit(
            kind="job",
            name=str(job.pk),
            title=job.name,
            href=job.get_absolute_url(),
            icon="jobs",
            detail=job.get_state_display(),
            since=job.created_at,
            fit=fit_of(search.terms, job.name),
        )
        for job in found
    ]
    return HitGroup("jobs", _("Jobs"), hits, count_hits(rows, found, search.limit))


def terminals_text(number: int) -> str:
    """How many terminals something is about, or would change."""
    return ngettext("%(number)s terminal", "%(number)s terminals", number) % {"number": f"{number:,}"}


def _named(search: SourceQuery) -> Q:
    return reduce(and_, (Q(name__icontains=term) for term in search.terms))


def _members(found: Collection[Group], person: User) -> Mapping[int, int]:
    """One query for all; none if there are no groups."""
    if not found:
        return {}
    seen = visible(Terminal.objects.filter(groups__in=found), to=person).order_by()
    counts = Group.terminals.through.objects.filter(group__in=found, terminal__in=seen.values("pk"))
    return dict(counts.values_list("group").annotate(number=Count("pk")).order_by())
