"""Fields, widgets and mixins of forms."""

from tms.lib.forms.fields import NONE, LocalDateTimeField, Plain, TimesInput, when

__all__ = ["NONE", "LocalDateTimeField", "Plain", "TimesInput", "when"]
