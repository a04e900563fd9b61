"""Runbooks of rules: Markdown as HTML without scripts, styles, images and forms."""

from functools import lru_cache

from django.utils.safestring import SafeString

TAGS = frozenset(
    ("a", "blockquote", "br", "code", "em", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "table", "tbody", "td")
) | frozenset(("th", "thead", "tr", "ul"))
SCHEMES = frozenset(("http", "https", "mailto", "tel"))
EXTENSIONS = ("fenced_code", "sane_lists", "tables")
LARGEST_HEADING = 3
"""A page has its own headings above."""


@lru_cache(256)
def as_html(text: str) -> SafeString:
    """A runbook that is only a URL becomes a link."""
    import nh3
    from markdown import markdown

    if text.startswith(("https://", "http://")) and not any(map(str.isspace, text)):
        text = f"<{text}>"
    headings = {"toc": {"baselevel": LARGEST_HEADING, "marker": ""}}
    html = markdown(text, extensions=[*EXTENSIONS, "toc"], extension_configs=headings)
    clean = nh3.clean(html, tags=set(TAGS), attributes={"a": {"href"}}, url_schemes=set(SCHEMES))
    return SafeString(clean)  # nosec B703  (nh3 removed what is not listed above)
