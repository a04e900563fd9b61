"""Where a rule takes its values from."""

from django.db import models
from django.utils.translation import pgettext_lazy


class RuleSource(models.TextChoices):
    PRESENCE = "presence", pgettext_lazy("rule", "Presence")
    METRIC = "metric", pgettext_lazy("rule", "Metric")
    EVENT = "event", pgettext_lazy("rule", "Event")
    FIRMWARE = "firmware", pgettext_lazy("rule", "Firmware")
    CLOCK = "clock", pgettext_lazy("rule", "Clock")
    CONFIGURATION = "configuration", pgettext_lazy("rule", "Configuration")
