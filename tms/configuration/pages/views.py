"""The page of the configuration: its keys with their values in layers, its versions, and who differs."""

from itertools import groupby
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.configuration import versions
from tms.configuration.change_rows import change_rows
from tms.configuration.changes import effects_of
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, TerminalConfiguration
from tms.configuration.pages.key_rows import ConfigurationKeyRow, rows_of
from tms.configuration.places import EDIT
from tms.fleet.models import Terminal
from tms.protocol.text import clean

SHOWN_VERSIONS = 6
SHOWN_CHANGES = 8
MAX_WORDS = 64
FILTERS = {
    "overridden": lambda row: row.is_overridden,
    "draft": lambda row: row.is_changed,
    "restart": lambda row: row.key.needs_restart,
    "secret": lambda row: row.key.is_secret,
}


@require_safe
@never_cache
@sign_in_required
def configuration(request: AuthenticatedRequest) -> HttpResponse:
    """`model` narrows the keys, `q` finds keys and values, and `show` filters."""
    model, show = request.GET.get("model", ""), request.GET.get("show", "")
    words = clean(request.GET.get("q", ""))[:MAX_WORDS].strip()
    keys = [key for key in ConfigurationKey.objects.all() if not model or not key.for_models or model in key.for_models]
    draft = versions.draft()
    rows = rows_of(keys, draft, to=request.user)
    found = [row for row in rows if row.matches(words) and (show not in FILTERS or FILTERS[show](row))]
    newest = ConfigurationVersion.objects.select_related("author")[:SHOWN_VERSIONS]
    values = {
        "nav_item": "configuration",
        "model": model,
        "models": models_of(request.user),
        "words": words,
        "show": show,
        "counts": {name: sum(map(condition, rows)) for name, condition in FILTERS.items()},
        "sections": _sections(found),
        "found": len(found),
        "total": len(rows),
        "draft": draft,
        "versions": newest,
        "version_number": ConfigurationVersion.objects.count(),
        "differs": differs(request.user),
        "may_edit": access.may(request.user, Permission.EDIT_CONFIGURATION),
        "may_define": access.may_within(request.user, EDIT, EVERYTHING),
        **_newest_changes(newest, request.user),
    }
    return render(request, "configuration/configuration.html", values)


@require_safe
@never_cache
@sign_in_required
def all_versions(request: AuthenticatedRequest) -> HttpResponse:
    found = ConfigurationVersion.objects.select_related("author", "undoes")
    values = {"nav_item": "configuration", "versions": found[:1_000]}
    return render(request, "configuration/versions.html", values)


def _newest_changes(newest: QuerySet[ConfigurationVersion], person: User) -> dict[str, Any]:
    first = next(iter(newest), None)
    if first is None:
        return {}
    effects = effects_of(first, to=person)
    changes = change_rows(first, effects, to=person)
    return {
        "newest": first,
        "before": first.number - 1,
        "changes": changes[:SHOWN_CHANGES],
        "more_changes": max(len(changes) - SHOWN_CHANGES, 0),
        "affected": effects.number,
    }


def _sections(rows: list[ConfigurationKeyRow]) -> list[tuple[str, list[ConfigurationKeyRow]]]:
    return [(name, list(of_section)) for name, of_section in groupby(rows, lambda row: row.section)]


def models_of(person: User) -> list[tuple[str, int]]:
    """The models of terminals that the person sees, with their numbers."""
    seen = access.visible(Terminal.objects.counted(), to=person).exclude(model="").order_by("model")
    return list(seen.values_list("model").annotate(number=Count("pk")))


def differs(person: User) -> dict[str, int]:
    """How many terminals that the person sees have not what they shall have, by reason."""
    counted = TerminalConfiguration.objects.filter(terminal__in=Terminal.objects.counted().values("pk"))
    seen = access.visible(counted, to=person)
    differing = seen.differing()
    silent = access.visible(Terminal.objects.counted(), to=person).exclude(configuration__reported__isnull=False)
    return {
        "all": differing.count(),
        "failed": differing.exclude(error="").count(),
        "waiting": differing.filter(error="").count(),
        "held": seen.exclude(held_at=None).count(),
        "refused": seen.exclude(refused={}).count(),
        "restart": seen.filter(needs_restart=True).count(),
        "cannot": silent.count(),
    }
