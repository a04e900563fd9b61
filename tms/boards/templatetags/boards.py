"""What the boards' templates are made of: icons, states, instants, and the parts of a scene."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, pgettext

from tms.boards.painter import paint
from tms.fleet.models import Presence, Status
from tms.telemetry.models import Severity

register = template.Library()

UNITS = (
    (86_400, gettext_noop("%(number)s d")),
    (3_600, gettext_noop("%(number)s h")),
    (60, gettext_noop("%(number)s min")),
    (1, gettext_noop("%(number)s s")),
)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def presence(name: str) -> SafeString:
    return _state("presence", name, Presence(name).label)


@register.simple_tag
def status(name: str) -> SafeString:
    return _state("status", name, Status(name).label) if name else SafeString("–")


@register.simple_tag
def severity(name: str, *, bare: bool = False) -> SafeString:
    """`bare`: a heading beside it says the word, so that only its shape is shown."""
    if not name:
        return SafeString("")
    label = Severity(name).label
    return _state("severity", name, format_html('<span class="unseen">{}</span>', label) if bare else label)


def _state(kind: str, name: str, label: Any) -> SafeString:
    return format_html('<span class="{}" data-{}="{}">{}{}</span>', kind, kind, name, icon(name), label)


@register.simple_tag
def instant(at: datetime | None, form: str = "ago") -> SafeString:
    """An instant, as `ago`, `time` or `datetime`; the browser puts it into its own time zone."""
    if at is None:
        return SafeString("–")
    text = _age(at) if form == "ago" else _moment(at, with_date=form == "datetime")
    return format_html('<time datetime="{}" data-format="{}">{}</time>', at.isoformat(), form, text)


@register.simple_tag
def countdown(at: datetime) -> SafeString:
    """The time that is left until `at`."""
    left = max(0, int((at - timezone.now()).total_seconds()))
    hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
    return format_html('<time data-countdown datetime="{}">{}</time>', at.isoformat(), text)


def _age(at: datetime) -> str:
    seconds = max(0, int((timezone.now() - at).total_seconds()))
    length, form = next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])
    return gettext(form) % {"number": seconds // length}


def _moment(at: datetime, *, with_date: bool) -> str:
    local = timezone.localtime(at)
    if not with_date and local.date() == timezone.localdate():
        return local.strftime("%H:%M:%S")
    # Translators: a day without its year and the time of day, in Django's date format
    return date_format(local, pgettext("date format", "j M H:i"))


@register.simple_tag(takes_context=True)
def part(context: template.Context, element: str) -> SafeString:
    """An element of the scene."""
    return paint(context["scene"].parts[element])


@register.simple_tag(takes_context=True)
def rows(context: template.Context, listed: str) -> SafeString:
    """The rows of a list of the scene, in order."""
    scene = context["scene"]
    return format_html_join("\n", "{}", ((paint(scene.parts[element]),) for element in scene.lists[listed]))
