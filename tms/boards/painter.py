from django.template.loader import get_template
from django.utils.safestring import SafeString

from tms.boards.pages.base import Part


def paint(part: Part) -> SafeString:
    """The element's HTML in the active language; the same for a page, an answer and a frame."""
    html = get_template(part.template).render(dict(part.values))
    # The indentation of templates is half of their size; only a <pre> means its blanks. Safe: the
    # template escaped what it was given.
    return SafeString(html.strip() if "<pre" in html else " ".join(html.split()))  # nosec B703
