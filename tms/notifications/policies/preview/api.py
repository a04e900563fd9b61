"""The REST operation of the preview."""

from datetime import datetime
from typing import Self

from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils import timezone
from ninja import Query, Schema
from pydantic import Field

from tms.accounts.access import visible
from tms.alerts.models import Rule
from tms.fleet.models import Site
from tms.lib.severity import Severity
from tms.notifications.models.policy import Policy
from tms.notifications.policies.preview.case import PreviewCase
from tms.notifications.policies.preview.form import case_of, made_up, recent_alerts, recent_incidents
from tms.notifications.policies.preview.lines import shown
from tms.notifications.policies.preview.timeline import PreviewItem, timeline
from tms.rest_base.operation import ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, Instant, ResponseSchema

router = ApiRouter("policies")


class NotificationPreviewQuery(Schema):
    """What it is about: `alert`, `incident`, or `severity` and `site`."""

    alert: Id | None = None
    incident: Id | None = None
    severity: Severity | None = None
    site: str = Field("", description="Code of a site.")
    rule: Id | None = Field(None, description="Of a made-up alert; without one, policies for any rule apply.")
    policy: Id | None = Field(None, description="This policy only; all that are enabled without one.")
    at: Instant | None = Field(None, description="When it opens; now without one.")


class NotificationPreviewItemSchema(ResponseSchema):
    at: datetime = Field(description="When it is decided.")
    offset_s: float = Field(description="Seconds after the alert opened.")
    policy: int
    policy_name: str
    step: int = Field(description="From 1; 0 while the policy waits.")
    is_repeat: bool = Field(description="The first of the repeats until someone acknowledges.")
    destination: int | None
    destination_name: str
    kind: str = Field(description="Of the destination.")
    rotation: str = Field(description="The rotation in which the person is on call.")
    person: str | None = Field(description="Username of the person on call.")
    sent_at: datetime | None = Field(description="After the group wait or quiet hours; null for never, or unknown.")
    reason: str = Field(
        description="Empty if it is sent; `quiet_hours`, `disabled`, `no_person_on_call`, `no_destination` or"
        " `other_scope`; while the policy waits `hours`, `maintenance`, `closed`, `parent`, `expected`, `folding`."
    )
    until: datetime | None = Field(description="End of the reason.")
    failures: int = Field(description="Consecutive failures of the destination.")

    @classmethod
    def of(cls, item: PreviewItem, opened_at: datetime) -> Self:
        destination, named = item.destination, item.named
        person = destination.person if destination is not None else None
        return cls(
            at=item.at,
            offset_s=((item.sent_at if not item.reason and item.sent_at else item.at) - opened_at).total_seconds(),
            policy=item.policy.pk,
            policy_name=item.policy.name,
            step=item.step,
            is_repeat=item.is_repeat,
            destination=destination.pk if destination else None,
            destination_name=destination.name if destination else "",
            kind=destination.kind if destination else "",
            rotation=named.rotation.name if named and named.rotation else "",
            person=person.username if person and named and named.rotation else None,
            sent_at=item.sent_at,
            reason=item.reason,
            until=item.until,
            failures=destination.failures if destination else 0,
        )


class NotificationPreviewSchema(ResponseSchema):
    title: str = Field(description="The alert or incident.")
    opened_at: datetime
    mismatch: str = Field(description="With `policy`: the first condition that the alert does not meet.")
    items: list[NotificationPreviewItemSchema]


@router.get("/policies/preview", summary="Preview who would be notified, and when", response=NotificationPreviewSchema)
def preview_policies(request: ApiRequest, query: Query[NotificationPreviewQuery]) -> NotificationPreviewSchema:
    """Preview as if the alert or incident opened at `at` and nobody acknowledged it. Nothing is saved or sent.

    Destinations that you do not see are left out.
    """
    at = query.at or timezone.now()
    case = _case(request, query, at)
    policies = _policies(request, query)
    items = shown(timeline(case, policies, at=at), to=request.person)
    mismatch = policies[0].mismatch(case.concern) if query.policy is not None else ""
    of_items = [NotificationPreviewItemSchema.of(item, at) for item in items]
    return NotificationPreviewSchema(title=case.title, opened_at=at, mismatch=mismatch, items=of_items)


def _policies(request: ApiRequest, query: NotificationPreviewQuery) -> list[Policy]:
    seen = visible(Policy.objects.not_deleted(), to=request.person)
    if query.policy is None:
        return list(seen.enabled())
    found = list(seen.filter(pk=query.policy))
    if not found:
        raise unreadable(RequestFault("$.policy", "unknown"))
    return found


def _case(request: ApiRequest, query: NotificationPreviewQuery, at: datetime) -> PreviewCase:
    """Raises ProblemError."""
    by = request.person
    named = [name for name in ("alert", "incident", "severity") if getattr(query, name) is not None]
    if len(named) != 1:
        raise unreadable(RequestFault("$", "needs one of: alert; incident; severity with site"))
    if query.alert is not None:
        return case_of(_one(recent_alerts(by), query.alert), at=at)
    if query.incident is not None:
        return case_of(_one(recent_incidents(by), query.incident), at=at)
    site = visible(Site.objects.filter(code=query.site), to=by).first()
    if site is None:
        raise unreadable(RequestFault("$.site", "unknown; a made-up alert needs the code of a site"))
    rule = None
    if query.rule is not None:
        rule = visible(Rule.objects.filter(pk=query.rule), to=by).first()
        if rule is None:
            raise unreadable(RequestFault("$.rule", "unknown"))
    assert query.severity is not None
    return made_up(query.severity, site, rule, at=at)


def _one[Row: Model](rows: QuerySet[Row], pk: int) -> Row:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
