"""docs/asyncapi.yaml for tests: of the codec here, and of a running server elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

PATH = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"


class Example(NamedTuple):
    sender: Literal["terminal", "server"]
    message: str
    """Its key among the messages of the document, such as `boot` or `backfill`."""
    name: str
    payload: Any


def document() -> dict[str, Any]:
    # Unlike the YAML default, timestamps stay strings, as on the link.
    return yaml.load(PATH.read_text(), Loader=JsonLoader)


def examples() -> Iterator[Example]:
    """Every example, in the order of a link: `boot` first, `goodbye` last."""
    written = document()
    senders = {name: sender for sender in ("terminal", "server") for name in messages_of(written, sender)}
    for name, message in written["components"]["messages"].items():
        for example in message["examples"]:
            yield Example(senders[name], name, example["name"], example["payload"])


def messages_of(written: dict[str, Any], sender: str) -> Iterator[str]:
    """The messages that `sender` sends: TMS receives those of a terminal, and replies go the other way."""
    action = {"terminal": "receive", "server": "send"}[sender]
    for operation in written["operations"].values():
        is_theirs = operation["action"] == action
        listed = operation["messages"] if is_theirs else operation.get("reply", {}).get("messages", [])
        for reference in listed:
            yield reference["$ref"].rpartition("/")[2]


class JsonLoader(yaml.SafeLoader):
    """YAML with the types of JSON."""


JsonLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
