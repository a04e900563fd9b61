"""A local time, and the style of forms on pages."""

from datetime import datetime
from typing import Any

from django import forms

from tms.lib.forms.combobox import ByPages, Combobox

FORMAT = "%Y-%m-%d %H:%M"

_WHEN = {"inputmode": "numeric", "autocomplete": "off"}
"""A text field in 24 h. The control of a browser would have the order and the hours of its own language."""
WHEN = {
    "datetime": (r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}", "YYYY-MM-DD HH:MM"),
    "date": (r"\d{4}-\d{2}-\d{2}", "YYYY-MM-DD"),
    "time": (r"\d{2}:\d{2}", "HH:MM"),
}


def when(kind: str) -> dict[str, str]:
    """The attributes of a field for a `datetime`, a `date` or a `time`; templates have them in `forms/when.html`."""
    pattern, shown = WHEN[kind]
    length = str(len(shown))
    return {**_WHEN, "data-when": kind, "pattern": pattern, "placeholder": shown, "title": shown, "maxlength": length}


class LocalDateTimeField(forms.DateTimeField):
    """A time without a zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs=when("datetime"))
        super().__init__(**{"widget": widget} | options, input_formats=[FORMAT, "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

    def prepare_value(self, value: object) -> Any:
        return f"{value:{FORMAT}}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        found: datetime | None = super().to_python(value)
        return found.replace(tzinfo=None) if found else None


class TimesInput(ByPages, forms.TextInput):
    """Several times of day, as a text `06:00 14:00`: an input for each, and free ones."""

    template_name = "forms/times.html"

    def __init__(self, *, most: int, free: int = 2) -> None:
        super().__init__()
        self.most, self.free = most, free

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        context = super().get_context(name, value, attrs)
        times = str(value or "").split()
        context["widget"]["times"] = (times + [""] * max(self.free, 4 - len(times)))[: max(self.most, len(times))]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        found = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return " ".join(filter(None, found))


NONE = "–"


class Plain:
    """Fields in the style of TMS's pages."""

    fields: dict[str, forms.Field]

    label_suffix: str

    def dress(self) -> None:
        self.label_suffix = ""
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField) and field.empty_label:
                field.empty_label = NONE
            if isinstance(field.widget, Combobox):
                field.widget.label = field.label
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                field.widget.attrs["class"] = "input"
