"""Text from outside TMS within a sentence or a row. Available in every template without `load`."""

from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def bdi(text: object) -> str:
    """The text in an element of its own, so that Arabic or Hebrew does not reorder its surroundings; empty for no text.

    Not for attributes, `title`, `option` and `textarea`, which cannot contain elements.
    """
    written = "" if text is None else str(text)
    return format_html("<bdi>{}</bdi>", written) if written else ""
