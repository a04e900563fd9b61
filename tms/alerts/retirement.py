"""Retiring terminals, as an action that may need a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, register
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals.lifecycle_changes import NotPossible
from tms.fleet.terminals.retirement import RETIRE, RetirePayload


class RetiredTerminals(ApprovalKind[RetirePayload, Consequences]):
    """Large if there are many, or if an open site loses its last working lane for good."""

    name = RETIRE
    permission = Permission.MANAGE_TERMINALS
    payload = RetirePayload
    impact = Consequences

    def impact_of(self, payload: RetirePayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: RetirePayload, impact: Consequences) -> bool:
        is_many = 0 < settings.APPROVAL_TERMINALS < len(payload.terminals)
        return is_many or (settings.APPROVAL_LAST_LANE and impact.takes_last_lane)

    def is_permitted(self, payload: RetirePayload, person: User) -> bool:
        return holds_for_all(person, self.permission, payload.rows, payload.terminals)

    def is_within(self, payload: RetirePayload, larger: RetirePayload, *, later: timedelta) -> bool:
        return set(payload.terminals) <= set(larger.terminals)

    def title(self, payload: RetirePayload, impact: Consequences) -> str:
        number = len(payload.terminals)
        if number == 1 and (terminal := payload.rows.first()):
            return gettext("Retire %(uid)s") % {"uid": terminal.uid}
        return ngettext("Retire %(n)s terminal", "Retire %(n)s terminals", number) % {"n": f"{number:,}"}

    def word(self, payload: RetirePayload, impact: Consequences) -> str:
        number = len(payload.terminals)
        terminal = payload.rows.select_related("site").first() if number == 1 else None
        return terminal.short_uid if terminal else str(number)

    def details(self, payload: RetirePayload, impact: Consequences) -> Mapping[str, object]:
        return {"effect": "retire"}

    def perform(self, payload: RetirePayload, *, by: User, at: datetime) -> int:
        """Terminals that were retired meanwhile stay as they are."""
        found = list(payload.rows.values_list("pk", flat=True))
        becomes, comment = payload.device_becomes, payload.comment
        try:
            return lifecycle_changes.retire(found, device_becomes=becomes, by=by, at=at, comment=comment)
        except NotPossible as error:
            raise CannotPerform(str(error)) from None


register(RetiredTerminals())
