"""REST operations for policies and their escalation steps."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Schema
from pydantic import ConfigDict, Field, model_validator

from tms.accounts import access
from tms.accounts.access.owner_form import set_owner
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.models import Rule
from tms.fleet.models import Group, Site
from tms.fleet.owners import OwnerSchema, owner_fields, owner_name
from tms.lib.pagination import Column, Keyset
from tms.lib.severity import Severity
from tms.notifications.models import Destination, Rotation
from tms.notifications.models import policy as models
from tms.notifications.models.policy import DAY_S, PolicyHours
from tms.notifications.policies import services
from tms.notifications.policies.services import EDITED, MAX_STEPS, PolicyRows, StepValues
from tms.notifications.soft_delete.services import delete
from tms.notifications.weekly_hours import HOURS_FIELDS, hours_values, set_hours
from tms.rest_base.body_values import BodyValues
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, RequestSchema, ResponseSchema, Weekday, change_of

router = ApiRouter("policies")
BY_NAME = Keyset((Column("name"),))
MAKING = Access(Permission.EDIT_POLICIES, is_idempotent=True)
CHANGING = Access(Permission.EDIT_POLICIES)
COPIED = tuple(name for name in EDITED if name not in HOURS_FIELDS)


class PolicyStepFields(Schema):
    after_min: int = Field(
        0, ge=0, le=DAY_S // 60, description="Minutes after the previous step; ignored for the first."
    )
    destinations: list[Id] = []
    rotations: list[Id] = Field(
        [], description="Also notifies the person who is on call in these rotations at that time."
    )


class PolicyStep(PolicyStepFields):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def reaches_anyone(self) -> Self:
        if not self.destinations and not self.rotations:
            raise ValueError("an escalation step needs a destination or a rotation")
        return self


class PolicyFields(Schema):
    """Empty lists do not filter."""

    name: str = Field(examples=["NOC"])
    enabled: bool = True
    severities: list[Severity] = []
    sites: list[str] = Field([], description="Site codes.")
    groups: list[str] = Field([], description="Group names.")
    rules: list[Id] = []
    language: str = Field("", description="Empty for the language of each destination.")
    delay_s: int = Field(0, description="Alerts resolved or acknowledged before that are not notified.")
    group_wait_s: int = Field(5, description="Alerts within this time are grouped into one notification.")
    group_by_site: bool = True
    repeat_s: int = Field(
        0,
        description="After the last step, everybody is notified again this often until someone acknowledges; 0 for"
        " never, else at least 300.",
    )
    notify_resolved: bool = True
    notify_acknowledged: bool = False
    rollouts: list[models.RolloutNews] = Field(
        [], max_length=4, description="Of which events of rollouts the first step is notified."
    )
    when: PolicyHours = Field(
        PolicyHours.ALWAYS,
        description="When the policy is active. Anything still unresolved when it becomes active is notified then.",
    )
    hours_days: list[Weekday] = Field([], description="For `within` and `outside`: 0 is Monday; empty for every day.")
    hours_from: str = Field("", examples=["09:00"])
    hours_until: str = Field("", description="If not later than `hours_from`, on the next day.")
    hours_zone: str = Field("", description="Empty for the time zone of TMS.")
    owner: OwnerSchema = OwnerSchema()
    steps: list[PolicyStep] = Field(min_length=1, max_length=MAX_STEPS)


class PolicyBody(PolicyFields, RequestSchema):
    """A whole policy."""


PolicyChange: Any = change_of(PolicyFields, "PolicyChange")


class PolicyStepSchema(PolicyStepFields):
    """An escalation step with what the person sees, which may be nothing."""


class PolicySchema(PolicyFields, ResponseSchema):
    id: int
    steps: list[PolicyStepSchema]  # type: ignore[assignment]

    @classmethod
    def of(cls, policy: models.Policy) -> Self:
        return cls(id=policy.pk, **fields_of(policy))


class PolicyPageSchema(Page[PolicySchema]): ...


@router.get("/policies", summary="List policies", response=PolicyPageSchema)
def list_policies(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> PolicyPageSchema:
    found = paginate(request, response, _policies(request), query, order=BY_NAME)
    return PolicyPageSchema(items=[PolicySchema.of(policy) for policy in found.rows], next=found.next)


@router.get("/policies/{int:pk}", summary="Read a policy", response=PolicySchema)
def read_policy(request: ApiRequest, pk: int) -> PolicySchema:
    return PolicySchema.of(_policy(request, pk))


@router.post("/policies", summary="Create a policy", response=PolicySchema, status=201, access=MAKING)
def make_policy(request: ApiRequest, response: HttpResponse, body: PolicyBody) -> PolicySchema:
    """Applies to alerts that open from now on."""
    made = models.Policy()
    _save(request, made, body.model_dump(), body.steps)
    response["Location"] = f"{request.path}/{made.pk}"
    return PolicySchema.of(_policy(request, made.pk))


@router.patch("/policies/{int:pk}", summary="Change fields of a policy", response=PolicySchema, access=CHANGING)
def change_policy(request: ApiRequest, pk: int, body: PolicyChange) -> PolicySchema:
    """Omitted fields stay unchanged. `steps` is replaced as a whole."""
    policy = _editable(request, pk)
    fields = body.model_dump(exclude_unset=True)
    _save(request, policy, fields_of(policy) | fields, body.steps if "steps" in fields else None)
    return PolicySchema.of(_policy(request, pk))


@router.delete("/policies/{int:pk}", summary="Delete a policy", response=None, status=204, access=CHANGING)
def delete_policy(request: ApiRequest, pk: int) -> None:
    """Cancels its waiting notifications. The history is kept."""
    delete(_editable(request, pk), at=timezone.now())


def fields_of(policy: models.Policy) -> dict[str, Any]:
    steps = [
        {
            "after_min": step.after_s // 60,
            "destinations": sorted(one.pk for one in step.destinations.all()),
            "rotations": sorted(one.pk for one in step.rotations.all()),
        }
        for step in policy.steps.all()
    ]
    return {
        **{name: getattr(policy, name) for name in COPIED},
        **hours_values(policy),
        "sites": sorted(site.code for site in policy.sites.all()),
        "groups": sorted(group.name for group in policy.groups.all()),
        "rules": sorted(rule.pk for rule in policy.rules.all()),
        "steps": steps,
        "owner": owner_fields(policy),
    }


def _save(
    request: ApiRequest, policy: models.Policy, fields: Mapping[str, Any], steps: Sequence[PolicyStepFields] | None
) -> None:
    """Save a policy; its steps stay if there are no `steps`. Raises ProblemError."""
    by, found = request.person, BodyValues()
    rows = PolicyRows(
        sites=found.rows(access.visible(Site.objects.all(), to=by), "code", fields["sites"], "$.sites"),
        groups=found.rows(access.visible(Group.objects.all(), to=by), "name", fields["groups"], "$.groups"),
        rules=found.rows(access.visible(Rule.objects.all(), to=by), "pk", fields["rules"], "$.rules"),
    )
    chosen = None if steps is None else [_step(one, found, f"$.steps[{n}]", by) for n, one in enumerate(steps)]
    _set_columns(policy, fields, found)
    set_owner(policy, owner_name(fields["owner"], to=by))
    with found.reported():
        services.save(policy, rows, chosen, by=by)


def _step(step: PolicyStepFields, found: BodyValues, at: str, by: User) -> StepValues:
    destinations = access.visible(Destination.objects.not_deleted(), to=by)
    rotations = access.visible(Rotation.objects.not_deleted(), to=by)
    return StepValues(
        after_s=step.after_min * 60,
        destinations=found.rows(destinations, "pk", step.destinations, f"{at}.destinations"),
        rotations=found.rows(rotations, "pk", step.rotations, f"{at}.rotations"),
    )


def _set_columns(policy: models.Policy, fields: Mapping[str, Any], found: BodyValues) -> None:
    for name in COPIED:
        setattr(policy, name, fields[name])
    policy.name = fields["name"].strip()
    policy.severities = [Severity(one).value for one in fields["severities"]]
    set_hours(policy, fields, found.time)


def _policies(request: ApiRequest) -> QuerySet[models.Policy]:
    """Each with the rows that the person sees."""
    many = {
        "sites": Site.objects.all(),
        "groups": Group.objects.all(),
        "rules": Rule.objects.all(),
        "steps__destinations": Destination.objects.all(),
        "steps__rotations": Rotation.objects.all(),
    }
    seen = [Prefetch(name, access.visible(rows, to=request.person)) for name, rows in many.items()]
    rows = models.Policy.objects.not_deleted().select_related("owner_site", "owner_group").prefetch_related(*seen)
    return access.visible(rows, to=request.person)


def _editable(request: ApiRequest, pk: int) -> models.Policy:
    found = _policy(request, pk)
    access.demand(request.person, Permission.EDIT_POLICIES, found)
    return found


def _policy(request: ApiRequest, pk: int) -> models.Policy:
    found = _policies(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
