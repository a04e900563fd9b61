"""The form with which a visitor of the demo breaks something."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.demo.breaking.faults import SIMULATED, FaultKind, kinds_of
from tms.demo.breaking.messages import ActiveFault
from tms.fleet.models import Presence, Site, Terminal
from tms.lib.db.natural_order import natural
from tms.lib.text_fields import FormLine

PERMISSION = Permission.SEND_DANGEROUS_COMMANDS
"""Every fault takes a terminal out of service for some minutes, like a reboot."""
MAX_OFFERED = 60


def sites(by: User) -> QuerySet[Site]:
    return permitted(Site.objects.order_by("name"), by=by, permission=PERMISSION)


def terminals(by: User) -> QuerySet[Terminal]:
    return permitted(Terminal.objects.select_related("site"), by=by, permission=PERMISSION)


def offered_targets(fault: FaultKind, by: User) -> list[tuple[str, str]]:
    """Value and text of the targets on the page: sites, or online terminals that can have this fault."""
    if fault is FaultKind.CUT_SITE:
        return [(site.code, site.local_name) for site in sites(by).filter(terminals__kind__in=SIMULATED).distinct()]
    online = terminals(by).filter(state__presence=Presence.ONLINE, kind__in=kinds_of(fault))
    rows = online.order_by(natural("uid"))
    return [(row.uid, f"{row.uid} · {row.site.local_name}") for row in rows[:MAX_OFFERED]]


def row_of(fault: FaultKind, target: str, by: User) -> Site | Terminal | None:
    """What `target` names; None if it is unknown, or outside the scope in which the person may break something."""
    if fault is FaultKind.CUT_SITE:
        return sites(by).filter(code=target).first()
    return terminals(by).filter(uid=target).first()


def own(faults: Sequence[ActiveFault], by: User) -> list[ActiveFault]:
    """The faults of those sites and terminals that the person may break."""
    names = {one.target for one in faults}
    codes = set(sites(by).filter(code__in=names).values_list("code", flat=True))
    uids = set(terminals(by).filter(uid__in=names).values_list("uid", flat=True))
    return [one for one in faults if one.target in (codes if one.fault is FaultKind.CUT_SITE else uids)]


class BreakForm(forms.Form):
    """`target`: the code of a site, or the UID of a terminal."""

    fault = forms.ChoiceField(choices=[(fault.value, fault.value) for fault in FaultKind])
    target = FormLine(max_length=64)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.row: Site | Terminal | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        fault, target = cleaned.get("fault"), cleaned.get("target")
        if fault and target:
            self.row = row_of(FaultKind(fault), target, self.by)
            if self.row is None:
                self.add_error("target", _("Choose a site or terminal from the list."))
        return cleaned
