"""The terms of the glossary: models, REST and the texts of the interface use no replaced word."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.apps import apps
from django.db.models import Model

from tests.support import inventory

ROOT = Path(__file__).parent.parent
PRODUCT = ("tms", "consumers", "deploy")
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
    "Manifest": "of an artifact, and of a backup: deploy/ shares nothing with TMS",
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


def replaced(names: set[str]) -> dict[str, str]:
    """The problems of these names."""
    return {
        name: f"{word}: the glossary says {REPLACED[word]}"
        for name in sorted(names)
        for word in words(name) & REPLACED.keys()
    }


def names_of(model: type[Model]) -> set[str]:
    """A model, its table, fields, indexes and constraints."""
    meta = model._meta
    fields = {field.name for field in meta.get_fields()}
    return {model.__name__, meta.db_table, *fields, *(one.name for one in (*meta.indexes, *meta.constraints))}


def test_models_and_their_tables_use_the_words_of_the_glossary():
    ours = [model for model in apps.get_models() if model.__module__.startswith("tms.")]

    assert replaced({name for model in ours for name in names_of(model)}) == {}


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
