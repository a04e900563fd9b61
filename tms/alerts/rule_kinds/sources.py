"""Where the values of a rule come from, and how a metric is compared."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RuleSource(models.TextChoices):
    PRESENCE = "presence", pgettext_lazy("rule", "Presence")
    METRIC = "metric", pgettext_lazy("rule", "Metric")
    EVENT = "event", pgettext_lazy("rule", "Event")
    FIRMWARE = "firmware", pgettext_lazy("rule", "Firmware")
    CLOCK = "clock", pgettext_lazy("rule", "Clock")


class Comparison(models.TextChoices):
    ABOVE = "above", _("at or above")
    BELOW = "below", _("at or below")
    OUTSIDE = "outside", _("outside of")
    RISING = "rising", _("rising per minute")
    FALLING = "falling", _("falling per minute")
    ABSENT = "absent", _("not reported for (seconds)")
