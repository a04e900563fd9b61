"""A text field for JSON. An error says the line and the column."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.lib.text_fields import FormLines


class JsonField(FormLines):
    """Cleans to the value; None if nothing was entered."""

    def __init__(self, *, max_length: int, rows: int = 4, **options: Any) -> None:
        attrs = {"rows": rows, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
        super().__init__(max_length=max_length, widget=forms.Textarea(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return read_json(text) if text else None

    def prepare_value(self, value: Any) -> Any:
        """What a person entered stays as it is."""
        return value if value is None or isinstance(value, str) else write_json(value)


def write_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def read_json(text: str) -> Any:
    """Raises ValidationError with the position."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        values = {"line": error.lineno, "column": error.colno, "problem": error.msg}
        raise ValidationError(gettext("Line %(line)s, column %(column)s: %(problem)s") % values) from None
    except RecursionError:
        raise ValidationError(gettext("This is nested too deeply.")) from None
    except ValueError as error:  # NaN, a name twice, or an integer with thousands of digits
        raise ValidationError(str(error)[:200]) from None


def _refuse(name: str) -> None:
    raise ValueError(gettext("%(name)s is no JSON.") % {"name": name})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a name that is there twice, of which Python would silently drop the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(gettext("The name %(name)s is there twice.") % {"name": json.dumps(twice, ensure_ascii=False)})
    return found
