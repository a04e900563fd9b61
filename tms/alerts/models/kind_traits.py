"""Traits of a transition kind, declared with the kind and used wherever kinds are listed."""

from typing import NamedTuple, Self

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from tms.alerts.models.alert import AlertState


class Traits(NamedTuple):
    icon: str
    """Shown in histories, and for the operator action that makes this transition."""
    leads_to: str = ""
    """The state after it; empty if it does not change the state."""
    is_decision: bool = True
    """It affects operators' decisions: dialogs opened before it are outdated."""
    why_open: str | Promise | None = None
    """Why the subject is open again, for a transition that ends an acknowledgement or a snooze."""

    @property
    def is_reopening(self) -> bool:
        return self.why_open is not None


def reopening(why_open: str | Promise) -> Traits:
    return Traits("alerts", AlertState.OPEN, why_open=why_open)


REOPENED = reopening(pgettext_lazy("open again", "reopened"))
EXPIRED = reopening(pgettext_lazy("open again", "time expired"))
REOPENED_WORSE = reopening(pgettext_lazy("open again", "worsened"))


class KindWithTraits(models.TextChoices):
    """Members are declared as `NAME = value, Traits, label`."""

    traits: Traits

    def __new__(cls, value: str, traits: Traits | None = None) -> Self:
        if traits is None:
            raise TypeError(f"{cls.__name__} {value!r} is declared without its Traits")
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.traits = traits
        return kind

    @property
    def icon(self) -> str:
        return self.traits.icon

    @classmethod
    def leading_to(cls, *states: str) -> frozenset[Self]:
        return frozenset(kind for kind in cls if kind.traits.leads_to in states)
