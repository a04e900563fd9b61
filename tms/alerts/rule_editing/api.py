"""REST operations for rules. They are edited under If-Match, so that nobody overwrites an unseen change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts import access
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.models import RuleSource
from tms.alerts.preview.preview import PreviewResult, preview
from tms.alerts.preview.simulation import SimulatedAlert
from tms.alerts.rule_editing import services
from tms.alerts.rule_editing.entry import KnownScopes, fill
from tms.alerts.rule_editing.schemas import RuleBody, RuleChange, RulePageSchema, RuleSchema, entry, fields_of
from tms.fleet.models import Terminal
from tms.lib.pagination import Column, Keyset
from tms.rest_base.etags import IF_MATCH, require_match, set_etag
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import READ, ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema

router = ApiRouter("rules")
OLDEST_FIRST = Keyset((Column("pk", int),))
MAX_HOURS = 168
MAX_ALERTS = 1_000
MAKING = Access(Permission.EDIT_RULES, is_idempotent=True)
EDITING = Access(Permission.EDIT_RULES, refusals=(409, 412, 428), headers=(IF_MATCH,))
SWITCHING = Access(Permission.EDIT_RULES, is_idempotent=True, refusals=(412,))


class RuleQuery(PageQuery):
    enabled: bool | None = None
    kind: RuleSource | None = None


class RuleSwitchBody(RequestSchema):
    enabled: bool


class PreviewRequest(RequestSchema):
    rule: RuleBody
    hours: int = Field(24, ge=1, le=MAX_HOURS, description="Hours to look back.")


class SimulatedAlertSchema(ResponseSchema):
    """An alert that the rule would have opened."""

    terminal: str = Field(description="UID")
    severity: str
    opened_at: datetime
    ended_at: datetime | None = Field(description="Null if it would still be open.")
    lowest: float | None
    highest: float | None
    changes: int = Field(description="Number of openings and recoveries while flapping; otherwise 0.")

    @classmethod
    def of(cls, alert: SimulatedAlert, uid: str) -> Self:
        return cls(**alert._asdict(), terminal=uid)


class PreviewSchema(ResponseSchema):
    since: datetime
    until: datetime
    terminals: int = Field(description="Number of terminals in the scope of the rule.")
    evaluated: int = Field(description="Number of terminals evaluated: all, or an even sample.")
    is_cut: bool = Field(description="True if there was too much data to read in time.")
    number: int = Field(description="Number of alerts that would have opened.")
    alerts: list[SimulatedAlertSchema] = Field(description=f"The first {MAX_ALERTS} of these alerts.")
    matching_now: list[str] = Field(
        description=f"Firmware rules: UIDs of the first {MAX_ALERTS} terminals that match now."
    )


@router.get("/rules", summary="List rules", response=RulePageSchema)
def list_rules(request: ApiRequest, response: HttpResponse, query: Query[RuleQuery]) -> RulePageSchema:
    wanted = {name: value for name, value in (("enabled", query.enabled), ("kind", query.kind)) if value is not None}
    found = paginate(request, response, _rules(request).filter(**wanted), query, order=OLDEST_FIRST)
    return RulePageSchema(items=[RuleSchema.of(rule) for rule in found.rows], next=found.next)


@router.get("/rules/{int:pk}", summary="Read a rule", response=RuleSchema)
def read_rule(request: ApiRequest, response: HttpResponse, pk: int) -> RuleSchema:
    """The `ETag` of the response is required to change the rule."""
    return _answer(response, _rule(request, pk))


@router.post("/rules", summary="Create a rule", response=RuleSchema, status=201, access=MAKING)
def make_rule(request: ApiRequest, response: HttpResponse, body: RuleBody) -> RuleSchema:
    rule = _fill(request, models.Rule(), body.model_dump())
    access.demand_within_any(request.person, Permission.EDIT_RULES, rule.scopes)
    services.save_rule(rule, by=request.person, at=timezone.now())
    response["Location"] = f"{request.path}/{rule.pk}"
    return _answer(response, _rule(request, rule.pk))


@router.put("/rules/{int:pk}", summary="Replace a rule", response=RuleSchema, access=EDITING)
def replace_rule(request: ApiRequest, response: HttpResponse, pk: int, body: RuleBody) -> RuleSchema:
    return _edit(request, response, pk, body.model_dump())


@router.patch("/rules/{int:pk}", summary="Change fields of a rule", response=RuleSchema, access=EDITING)
def change_rule(request: ApiRequest, response: HttpResponse, pk: int, body: RuleChange) -> RuleSchema:
    """Omitted fields stay unchanged. `thresholds` is replaced as a whole."""
    return _edit(request, response, pk, body.model_dump(exclude_unset=True))


@router.delete("/rules/{int:pk}", summary="Delete a rule", response=None, status=204, access=EDITING)
def delete_rule(request: ApiRequest, pk: int) -> None:
    """Resolves its open alerts; they stay in the history."""
    rule = _editable(request, pk)
    version = require_match(request, rule.version, kind=services.OutOfDate.code)
    services.delete_rule(rule, by=request.person, at=timezone.now(), version=version)


@router.post("/rules/{int:pk}/switch", summary="Enable or disable a rule", response=RuleSchema, access=SWITCHING)
def switch_rule(request: ApiRequest, response: HttpResponse, pk: int, body: RuleSwitchBody) -> RuleSchema:
    """Repeating it changes nothing."""
    rule = _editable(request, pk)
    rule.enabled = body.enabled
    services.save_rule(rule, by=request.person, at=timezone.now(), version=rule.version)
    return _answer(response, _rule(request, pk))


@router.post("/rules/preview", summary="Preview a rule", response=PreviewSchema, access=READ)
def preview_rule(request: ApiRequest, body: PreviewRequest) -> PreviewSchema:
    """The alerts that the rule would have opened on past reports. Saves nothing."""
    until = timezone.now()
    rule, since = _fill(request, models.Rule(), body.rule.model_dump()), until - timedelta(hours=body.hours)
    result = preview(rule, since=since, until=until, scope=access.scope_of(request.person))
    shown = result.alerts[:MAX_ALERTS]
    matching_now = result.matching_now[:MAX_ALERTS]
    uids = _uids([*matching_now, *(alert.terminal_id for alert in shown)])
    return _preview_schema(result, shown, uids)


def _rules(request: ApiRequest) -> QuerySet[models.Rule]:
    rows = models.Rule.objects.not_deleted().select_related("site", "group", "changed_by")
    return access.visible(rows, to=request.person)


def _rule(request: ApiRequest, pk: int) -> models.Rule:
    rule = _rules(request).filter(pk=pk).first()
    if rule is None:
        raise Http404
    return rule


def _editable(request: ApiRequest, pk: int) -> models.Rule:
    rule = _rule(request, pk)
    access.demand(request.person, Permission.EDIT_RULES, rule)
    return rule


def _edit(request: ApiRequest, response: HttpResponse, pk: int, fields: dict[str, object]) -> RuleSchema:
    rule = _editable(request, pk)
    version = require_match(request, rule.version, kind=services.OutOfDate.code)
    changed = _fill(request, rule, fields_of(rule) | fields)
    access.demand_within_any(request.person, Permission.EDIT_RULES, changed.scopes)
    services.save_rule(changed, by=request.person, at=timezone.now(), version=version)
    return _answer(response, _rule(request, pk))


def _fill(request: ApiRequest, rule: models.Rule, fields: dict[str, object]) -> models.Rule:
    """Raises ProblemError with all errors."""
    if faults := fill(rule, entry(fields), KnownScopes.of(to=request.person)):
        raise unreadable(*(RequestFault(f"${one.where}", one.what) for one in faults))
    return rule


def _answer(response: HttpResponse, rule: models.Rule) -> RuleSchema:
    set_etag(response, rule.version)
    return RuleSchema.of(rule)


def _preview_schema(result: PreviewResult, shown: Sequence[SimulatedAlert], uids: dict[int, str]) -> PreviewSchema:
    return PreviewSchema(
        since=result.since,
        until=result.until,
        terminals=result.terminals,
        evaluated=len(result.evaluated),
        is_cut=result.is_cut,
        number=len(result.alerts),
        alerts=[SimulatedAlertSchema.of(one, uids[one.terminal_id]) for one in shown if one.terminal_id in uids],
        matching_now=[uids[pk] for pk in result.matching_now[:MAX_ALERTS] if pk in uids],
    )


def _uids(terminal_ids: list[int]) -> dict[int, str]:
    return dict(Terminal.objects.filter(pk__in=terminal_ids).values_list("pk", "uid"))
