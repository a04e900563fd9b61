"""The terms of the glossary: no name and no text uses a replaced word."""

import ast
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import polib
import pytest

from tests.support import inventory

ROOT = Path(__file__).parent.parent
PRODUCT = ("tms", "consumers", "deploy")
TREES = (*PRODUCT, "agent/src", "benchmarks", "tests", "tools")
CATALOGUE = ROOT / "locale/ja/LC_MESSAGES/django.po"
REPLACED = {
    "business": "impact",
    "crew": "peer group",
    "crowd": "limiter",
    "deed": "action",
    "deeds": "actions",
    "doorman": "site hours watcher",
    "farewell": "goodbye",
    "firing": "simulated alert",
    "fold": "correlation",
    "folded": "correlated",
    "folding": "correlation",
    "happening": "timeline entry",
    "happenings": "timeline",
    "ledger": "batch result, group counter or recorder",
    "likeness": "common factor",
    "objective": "SLO",
    "onlooker": "viewer",
    "onlookers": "viewers",
    "promise": "target",
    "pulse": "heartbeat",
    "sealed": "encrypted",
    "shape": "schema, or rule kind",
    "shapes": "schemas",
    "seat": "subscriber",
    "strikes": "counter",
    "studio": "board hub",
    "tell": "notify",
    "telling": "escalation",
    "told": "notified, or delivery item",
    "tried": "preview",
    "unfold": "expand",
    "unfolded": "uncorrelated",
    "unrest": "flap score",
    "verdict": "rule event",
    "workshop": "render worker",
}
"""Former words and their terms; only words that have no other meaning in a name."""
FIGURATIVE = {
    "anew": "again",
    "anybody": "the role, or exempt",
    "befall": "the event",
    "canvas": "part renderer",
    "crew": "peer group, or the people",
    "crowd": "limiter",
    "crowding": "the usage of a limit",
    "debt": "backlog",
    "desk": "render context",
    "door": "acceptor, or the status of a site",
    "doors": "the status of sites",
    "estate": "the rows, or the fleet",
    "forget": "discard, delete or expire",
    "forgotten": "unused, or due for a reminder",
    "furnish": "create rows",
    "gathering": "grouping, or waiting",
    "happening": "timeline entry",
    "happenings": "timeline",
    "hear": "receive",
    "heard": "received",
    "kept": "stored, cached or not deleted",
    "nobody": "unacknowledged, or the empty value",
    "owing": "pending",
    "place": "position, location, site or scope",
    "places": "positions, locations, sites or scopes",
    "scene": "page state",
    "somebody": "the role",
    "standing": "link state, unresolved or active",
    "standings": "link states",
    "stray": "a row of the default partition",
    "tells": "notifies, or returns",
    "whoever": "the role",
} | {word: REPLACED[word] for word in ("doorman", "promise", "seat", "strikes", "tell", "telling", "told", "verdict")}
"""Figures of speech that no name in the code needs, and what names the thing."""
PROSE = {
    word: FIGURATIVE[word]
    for word in FIGURATIVE.keys() - {"crowding", "door", "doors", "kept", "nobody", "place", "places"}
} | {
    "deed": "action",
    "deeds": "actions",
    "farewell": "goodbye",
    "onlooker": "viewer",
    "onlookers": "viewers",
    "studio": "board hub",
    "whatever": "any, or the condition",
    "whichever": "any, or the condition",
}
"""Words that no docstring and no comment needs."""
OF_LIBRARIES = {"Promise"}
REPLACED_TEXTS = {
    "9 of 10 within": "p90",
    "by business": "By impact",
    "calm again": "Flapping stopped",
    "give back": "Reopen",
    "it lets go": "Clears",
    "nobody is told": "No notifications",
    "nobody on it": "Unacknowledged",
    "our promise": "Service level",
    "put off": "Snooze",
    "recovered by themselves": "Resolved without acknowledgement",
    "somebody has it": "Acknowledged",
    "take over": "Override",
    "who is told of what": "Notification policies",
    "whoever": "operator, or the person meant",
}
SHARED = {
    "Command": "Django asks for it in each module of management commands",
    "ModelAdmin": "Django's own name, for the type checker; ours are typed, and write the audit trail",
    "UserAdmin": "as ModelAdmin",
}
"""Names of more than one class, with the reason."""
MOST_SHARED = 10


def sources(*trees: str) -> Iterator[Path]:
    for tree in trees:
        yield from (
            path for path in (ROOT / tree).rglob("*.py") if "migrations" not in path.parts and path != Path(__file__)
        )


def classes() -> Iterator[tuple[str, str]]:
    """Each class, with the module that it is in."""
    for path in sources(*PRODUCT):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name != "Meta":
                yield node.name, str(path.relative_to(ROOT))


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def replaced(names: set[str], by: Mapping[str, str] = REPLACED) -> dict[str, str]:
    """The problems of these names."""
    return {name: f"{word}: the glossary says {by[word]}" for name in sorted(names) for word in words(name) & by.keys()}


def names_in(path: Path) -> Iterator[str]:
    with tokenize.open(path) as source:
        yield from (token.string for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.NAME)


def prose_in(path: Path) -> Iterator[str]:
    """The docstrings and comments."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
    with tokenize.open(path) as source:
        yield from (
            token.string for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT
        )


def test_modules_and_classes_use_the_words_of_the_glossary():
    modules = {str(path.relative_to(ROOT).with_suffix("")) for path in sources(*PRODUCT)}

    assert replaced(modules | {name for name, _ in classes()}) == {}


@pytest.mark.parametrize("tree", TREES)
def test_names_in_the_code_are_no_figures_of_speech(tree):
    found = {
        str(path.relative_to(ROOT)): replaced({*names_in(path)} - OF_LIBRARIES, FIGURATIVE) for path in sources(tree)
    }

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("tree", TREES)
def test_docstrings_and_comments_are_no_figures_of_speech(tree):
    found = {
        str(path.relative_to(ROOT)): {word.lower() for text in prose_in(path) for word in re.findall(r"\w+", text)}
        for path in sources(tree)
    }

    assert {path: words & PROSE.keys() for path, words in found.items() if words & PROSE.keys()} == {}


def test_addresses_use_the_words_of_the_glossary():
    assert replaced({text for address in inventory.addresses() for text in address if text}) == {}


@pytest.mark.django_db
def test_the_api_uses_the_words_of_the_glossary(client):
    described = client.get("/api/v1/openapi.json").json()
    operations = [one for path in described["paths"].values() for one in path.values() if isinstance(one, dict)]
    parameters = {one["name"] for operation in operations for one in operation.get("parameters", ())}

    assert (
        replaced({*described["components"]["schemas"], *(one["operationId"] for one in operations), *parameters}) == {}
    )


def test_texts_use_the_words_of_the_glossary():
    texts = {
        text
        for entry in polib.pofile(str(CATALOGUE))
        if not entry.obsolete
        for text in (entry.msgid, entry.msgid_plural)
    }
    found = {
        text: f"say {term!r}"
        for text in texts
        for old, term in REPLACED_TEXTS.items()
        if re.search(rf"\b{old}\b", text, re.IGNORECASE)
    }

    assert found == {}


def test_few_class_names_are_shared():
    places = defaultdict(list)
    for name, module in classes():
        places[name].append(module)

    assert {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED} == {}
    assert len(SHARED) <= MOST_SHARED
