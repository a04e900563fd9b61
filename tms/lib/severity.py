"""How bad an alert is."""

from collections.abc import Iterable, Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    """Severities, the worst first."""

    CRITICAL = "critical", _("Critical")
    WARNING = "warning", _("Warning")
    INFO = "info", _("Info")


RANKS: Mapping[str, int] = {severity.value: rank for rank, severity in enumerate(Severity)}
"""The order of severities; 0 is the worst."""


def worst(severities: Iterable[str]) -> str:
    """The worst of these severities; empty if there are none."""
    return min(severities, key=RANKS.__getitem__, default="")


def is_worse(severity: str, *, than: str) -> bool:
    return RANKS[severity] < RANKS[than]
