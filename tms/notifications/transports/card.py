"""A message as services with rich messages show it: a title in a colour, facts, lines and links."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.lib.severity import Severity
from tms.notifications.transports.message import Message

RESOLVED = "resolved"
COLOURS = {"critical": "#d92d3a", "warning": "#d58a00", "info": "#2563c9", RESOLVED: "#6b7480"}
MAX_TERMINALS = 10
LINK = re.compile(r"https?://\S+")

type SubjectFacts = Mapping[str, Any]
"""The facts of an alert or incident."""


@dataclass(frozen=True)
class Card:
    title: str
    tone: str
    """A key of COLOURS."""
    facts: Sequence[tuple[str, str]]
    """Label and value, in the active language."""
    lines: Sequence[str]
    """Lines without the links. The mark of a possible duplicate is the first one, because services show a limited
    number.
    """
    url: str
    """The address of the page in TMS. Empty while TMS_PUBLIC_URL is not set."""
    acknowledge_url: str
    """The address of the link to acknowledge; empty if the recipient may not acknowledge by a link."""

    @property
    def links(self) -> Sequence[tuple[str, str]]:
        """Label, in the active language, and URL."""
        links = ((gettext("Acknowledge"), self.acknowledge_url), (gettext("Open in TMS"), self.url))
        return [(label, url) for label, url in links if url]

    @property
    def colour(self) -> str:
        return COLOURS[self.tone]


def card_of(message: Message) -> Card:
    lines = "\n".join([*message.duplicate_mark, *message.lines]).splitlines()
    links = [line for line in lines if LINK.fullmatch(line)]
    return Card(
        message.title,
        tone_of(message),
        _facts(message),
        [line for line in lines if line not in links],
        links[0] if links else "",
        message.acknowledge_url,
    )


def tone_of(message: Message) -> str:
    if message.kind == RESOLVED:
        return RESOLVED
    return message.severity if message.severity in COLOURS else "info"


def subjects_of(message: Message) -> Sequence[SubjectFacts]:
    return [*message.facts.get("incidents", ()), *message.facts.get("alerts", ())]


def key_of(message: Message, subject: SubjectFacts) -> str:
    """Names an alert or incident at another service; the same in each message about it."""
    host = settings.PUBLIC_URL.partition("://")[2].strip("/") or "tms"
    kind = "incident" if "incidents" in message.facts else "alert"
    return f"{host[:200]}/{kind}/{subject['id']}"


def sites_of(subjects: Sequence[SubjectFacts]) -> list[str]:
    return list(dict.fromkeys(one["site"]["name"] for one in subjects if one.get("site")))


def rule_of(subject: SubjectFacts) -> str:
    """The name of its rule, which alerts have with its id; empty if an incident has none."""
    rule = subject.get("rule") or ""
    return rule["name"] if isinstance(rule, Mapping) else rule


def terminals_of(subjects: Sequence[SubjectFacts]) -> str:
    """Names of terminals; of incidents, how many terminals."""
    names = list(dict.fromkeys(_name(one["terminal"]) for one in subjects if "terminal" in one))
    if (more := len(names) - MAX_TERMINALS) > 0:
        names[MAX_TERMINALS:] = [ngettext("and %d more", "and %d more", more) % more]
    lost = [
        f"{one['lost']} / {one['size']}" if one.get("size") else str(one["lost"]) for one in subjects if "lost" in one
    ]
    return gettext(", ").join([*names, *lost])


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def first_lines(lines: Sequence[str], most: int) -> Sequence[str]:
    """The first `most` lines; the last one shows that there are more."""
    return lines if len(lines) <= most else [*lines[: most - 1], "…"]


def _facts(message: Message) -> list[tuple[str, str]]:
    subjects = subjects_of(message)
    severity = str(Severity(message.severity).label) if message.severity in Severity else ""
    facts = (
        (gettext("Severity"), severity),
        (gettext("Site"), gettext(", ").join(sites_of(subjects)[:3])),
        (gettext("Terminals"), terminals_of(subjects)),
    )
    return [(label, value) for label, value in facts if value]


def _name(terminal: Mapping[str, str]) -> str:
    return f"{terminal['uid']} ({terminal['label']})" if terminal.get("label") else terminal["uid"]
