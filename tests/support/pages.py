"""HTML pages in tests."""

import re
from html.parser import HTMLParser

from asgiref.sync import async_to_sync
from django.http import HttpResponse

HTMX_HEADERS = {"HX-Request": "true", "HX-Request-Type": "partial"}


class HtmlPage(HTMLParser):
    """A parsed page: its elements by id, and the text of each."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.html = answer.content.decode()
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: dict[str, list[str]] = {}
        # Isolation adds no whitespace.
        self.feed(re.sub(r"</?bdi>", "", self.html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        element = attributes.get("id") or ""
        if element:
            self.ids.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in filter(None, self._open):
            self._texts.setdefault(element, []).append(data)

    def text(self, element: str) -> str:
        """All text within the element, with a space between elements."""
        return " ".join(" ".join(self._texts.get(element, [])).split())

    def attribute(self, element: str, name: str) -> str | None:
        return next(attributes.get(name) for _, attributes in self.elements if attributes.get("id") == element)

    def rows(self, prefix: str) -> list[str]:
        """The ids that begin with `prefix`, in order."""
        return [element for element in self.ids if element.startswith(prefix)]

    def links(self) -> set[str]:
        return {attributes["href"] or "" for tag, attributes in self.elements if tag == "a" and "href" in attributes}


def undo_token(answer: HttpResponse) -> str:
    """The token with which the toast of a page is undone; empty if it has none."""
    found = re.search(r'name="token" value="([^"]+)"', answer.content.decode())
    return found[1] if found else ""


def streamed(answer: HttpResponse) -> str:
    """The text of a file that is sent in parts, without its byte order mark."""

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)().decode("utf-8-sig")


VOID = {"br", "hr", "img", "input", "link", "meta"}


class _Values(HTMLParser):
    """What a browser submits of the forms of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        name, value = fields.get("name"), fields.get("value") or ""
        if tag == "select" and name:
            self._select = name
        if tag == "option" and self._select:
            self.found.setdefault(self._select, [value])
            if "selected" in fields:
                self.found[self._select] = [value]
        is_box = fields.get("type") in ("checkbox", "radio")
        if tag == "input" and name and (not is_box or "checked" in fields):
            self.found.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None


def values_of(page: HtmlPage) -> dict[str, list[str]]:
    """The values of all inputs and selects of a page, by name, as they are."""
    return _Values(page.html).found
