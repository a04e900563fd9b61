"""Filters of the templates of the search."""

import re
from collections.abc import Collection

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def marked(text: str, terms: Collection[str]) -> SafeString:
    """The text in an element of its own, like `bdi`, with each term marked."""
    if not terms:
        return format_html("<bdi>{}</bdi>", text)
    pattern = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    parts = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    written = (format_html("<mark>{}</mark>" if n % 2 else "{}", part) for n, part in enumerate(parts) if part)
    return format_html("<bdi>{}</bdi>", format_html_join("", "{}", ((part,) for part in written)))
