"""Rounds, and the terminals whose devices are inspected on each."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.models import Owned
from tms.accounts.models.owned import one_owner
from tms.accounts.scope import ByTerminal
from tms.fleet.models import Terminal, TerminalKind
from tms.inspections.models.inspection import Inspection
from tms.lib.text_fields import LineField

DUE_EVERY_DAYS = 90
"""The default of a round. PCI DSS 9.5.1.2.1 leaves the frequency to the risk analysis of the operator."""


class RoundQuerySet(models.QuerySet["Round"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)


class Round(Owned):
    """An inspection of many devices until a date. The owner is where: the terminals in service there, at its start."""

    name = LineField(_("name"), max_length=100)
    kinds = models.JSONField(_("kinds"), default=list)
    """The kinds of terminals; empty for all."""
    due_on = models.DateField(_("due"))
    every_days = models.PositiveSmallIntegerField(
        _("inspect every (days)"),
        default=DUE_EVERY_DAYS,
        validators=(MinValueValidator(1), MaxValueValidator(1_000)),
    )
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        ordering = ("-started_at", "-pk")
        verbose_name = _("inspection round")
        verbose_name_plural = _("inspection rounds")
        constraints = (one_owner("round_owner"),)

    def __str__(self) -> str:
        return self.name

    @property
    def kind_labels(self) -> list[str]:
        return [str(TerminalKind(kind).label) for kind in self.kinds]


class MemberLeft(models.TextChoices):
    """Why a terminal is no longer part of a round."""

    NOT = "", ""
    RETIRED = "retired", pgettext_lazy("inspection round", "retired before it was inspected")


class MemberQuerySet(models.QuerySet["RoundMember"]):
    def counted(self) -> Self:
        return self.filter(left=MemberLeft.NOT)


class RoundMember(models.Model):
    """A terminal of a round. Chosen at its start; later changes of its scope or groups change nothing."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="members")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+")
    due_on = models.DateField()
    """While it waits: when its device should be inspected. Afterwards: when it is due again."""
    before = models.ForeignKey(Inspection, models.SET_NULL, null=True, related_name="+")
    """The last inspection of its device before the round."""
    current = models.ForeignKey(Inspection, models.SET_NULL, null=True, related_name="+")
    """Its inspection on this round; the correction, if there is one."""
    left = models.CharField(max_length=16, choices=MemberLeft, blank=True, default=MemberLeft.NOT)
    left_at = models.DateTimeField(null=True)

    objects = MemberQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("round", "terminal"), name="roundmember_once"),)
        # Reader: the list of a round.
        indexes = (models.Index(fields=("round", "due_on"), name="roundmember_due"),)

    def __str__(self) -> str:
        return f"{self.terminal_id} on {self.round_id}"

    @property
    def last(self) -> Inspection | None:
        """The last inspection of its device."""
        return self.current or self.before
