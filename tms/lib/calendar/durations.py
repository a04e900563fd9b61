"""Durations as people write them: `90`, `90 s`, `2 min`, `1.5 h`, `1 d`, or `2 分`."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_noop

UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
SPELLINGS = {"": "s", "sec": "s", "秒": "s", "m": "min", "分": "min", "時間": "h", "日": "d"} | {
    unit: unit for unit in UNITS
}
SPELT = (
    (86_400, gettext_noop("%(number)s d")),
    (3_600, gettext_noop("%(number)s h")),
    (60, gettext_noop("%(number)s min")),
    (1, gettext_noop("%(number)s s")),
)
"""Units with their length in seconds."""
WRITTEN = re.compile(r"(\d+(?:\.\d+)?)(\D*)")


def seconds(text: str) -> float | None:
    """The seconds of a duration; None if it is not one."""
    match = WRITTEN.fullmatch(text.strip().lower())
    unit = SPELLINGS.get(match[2].strip()) if match else None
    return float(match[1]) * UNITS[unit] if match and unit else None


def duration_text(length_s: float) -> str:
    """A duration in the largest unit that gives a whole number: `2 min`."""
    if not length_s:
        return "0 s"
    unit = next((unit for unit, length in UNITS.items() if length_s % length == 0), "s")
    words = {"d": gettext("%s d"), "h": gettext("%s h"), "min": gettext("%s min"), "s": gettext("%s s")}
    return words[unit] % f"{length_s / UNITS[unit]:g}"


def spell(length_s: float) -> str:
    """The two largest units of a duration that has passed: `4 min 12 s`. What still runs is a countdown, `04:12`."""
    left = max(0, round(length_s))
    words: list[str] = []
    for size, unit in SPELT:
        number, left = divmod(left, size)
        if number or words:
            words.append(gettext(unit) % {"number": number} if number else "")
        if len(words) == 2:
            break
    words = [word for word in words if word] or [gettext(SPELT[-1][1]) % {"number": 0}]
    return gettext("%(larger)s %(smaller)s") % {"larger": words[0], "smaller": words[1]} if words[1:] else words[0]


class SpanField(forms.CharField):
    """Cleans to seconds."""

    def clean(self, value: object) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = seconds(text)
        if found is None:
            raise forms.ValidationError(gettext("Enter a duration such as 90 s, 2 min, 1 h or 1 d."))
        return found

    def prepare_value(self, value: object) -> Any:
        return duration_text(value) if isinstance(value, int | float) else value
