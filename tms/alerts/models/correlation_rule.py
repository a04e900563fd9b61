"""The settings of the correlation: how many terminals with something in common are an incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.alerts.models.factor import OF_RULES, SITES_TOGETHER, Factor

MEDIUM, LARGE = 20, 100
"""Group sizes from which the shares for a medium and for a large number of terminals apply."""


class CorrelationThresholds(models.Model):
    """How many terminals with a common factor, within which time, are one incident. A row is a changed setting."""

    factor = models.CharField(_("common factor"), max_length=16, choices=Factor, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    within_s = models.PositiveIntegerField(
        _("within (seconds)"), default=60, validators=(MinValueValidator(5), MaxValueValidator(3_600))
    )
    least = models.PositiveIntegerField(
        _("at least (terminals)"), default=3, validators=(MinValueValidator(2), MaxValueValidator(10_000))
    )
    small_pct = models.PositiveSmallIntegerField(
        _("below 20 terminals (%)"), default=50, validators=(MinValueValidator(1), MaxValueValidator(100))
    )
    medium_pct = models.PositiveSmallIntegerField(
        _("20 to 99 terminals (%)"), default=30, validators=(MinValueValidator(1), MaxValueValidator(100))
    )
    large_pct = models.PositiveSmallIntegerField(
        _("100 terminals or more (%)"), default=20, validators=(MinValueValidator(1), MaxValueValidator(100))
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.factor

    def needed(self, size: int) -> int:
        """How many of `size` terminals must be affected."""
        pct = self.small_pct if size < MEDIUM else self.medium_pct if size < LARGE else self.large_pct
        return max(self.least, -(-size * pct // 100))

    @classmethod
    def in_force(cls) -> dict[Factor, Self]:
        """One for each factor, in the order in which they are checked."""
        changed = {rule.factor: rule for rule in cls._default_manager.all()}
        return {
            factor: changed.get(factor) or cls(factor=factor, **numbers) for factor, numbers in cls.defaults().items()
        }

    @classmethod
    def defaults(cls) -> Mapping[Factor, Mapping[str, int]]:
        """The factors, and how their settings differ from the defaults of the columns."""
        raise NotImplementedError


WIDE = {"least": 10, "medium_pct": 40, "large_pct": 30}
OF_SITES = {"least": 4, "within_s": 120}
DEFAULTS: Mapping[Factor, Mapping[str, int]] = {
    factor: {} if factor is Factor.SITE else OF_SITES if factor in SITES_TOGETHER else WIDE for factor in Factor
}
"""Deviations from the defaults of the columns, which are those of sites. For a region and the fleet, sites count."""


class CorrelationRule(CorrelationThresholds):
    """How many terminals with a common factor must be lost within which time to be one incident."""

    class Meta:
        verbose_name = _("correlation rule")
        verbose_name_plural = _("correlation rules")

    @classmethod
    def defaults(cls) -> Mapping[Factor, Mapping[str, int]]:
        return DEFAULTS


SLOWER = {"within_s": 600, "medium_pct": 40}
"""Reports arrive one by one, so the alerts of one cause open minutes apart."""
SAME_RULE_DEFAULTS: Mapping[Factor, Mapping[str, int]] = {
    factor: SLOWER | ({"least": 5, "large_pct": 30} if factor is Factor.SITE else {"least": 10}) for factor in OF_RULES
}


class SameRuleCorrelation(CorrelationThresholds):
    """The number of terminals with a common factor at which the same rule must trigger, and within which time, to be
    one incident. Rules on presence are not meant.
    """

    class Meta:
        verbose_name = _("correlation of one rule")
        verbose_name_plural = _("correlations of one rule")

    @classmethod
    def defaults(cls) -> Mapping[Factor, Mapping[str, int]]:
        return SAME_RULE_DEFAULTS
