"""Text that TMS did not write, within a sentence or a row. In every template, without `load`."""

from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def bdi(text: object) -> str:
    """In an element of its own, so that Arabic or Hebrew does not reorder what stands around it; nothing for nothing.

    Not within attributes, `title`, `option` and `textarea`, which know no elements.
    """
    written = "" if text is None else str(text)
    return format_html("<bdi>{}</bdi>", written) if written else ""
