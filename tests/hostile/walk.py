"""Every page and every form of TMS, found by walking its URLs and reading the responses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import resolve

from tests.support import inventory
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.rule_kinds import RULE_KINDS
from tms.notifications.transports import TRANSPORTS

NOT_PAGES = ("/api/", "/sign-out/")
REGISTRIES = {
    "kind": tuple(TRANSPORTS),
    "/rules/new/": tuple(RULE_KINDS),
    "action": tuple(ACTIONS),
}
"""Values of URL parameters other than primary keys: by name, or by the preceding part."""


UNTOUCHED = re.compile(r"csrfmiddlewaretoken|_.*|.*-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS")
"""Fields of Django that only contain counts, and ours that no person fills in."""


@dataclass
class Form:
    """A form as a browser would send it: its action, and each field with its initial value."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hostile_fields(self) -> list[str]:
        """The fields that get hostile values."""
        return sorted(name for name in self.fields if not UNTOUCHED.fullmatch(name))


def addresses(names: Mapping[str, str]) -> list[str]:
    """The addresses of all pages of TMS, in order."""
    ours = (path for path, _ in inventory.addresses() if not path.startswith(NOT_PAGES))
    return sorted({address for path in ours for address in _filled(path, names)})


def forms(client: Client, pages: list[str]) -> list[Form]:
    """The forms that send something, each once: by the route of the action, and by its fields."""
    found: dict[tuple[str, ...], Form] = {}
    for page in pages:
        answer = client.get(page, follow=True)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            for form in _Forms(page, answer.content.decode()).forms:
                found.setdefault((resolve(urlsplit(form.action).path).route, *sorted(form.fields)), form)
    return list(found.values())


def _filled(path: str, names: Mapping[str, str]) -> Iterator[str]:
    if (name := re.search(r"<(\w+)>", path)) is None:
        yield path
        return
    before, after = path[: name.start()], path[name.end() :]
    for value in REGISTRIES.get(before) or REGISTRIES.get(name[1]) or ([names[before]] if before in names else []):
        yield from _filled(f"{before}{value}{after}", names)


class _Forms(HTMLParser):
    """The POST forms of a page. htmx requests are treated like submitting a form."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._begin(given)
        if tag != "form" and (action := given.get("hx-post") or given.get("formaction")):
            self.forms.append(Form(self._address(action), self._open.fields if self._open else {}))
        if self._open is None:
            return
        if tag == "option" and self._select and ("selected" in given or self._select not in self._open.fields):
            self._open.fields[self._select] = [given.get("value", "")]
        if tag not in {"input", "select", "textarea", "button"} or not (name := given.get("name")):
            return
        if tag == "select":
            self._select = name
        elif given.get("type") in {"checkbox", "radio"} and "checked" not in given:
            self._open.fields.setdefault(name, [])
        else:
            self._open.fields.setdefault(name, []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open is not None:
            self.forms.append(self._open)
            self._open = None
        elif tag == "select":
            self._select = ""

    def _begin(self, given: Mapping[str, str]) -> None:
        if given.get("method", "").lower() == "post" or "hx-post" in given:
            action = given.get("hx-post") or given.get("action", "")
            self._open = Form(self._address(action))

    def _address(self, action: str) -> str:
        parts = urlsplit(urljoin(f"http://testserver{self.page}", action))
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
