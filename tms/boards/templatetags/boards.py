"""What the boards' templates are made of: icons, states, instants, and the parts of a scene."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tms.boards import instants
from tms.boards.painter import paint
from tms.fleet.models import Presence, Status
from tms.telemetry.models import Severity

register = template.Library()


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
    return SafeString("–") if at is None else instants.told(at, form)


@register.simple_tag
def countdown(at: datetime) -> SafeString:
    """The time that is left until `at`."""
    return instants.countdown(at)


@register.simple_tag(takes_context=True)
def part(context: template.Context, element: str) -> SafeString:
    """An element of the scene."""
    return paint(element, context["scene"].parts[element])


@register.simple_tag(takes_context=True)
def rows(context: template.Context, listed: str) -> SafeString:
    """The rows of a list of the scene, in order."""
    scene = context["scene"]
    return format_html_join("\n", "{}", ((paint(element, scene.parts[element]),) for element in scene.lists[listed]))
