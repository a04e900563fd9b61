"""The rules by which alerts open. They are edited under If-Match: nobody overwrites what they have not seen."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts import access
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.models import RuleKind
from tms.alerts.preview.preview import Preview, preview
from tms.alerts.preview.simulation import Firing
from tms.alerts.rule_editing import services
from tms.alerts.rule_editing.entry import Places, fill
from tms.alerts.rule_editing.schemas import Rule, RuleBody, RuleChange, entry, fields_of
from tms.fleet.models import Terminal
from tms.lib.pagination import Column, Keyset
from tms.rest.etags import IF_MATCH, matching, stamp
from tms.rest.operation import Called, Right
from tms.rest.pagination import Page, Paging, listed
from tms.rest.problems import Fault, unreadable
from tms.rest.router import LOOKING, Routes
from tms.rest.schemas import Asked, Told

routes = Routes("rules")
OLDEST_FIRST = Keyset((Column("pk", int),))
MOST_HOURS = 168
MOST_FIRINGS = 1_000
MAKING = Right(Permission.EDIT_RULES, is_kept=True)
EDITING = Right(Permission.EDIT_RULES, refusals=(409, 412, 428), headers=(IF_MATCH,))
SWITCHING = Right(Permission.EDIT_RULES, is_kept=True, refusals=(412,))


class RuleFilter(Paging):
    enabled: bool | None = None
    kind: RuleKind | None = None


class Switch(Asked):
    enabled: bool


class RuleTrial(Asked):
    rule: RuleBody
    hours: int = Field(24, ge=1, le=MOST_HOURS, description="How far to look back.")


class Fired(Told):
    """An alert that would have been."""

    terminal: str = Field(description="UID")
    severity: str
    opened_at: datetime
    ended_at: datetime | None = Field(description="Null: it would still be open.")
    lowest: float | None
    highest: float | None
    changes: int = Field(description="Openings and recoveries, if it would have flapped; else 0.")

    @classmethod
    def of(cls, firing: Firing, uid: str) -> Self:
        return cls(**firing._asdict(), terminal=uid)


class Tried(Told):
    since: datetime
    until: datetime
    terminals: int = Field(description="In the scope of the rule.")
    looked_at: int = Field(description="All of them, or an even sample.")
    is_cut: bool = Field(description="There was more than can be read in time.")
    number: int = Field(description="How many alerts there would have been.")
    fired: list[Fired] = Field(description=f"The first {MOST_FIRINGS} of them.")
    drifting: list[str] = Field(
        description=f"Of a firmware rule: the first {MOST_FIRINGS} for which it would hold now."
    )


@routes.look("/rules", summary="List rules", answer=Page[Rule])
def list_rules(request: Called, response: HttpResponse, asked: Query[RuleFilter]) -> Page[Rule]:
    wanted = {name: value for name, value in (("enabled", asked.enabled), ("kind", asked.kind)) if value is not None}
    found = listed(request, response, _rules(request).filter(**wanted), asked, order=OLDEST_FIRST)
    return Page(items=[Rule.of(rule) for rule in found.rows], next=found.next)


@routes.look("/rules/{int:pk}", summary="Read a rule", answer=Rule)
def read_rule(request: Called, response: HttpResponse, pk: int) -> Rule:
    """With its `ETag`, to be named when it is edited."""
    return _told(response, _rule(request, pk))


@routes.act("/rules", summary="Make a rule", answer=Rule, status=201, right=MAKING)
def make_rule(request: Called, response: HttpResponse, body: RuleBody) -> Rule:
    rule = _filled(models.Rule(), body.model_dump())
    services.save_rule(rule, by=request.person, at=timezone.now())
    response["Location"] = f"{request.path}/{rule.pk}"
    return _told(response, _rule(request, rule.pk))


@routes.act("/rules/{int:pk}", method="PUT", summary="Replace a rule", answer=Rule, right=EDITING)
def replace_rule(request: Called, response: HttpResponse, pk: int, body: RuleBody) -> Rule:
    return _edited(request, response, pk, body.model_dump())


@routes.act("/rules/{int:pk}", method="PATCH", summary="Change fields of a rule", answer=Rule, right=EDITING)
def change_rule(request: Called, response: HttpResponse, pk: int, body: RuleChange) -> Rule:
    """What is not named stays. `steps` are replaced as a whole."""
    return _edited(request, response, pk, body.model_dump(exclude_unset=True))


@routes.act("/rules/{int:pk}", method="DELETE", summary="Delete a rule", answer=None, status=204, right=EDITING)
def delete_rule(request: Called, pk: int) -> None:
    """What it holds is let go; its alerts stay in the history."""
    rule = _rule(request, pk)
    version = matching(request, rule.version, kind=services.OutOfDate.code)
    services.delete_rule(rule, by=request.person, at=timezone.now(), version=version)


@routes.act("/rules/{int:pk}/switch", summary="Switch a rule on or off", answer=Rule, right=SWITCHING)
def switch_rule(request: Called, response: HttpResponse, pk: int, body: Switch) -> Rule:
    """To switch what is switched already changes nothing."""
    rule = _rule(request, pk)
    rule.enabled = body.enabled
    services.save_rule(rule, by=request.person, at=timezone.now(), version=rule.version)
    return _told(response, _rule(request, pk))


@routes.act("/rules/preview", summary="Try a rule", answer=Tried, right=LOOKING)
def try_rule(request: Called, body: RuleTrial) -> Tried:
    """What it would have made of what was reported already. Nothing is saved."""
    until = timezone.now()
    told = preview(
        _filled(models.Rule(), body.rule.model_dump()), since=until - timedelta(hours=body.hours), until=until
    )
    shown = told.firings[:MOST_FIRINGS]
    drifting = told.drifting[:MOST_FIRINGS]
    uids = _uids([*drifting, *(firing.terminal_id for firing in shown)])
    return _tried(told, shown, uids)


def _rules(request: Called) -> QuerySet[models.Rule]:
    rows = models.Rule.objects.kept().select_related("site", "group", "changed_by")
    return access.visible(rows, to=request.person)


def _rule(request: Called, pk: int) -> models.Rule:
    rule = _rules(request).filter(pk=pk).first()
    if rule is None:
        raise Http404
    return rule


def _edited(request: Called, response: HttpResponse, pk: int, fields: dict[str, Any]) -> Rule:
    rule = _rule(request, pk)
    version = matching(request, rule.version, kind=services.OutOfDate.code)
    services.save_rule(_filled(rule, fields_of(rule) | fields), by=request.person, at=timezone.now(), version=version)
    return _told(response, _rule(request, pk))


def _filled(rule: models.Rule, fields: dict[str, Any]) -> models.Rule:
    """Raises Refused with all that is wrong."""
    if wrong := fill(rule, entry(fields), Places.known()):
        raise unreadable(*(Fault(f"${one.where}", one.what) for one in wrong))
    return rule


def _told(response: HttpResponse, rule: models.Rule) -> Rule:
    stamp(response, rule.version)
    return Rule.of(rule)


def _tried(told: Preview, shown: Sequence[Firing], uids: dict[int, str]) -> Tried:
    return Tried(
        since=told.since,
        until=told.until,
        terminals=told.terminals,
        looked_at=len(told.looked_at),
        is_cut=told.is_cut,
        number=len(told.firings),
        fired=[Fired.of(one, uids[one.terminal_id]) for one in shown if one.terminal_id in uids],
        drifting=[uids[pk] for pk in told.drifting[:MOST_FIRINGS] if pk in uids],
    )


def _uids(terminal_ids: list[int]) -> dict[int, str]:
    return dict(Terminal.objects.filter(pk__in=terminal_ids).values_list("pk", "uid"))
