"""Imports that need a second person: those that retire or move many terminals, or the last lane of an open site."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.alerts.retirement import needs_second_person
from tms.approvals import services
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.gate import Proposal, propose
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.fleet.models import Site, Terminal
from tms.fleet.terminals.retirement import MovePayload, RetirePayload
from tms.transfer import running
from tms.transfer.models import Absence, Import, ImportNotPossible


class ImportPayload(Payload, frozen=True):
    of: int
    file_name: str
    absent_become: Absence
    retired: tuple[int, ...]
    moved: tuple[int, ...]
    sites: tuple[int, ...]
    """Where terminals are moved to."""
    is_edit: bool = False
    """Whether it is a bulk edit, which `file_name` describes."""

    @property
    def terminals(self) -> set[int]:
        return {*self.retired, *self.moved}

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=self.terminals)


class LargeImport(ApprovalKind[ImportPayload, Consequences]):
    name = Act.IMPORT
    permission = Permission.MANAGE_TERMINALS
    payload = ImportPayload
    impact = Consequences

    def impact_of(self, payload: ImportPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: ImportPayload, impact: Consequences) -> bool:
        return needs_second_person(len(payload.terminals), impact)

    def is_permitted(self, payload: ImportPayload, person: User) -> bool:
        """Asks for the terminals, and the sites to which they move. The runner checks each row."""
        sites = Site.objects.filter(pk__in=payload.sites)
        return all(
            holds_for_all(person, permission, payload.rows, payload.terminals)
            and (not payload.sites or holds_for_all(person, permission, sites, payload.sites))
            for permission in (self.permission, *([] if payload.is_edit else [Permission.IMPORT_FLEET]))
        )

    def is_within(self, payload: ImportPayload, larger: ImportPayload, *, later: timedelta) -> bool:
        return payload.of == larger.of and payload.terminals <= larger.terminals

    def includes(self, payload: ImportPayload, act: Act, part: Payload) -> bool:
        """Its rows retire and move what it says; undone, they move it back."""
        if isinstance(part, RetirePayload | MovePayload) and act in (Act.RETIRE, Act.MOVE):
            return set(part.terminals) <= payload.terminals
        return super().includes(payload, act, part)

    def title(self, payload: ImportPayload, impact: Consequences) -> str:
        text = gettext("Import “%(file)s”. Terminals retired: %(retired)s, moved: %(moved)s")
        if payload.is_edit:
            text = gettext("Bulk edit “%(file)s”. Terminals retired: %(retired)s, moved: %(moved)s")
        retired, moved = f"{len(payload.retired):,}", f"{len(payload.moved):,}"
        return text % {"file": payload.file_name, "retired": retired, "moved": moved}

    def word(self, payload: ImportPayload, impact: Consequences) -> str:
        return str(len(payload.terminals))

    def details(self, payload: ImportPayload, impact: Consequences) -> Mapping[str, object]:
        return {"effect": "retire"}

    def perform(self, payload: ImportPayload, *, by: User, at: datetime) -> int:
        """The clock applies it, with the rights that its requester has then."""
        found = Import.objects.select_for_update(of=("self",)).get(pk=payload.of)
        try:
            if payload != payload_of(found, payload.absent_become):
                raise ImportNotPossible
            running.leave_to_clock(found, by=by, at=at, absent_become=payload.absent_become)
        except ImportNotPossible:
            text = gettext("The import was applied, or checked again, since the request was made. Reject the request.")
            raise CannotPerform(text) from None
        return found.changes


register(LargeImport())


def payload_of(chosen: Import, absent_become: Absence) -> ImportPayload:
    return ImportPayload(**running.act_of(chosen, absent_become))


def propose_import(chosen: Import, absent_become: Absence, *, by: User, at: datetime) -> Proposal | None:
    """None if it neither retires nor moves a terminal. Raises Forbidden."""
    payload = payload_of(chosen, absent_become)
    return propose(Act.IMPORT, payload, by=by, at=at) if payload.terminals else None


@transaction.atomic
def ask(chosen: Import, proposal: Proposal, *, reason: str, by: User, at: datetime) -> None:
    """The import waits for a second person. Raises ImportNotPossible if it was checked again or applied meanwhile."""
    request = services.ask(proposal, reason=reason, by=by, at=at)  # locked before the import, as for an approval
    locked = Import.objects.select_for_update(of=("self",)).get(pk=chosen.pk)
    if not locked.may_be_applied or proposal.payload != payload_of(locked, proposal.payload.absent_become):
        raise ImportNotPossible
    locked.approval = request
    locked.save(update_fields=("approval",))


def apply_alone(chosen: Import, proposal: Proposal, *, reason: str, by: User, at: datetime) -> None:
    """The clock applies an import that nobody else could approve. Raises ImportNotPossible."""
    with services.alone(proposal, reason=reason, by=by):
        running.leave_to_clock(chosen, by=by, at=at, absent_become=proposal.payload.absent_become)
