"""Links of replayed pages."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from tms.boards.replay.chosen import query_of
from tms.boards.replay.links import add_query, with_instant

register = template.Library()


@register.simple_block_tag(takes_context=True)
def keeping_instant(context: template.Context, content: SafeString) -> SafeString:
    """Links within keep the instant, if the page is a replay."""
    replay = context.get("replay")
    return with_instant(content, replay.query) if replay else content


@register.simple_tag
def replay_from(at: datetime, page: str = "overview", *names: str) -> str:
    """The address of a page at an instant, with a range in which a single incident can be followed."""
    return add_query(reverse(page, args=names), query_of(at, "1h"))
