"""Tags of the boards' templates: icons, states, instants, and the parts of a page."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from functools import cache

from django import template
from django.db.models import TextChoices
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tms.boards import icons
from tms.boards.formatting import instants
from tms.boards.list_filters.query_filter import query_string
from tms.boards.rendering.renderer import render_part, render_piece
from tms.fleet.models import Presence, Status
from tms.lib.severity import Severity
from tms.query.editing import all_of, condition

register = template.Library()


STATES: Mapping[str, type[TextChoices]] = {"presence": Presence, "status": Status, "severity": Severity}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', icons.address(), name)


@register.simple_tag
def presence(name: str) -> SafeString:
    return _state("presence", name, get_language())


@register.simple_tag
def status(name: str) -> SafeString:
    return _state("status", name, get_language()) if name else SafeString("–")


@register.simple_tag
def severity(name: str, *, bare: bool = False) -> SafeString:
    """A severity; with `bare` only its symbol, because a heading has the word."""
    return _state("severity", name, get_language(), bare=bare) if name else SafeString("")


@cache
def _state(kind: str, name: str, language: str, *, bare: bool = False) -> SafeString:
    """Cached, because there are few and each row has three. `language` is the active one."""
    label = STATES[kind](name).label
    shown = format_html('<span class="unseen">{}</span>', label) if bare else label
    return format_html('<span class="{}" data-{}="{}">{}{}</span>', kind, kind, name, icon(name), shown)


@register.simple_tag
def instant(at: datetime | None, form: str = "ago") -> SafeString:
    """An instant, as `ago`, `time` or `datetime`; the browser converts it to its own time zone."""
    return SafeString("–") if at is None else instants.time_element(at, form)


@register.simple_tag
def countdown(at: datetime, since: datetime | None = None) -> SafeString:
    """The time left until `at`; `since`: when the wait began, for one whose last third is marked."""
    return instants.countdown(at, since)


@register.simple_tag
def piece(template_name: str, **values: Hashable) -> SafeString:
    """A part of rows that depends on nothing but `values`; like `include … only`, but cached."""
    return render_piece(template_name, get_language(), tuple(values.items()))


@register.simple_tag
def terminals_where(**conditions: str) -> str:
    """The address of the list of the terminals whose fields have these values."""
    return _where("terminals", conditions)


@register.simple_tag
def devices_where(**conditions: str) -> str:
    """The same for devices."""
    return _where("devices", conditions)


def _where(name: str, conditions: Mapping[str, str]) -> str:
    q = all_of(*(condition(name, (value,)) for name, value in conditions.items()))
    return f"{reverse(name)}?{query_string({'q': q})}"


@register.simple_tag(takes_context=True)
def part(context: template.Context, element: str) -> SafeString:
    """An element of the page."""
    return render_part(element, context["page_state"].parts[element])


@register.simple_tag(takes_context=True)
def rows(context: template.Context, listed: str) -> SafeString:
    """The rows of a list of the page, in order."""
    page_state = context["page_state"]
    return format_html_join(
        "\n", "{}", ((render_part(element, page_state.parts[element]),) for element in page_state.lists[listed])
    )
