"""Words of incidents."""

from typing import Any

from django import template

from tms.alerts.models import IncidentState, IncidentTransitionKind
from tms.boards.templatetags.labels import step_icon

register = template.Library()

ICONS = {"joined": "up", "left": "check", "dissolved": "check"}
"""Of the other steps: those of alerts."""
KEYS = {"acknowledge": "a", "claim": "c"}


@register.filter
def incident_state(name: str) -> Any:
    return IncidentState(name).label


@register.filter
def incident_step(kind: str) -> Any:
    return IncidentTransitionKind(kind).label


@register.filter
def incident_icon(kind: str) -> str:
    return ICONS.get(kind) or step_icon(kind)


@register.filter
def incident_key(deed: str) -> str:
    """With which one does it; empty if by a click only."""
    return KEYS.get(deed, "")
