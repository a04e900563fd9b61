"""What the page of an alert shows beside its state. It is read for one GET, and not updated while the page is open."""

from datetime import datetime

from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.alert_history.alert_context import context_of
from tms.boards.alert_history.peak import peak_of
from tms.boards.formatting import runbooks
from tms.boards.list_filters import choices
from tms.boards.pages.terminal_chart import AROUND
from tms.boards.rules.sentence import sentence


def surroundings(alert: Alert, *, scope: Scope, at: datetime, until: datetime | None = None) -> dict[str, object]:
    """Earlier occurrences, commands, peak, rule, runbook and chart, by the names in the template.

    `until`: as it was at this past instant. Rule and runbook are always those of today.
    """
    rule = alert.rule
    return {
        "context": context_of(alert, scope=scope, at=at, until=until),
        "peak": peak_of(alert, at=at),
        "rule": rule,
        "sentence": sentence(rule),
        "runbook": runbooks.as_html(rule.runbook),
        "chart": choices.alert_chart(rule, at=alert.opened_at, around=AROUND, until=until),
    }
