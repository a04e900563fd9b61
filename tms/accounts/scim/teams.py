"""Teams as the directory sees them: groups of people. Their grants are given in TMS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from scim2_models import PatchOp, PatchOperation, Reference
from scim2_models.path import CompareOperator, Comparison, Path, ValuePath

from tms.accounts.audit import recorder
from tms.accounts.models import ProvisionedTeam, Team, User
from tms.accounts.people import holdings
from tms.accounts.scim import schemas
from tms.accounts.scim.endpoint import ScimRequest
from tms.accounts.scim.errors import ScimError, forbidden, invalid_value, not_unique
from tms.accounts.scim.filters import FilterColumn, KeyColumn, MemberColumn, TextColumn, key_of
from tms.accounts.scim.people import PREFIX as OF_PEOPLE
from tms.accounts.scim.people import visible_people
from tms.accounts.scim.protection import check_may_give, check_unprotected, check_verified, keeping_an_administrator
from tms.accounts.scim.requests import external_id_of, scim_rules
from tms.accounts.scim.resources import ResourceKind
from tms.protocol.text import clean

PREFIX = "team-"
MAX_CHANGES = 1_000
"""Members that a request may add and remove."""


class Groups(ResourceKind[Team, schemas.ScimGroup]):
    name = "Group"
    prefix = PREFIX
    model = schemas.ScimGroup
    columns: ClassVar[Mapping[str, FilterColumn]] = {
        "id": KeyColumn(PREFIX),
        "displayname": TextColumn("name"),
        "externalid": TextColumn("provisioned__external_id", is_exact=True),
        "members": MemberColumn(OF_PEOPLE),
        "members.value": MemberColumn(OF_PEOPLE),
    }

    def rows(self) -> QuerySet[Team]:
        return Team.objects.select_related("provisioned").order_by("pk")

    def shapes(self, rows: Collection[Team]) -> list[schemas.ScimGroup]:
        members = _members(rows)
        return [_shape(team, members[team.pk]) for team in rows]

    def add_addresses(self, shape: schemas.ScimGroup, root: str) -> None:
        for member in shape.members or []:
            member.ref = Reference(f"{root}/Users/{member.value}")

    def create(self, wanted: schemas.ScimGroup, request: ScimRequest) -> Team:
        team = Team()
        _apply(team, wanted, by=request.person)
        return team

    def replace(self, row: Team, wanted: schemas.ScimGroup, request: ScimRequest) -> None:
        _apply(row, wanted, by=request.person)

    def patch(self, row: Team, message: PatchOp[Any], request: ScimRequest) -> None:
        wanted = _shape(row, ())
        members = dict.fromkeys(_pks(row))
        others = [part for operation in message.operations or [] for part in _without_members(operation, members)]
        if others:
            with scim_rules():
                message.model_copy(update={"operations": others}).patch(wanted)
        _rename(row, wanted)
        _set_members(row, list(members), by=request.person)

    def delete(self, row: Team, request: ScimRequest) -> None:
        if not hasattr(row, "provisioned"):
            raise forbidden(f"{row.name} was created in TMS, and is deleted there")
        with keeping_an_administrator():
            holdings.delete_team(row)


GROUPS = Groups()


def _pks(team: Team) -> list[int]:
    """The members that the directory sees."""
    return list(visible_people().filter(teams=team).order_by("pk").values_list("pk", flat=True))


def _members(teams: Collection[Team]) -> Mapping[int, list[int]]:
    """The primary keys of people, by team."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    rows = Team.members.through.objects.filter(team__in=teams, user__in=visible_people().values("pk"))
    for team, person in rows.order_by("user").values_list("team", "user"):
        found[team].append(person)
    return found


def _shape(team: Team, members: Collection[int]) -> schemas.ScimGroup:
    row = getattr(team, "provisioned", None)
    return schemas.ScimGroup(
        id=f"{PREFIX}{team.pk}",
        external_id=(row.external_id if row else "") or None,
        display_name=team.name,
        members=[schemas.ScimMember(value=f"{OF_PEOPLE}{pk}", type="User") for pk in members] or None,
    )


def _apply(team: Team, wanted: schemas.ScimGroup, *, by: User) -> None:
    pks = [_pk(member.value) for member in wanted.members or []]
    _rename(team, wanted)
    _set_members(team, pks, by=by)


def _rename(team: Team, wanted: schemas.ScimGroup) -> None:
    """Rename the team, and mark it as one of the directory."""
    name = clean(wanted.display_name or "").strip()
    if name != team.name:
        with recorder.change(team):
            team.name = name
            _check(team)
            team.save()
    _link(team, external_id_of(wanted), at=timezone.now())


def _check(team: Team) -> None:
    if Team.objects.exclude(pk=team.pk).filter(name__iexact=team.name).exists():
        raise not_unique(f"another team has the displayName {team.name}")
    try:
        team.clean_fields()
    except ValidationError as error:
        raise invalid_value(f"displayName: {' '.join(error.messages)}") from None


def _link(team: Team, external_id: str, *, at: datetime) -> None:
    if external_id and ProvisionedTeam.objects.exclude(team=team).filter(external_id=external_id).exists():
        raise not_unique(f"another team has the externalId {external_id}")
    values = {"external_id": external_id, "changed_at": at}
    row, is_new = ProvisionedTeam.objects.update_or_create(
        team=team, defaults=values, create_defaults={**values, "created_at": at}
    )
    if is_new:
        recorder.record("provisioned", team)
    team.provisioned = row  # as it is read later in this request


def _set_members(team: Team, pks: Collection[int], *, by: User) -> None:
    """Service accounts among the members stay: the directory does not see them."""
    current, wanted = set(_pks(team)), set(pks)
    if len(current ^ wanted) > MAX_CHANGES:
        raise ScimError(413, f"at most {MAX_CHANGES} members are added or removed by one request")
    joining = list(visible_people().filter(pk__in=wanted - current).order_by("pk"))
    if len(joining) != len(wanted - current):
        unknown = min((wanted - current) - {person.pk for person in joining})
        raise invalid_value(f"members: there is no User {OF_PEOPLE}{unknown}")
    for person in joining:
        check_unprotected(person)
        check_verified(person)
    if joining:
        check_may_give(by, team)
        holdings.add_members(team, joining)
    if leaving := list(User.objects.filter(pk__in=current - wanted).order_by("pk")):
        with keeping_an_administrator():
            holdings.remove_members(team, leaving)


# Members are changed by sets, not by the library: its time grows with the square of their number.


def _without_members(operation: PatchOperation[Any], members: dict[int, None]) -> Iterator[PatchOperation[Any]]:
    """Apply the operation to `members`; what it says about other attributes is left."""
    if operation.path is None and isinstance(operation.value, dict):
        rest = {name: value for name, value in operation.value.items() if _attribute(name) != "members"}
        for name, value in operation.value.items():
            if _attribute(name) == "members":
                _change_members(members, operation.op, value)
        if rest:
            yield operation.model_copy(update={"value": rest})
    elif operation.path is not None and _attribute(str(operation.path)) == "members":
        _change_at(operation.path, operation, members)
    else:
        yield operation


def _attribute(path: str) -> str:
    """`urn:…:Group:Members[value eq "7"]` → `members`."""
    head = path.partition("[")[0]
    return head.rpartition(":")[2].partition(".")[0].strip().lower()


def _change_at(path: Path[Any], operation: PatchOperation[Any], members: dict[int, None]) -> None:
    node = path.ast
    if not isinstance(node, ValuePath):
        if "." in str(path).rpartition(":")[2]:
            raise ScimError(400, "members are added and removed as a whole", kind="invalidPath")
        _change_members(members, operation.op, operation.value)
        return
    by = node.val_filter
    is_one = isinstance(by, Comparison) and by.op == CompareOperator.eq and by.attr_path.attr.lower() == "value"
    if operation.op != PatchOperation.Op.remove or not is_one or node.sub_attr:
        raise ScimError(400, 'select members with remove and members[value eq "…"]', kind="invalidPath")
    _drop(members, by.value)  # type: ignore[attr-defined]  # a comparison


def _change_members(members: dict[int, None], op: str, value: Any) -> None:
    """`value`: one member or a list, `{"value": "person-7"}` each. `remove` without one removes all."""
    if op == PatchOperation.Op.remove and value is None:
        members.clear()
        return
    listed = value if isinstance(value, list) else [] if value is None else [value]
    ids = [_sent_id(member) for member in listed]
    if op == PatchOperation.Op.remove:
        for sent in ids:
            _drop(members, sent)
        return
    if op == PatchOperation.Op.replace_:
        members.clear()
    members.update(dict.fromkeys(map(_pk, ids)))


def _sent_id(member: Any) -> Any:
    if not isinstance(member, dict):
        raise invalid_value('members: expected {"value": the id of a User}')
    return next((value for name, value in member.items() if name.lower() == "value"), None)


def _pk(sent: Any) -> int:
    pk = key_of(sent, OF_PEOPLE)
    if pk is None:
        raise invalid_value(f"members: there is no User {str(sent)[:100]}")
    return pk


def _drop(members: dict[int, None], sent: Any) -> None:
    """Removing a person who is no member changes nothing."""
    pk = key_of(sent, OF_PEOPLE)
    if pk is not None:
        members.pop(pk, None)
