"""Renders parts of pages to HTML, and reuses what has not changed."""

import re
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tms.boards.formatting import instants
from tms.boards.pages.base import PagePart

MAX_CACHED = 4_096
"""Elements: rows of the open pages, and the cells of 2,000 sites."""

BLOCKS = "details|div|footer|form|h2|h3|header|li|ol|p|section|summary|table|tbody|td|th|thead|tr|ul"
UNSEEN = re.compile(rf" ?(</?(?:{BLOCKS})(?: [^<>]*)?>) ?")
"""Browsers ignore blanks around the tags of blocks."""
TAIL = re.compile(r"(<\w[^<>]*) (/?>)")

type Values = tuple[tuple[str, Any], ...]


def render_part(element: str, part: PagePart) -> SafeString:
    """The element's HTML in the active language, for a page or a response."""
    return SafeString(instants.updated(_html(element, part)))  # nosec B703  (the template escaped what it was given)


def render_part_for_frame(element: str, part: PagePart) -> str:
    """The same for a frame. Equal values give equal HTML, so it has no relative times."""
    return instants.without_text(_html(element, part))


@lru_cache(MAX_CACHED)
def render_piece(template: str, language: str, values: Values) -> SafeString:
    """A piece of rows, by its values: many rows share one, and most pieces of a changed row are unchanged.

    `language` is the active one.
    """
    html: SafeString = _template(template).render(dict(values))
    return html


class PartRenderer:
    """An element as it was rendered last. Former versions are not needed: caching by value would fill the memory,
    because rows change with each report.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: tuple[Values, str] | None = None
        """One attribute, because several threads render."""


@lru_cache(MAX_CACHED)
def _part_renderer(template: str, element: str, language: str) -> PartRenderer:
    return PartRenderer()


def _html(element: str, part: PagePart) -> str:
    """The HTML of a part. Equal values give equal HTML except for the age of their instants: unchanged rows are not
    rendered again.
    """
    values = tuple(part.values.items())
    if instants.is_past():  # a replay, which must not displace what live boards will need again
        return _render(part.template, values)
    part_renderer = _part_renderer(part.template, element, get_language())
    last = part_renderer.last
    if last is not None and last[0] == values:
        return last[1]
    html = _render(part.template, values)
    # A value without a hash may change and still be equal.
    part_renderer.last = (values, html) if _is_hashable(values) else None
    return html


def _is_hashable(values: Values) -> bool:
    try:
        hash(values)
    except TypeError:
        return False
    return True


def _render(template: str, values: Values) -> str:
    html = _template(template).render(dict(values))
    # Indentation is half of a template's size, and only <pre> needs it.
    return html.strip() if "<pre" in html else _tight(" ".join(html.split()))


def _tight(html: str) -> str:
    return TAIL.sub(r"\1\2", UNSEEN.sub(r"\1", html))


@cache
def _template_once(name: str) -> Any:
    return get_template(name)


def _template(name: str) -> Any:
    return get_template(name) if settings.DEBUG else _template_once(name)
