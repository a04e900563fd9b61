"""The panel of a page: who would be notified, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tms.accounts.access import Person
from tms.notifications.models.policy import Policy
from tms.notifications.policies.preview.form import PreviewForm
from tms.notifications.policies.preview.lines import PreviewLine, lines_of, shown, why_empty
from tms.notifications.policies.preview.timeline import timeline


@dataclass(frozen=True)
class NotificationPreview:
    form: PreviewForm
    opened_at: datetime | None = None
    """When the subject opens. None: the form is wrong, or there is no site."""
    title: str = ""
    severity: str = ""
    lines: Sequence[PreviewLine] = field(default_factory=list)
    note: str = ""
    """Why a policy notifies nobody."""
    is_draft_wrong: bool = False
    """There is no preview of a policy that cannot be saved."""


def panel_of(
    data: Mapping[str, object], policies: Sequence[Policy], *, to: Person, now: datetime
) -> NotificationPreview:
    """The preview of these policies; `data` is the query of a page."""
    form = PreviewForm(data, by=to)
    if not form.is_valid():
        return NotificationPreview(form)
    case, at = form.case(now=now)
    if case is None:
        return NotificationPreview(form)
    items = shown(timeline(case, policies, at=at), to=to)
    lines = lines_of(items, at=at, names_policies=len(policies) != 1)
    return NotificationPreview(form, at, case.title, case.subject.severity, lines, why_empty(policies, case))
