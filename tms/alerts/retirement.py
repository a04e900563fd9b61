"""Retiring terminals, alone or with their site, and moving them, as acts that may need a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.fleet.models import Site
from tms.fleet.sites import services
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals import services as terminals
from tms.fleet.terminals.lifecycle_changes import NotPossible
from tms.fleet.terminals.retirement import ClosePayload, MovePayload, RetirePayload


def needs_second_person(terminals: int, impact: Consequences) -> bool:
    """Whether taking that many terminals away for good is large."""
    is_many = 0 < settings.APPROVAL_TERMINALS < terminals
    return is_many or (settings.APPROVAL_LAST_LANE and impact.takes_last_lane)


class Removal[P: RetirePayload | MovePayload](ApprovalKind[P, Consequences]):
    """Large if there are many, or if an open site loses its last working lane."""

    impact = Consequences

    def impact_of(self, payload: P, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: P, impact: Consequences) -> bool:
        return needs_second_person(len(payload.terminals), impact)

    def is_within(self, payload: P, larger: P, *, later: timedelta) -> bool:
        return set(payload.terminals) <= set(larger.terminals)

    def is_permitted(self, payload: P, person: User) -> bool:
        return holds_for_all(person, self.permission, payload.rows, payload.terminals)

    def details(self, payload: P, impact: Consequences) -> Mapping[str, object]:
        return {"effect": "retire"}

    def word(self, payload: P, impact: Consequences) -> str:
        number = len(payload.terminals)
        terminal = payload.rows.select_related("site").first() if number == 1 else None
        return terminal.short_uid if terminal else str(number)


class RetiredTerminals(Removal[RetirePayload]):
    name = Act.RETIRE
    permission = Permission.MANAGE_TERMINALS
    payload = RetirePayload

    def title(self, payload: RetirePayload, impact: Consequences) -> str:
        number = len(payload.terminals)
        if number == 1 and (terminal := payload.rows.first()):
            return gettext("Retire %(uid)s") % {"uid": terminal.uid}
        return ngettext("Retire %(n)s terminal", "Retire %(n)s terminals", number) % {"n": f"{number:,}"}

    def perform(self, payload: RetirePayload, *, by: User, at: datetime) -> int:
        """Terminals that were retired meanwhile stay as they are."""
        found = list(payload.rows.values_list("pk", flat=True))
        becomes, comment = payload.device_becomes, payload.comment
        try:
            return lifecycle_changes.retire(found, device_becomes=becomes, by=by, at=at, comment=comment)
        except NotPossible as error:
            raise CannotPerform(str(error)) from None


class MovedTerminals(Removal[MovePayload]):
    """Their devices go with them."""

    name = Act.MOVE
    permission = Permission.MANAGE_TERMINALS
    payload = MovePayload

    def is_permitted(self, payload: MovePayload, person: User) -> bool:
        sites = Site.objects.filter(pk=payload.site)
        return super().is_permitted(payload, person) and holds_for_all(person, self.permission, sites, [payload.site])

    def is_within(self, payload: MovePayload, larger: MovePayload, *, later: timedelta) -> bool:
        return payload.site == larger.site and super().is_within(payload, larger, later=later)

    def title(self, payload: MovePayload, impact: Consequences) -> str:
        number, site = len(payload.terminals), Site.objects.filter(pk=payload.site).first()
        text = ngettext("Move %(n)s terminal to %(site)s", "Move %(n)s terminals to %(site)s", number)
        return text % {"n": f"{number:,}", "site": site.local_name if site else payload.site}

    def perform(self, payload: MovePayload, *, by: User, at: datetime) -> int:
        """Terminals that moved there meanwhile stay as they are."""
        site = Site.objects.select_for_update(no_key=True).filter(pk=payload.site, closed_at=None).first()
        if site is None:
            raise CannotPerform(gettext("The site was closed meanwhile. Reject the request."))
        found = list(payload.rows.values_list("pk", flat=True))
        return terminals.move_terminals(found, to=site, by=by, at=at)


class ClosedSite(Removal[ClosePayload]):
    """Its terminals are retired with it, all of those and no others that the request was about."""

    name = Act.CLOSE_SITE
    permission = Permission.EDIT_SITES
    payload = ClosePayload

    def is_permitted(self, payload: ClosePayload, person: User) -> bool:
        return holds_for_all(person, self.permission, Site.objects.filter(pk=payload.site), [payload.site])

    def is_within(self, payload: ClosePayload, larger: ClosePayload, *, later: timedelta) -> bool:
        return payload.site == larger.site and super().is_within(payload, larger, later=later)

    def includes(self, payload: ClosePayload, act: Act, part: Payload) -> bool:
        if isinstance(part, RetirePayload) and act is Act.RETIRE:
            return set(part.terminals) <= set(payload.terminals)
        return super().includes(payload, act, part)

    def title(self, payload: ClosePayload, impact: Consequences) -> str:
        site = Site.objects.filter(pk=payload.site).first()
        return gettext("Close the site %(site)s") % {"site": site.local_name if site else payload.site}

    def word(self, payload: ClosePayload, impact: Consequences) -> str:
        return str(len(payload.terminals))

    def perform(self, payload: ClosePayload, *, by: User, at: datetime) -> int:
        site = Site.objects.select_for_update(no_key=True).get(pk=payload.site)
        if set(ClosePayload.of(site, payload.device_becomes, "").terminals) - set(payload.terminals):
            raise CannotPerform(gettext("The site has other terminals now. Reject the request."))
        return services.close_site(site, device_becomes=payload.device_becomes, by=by, at=at, comment=payload.comment)


register(RetiredTerminals())
register(MovedTerminals())
register(ClosedSite())
