"""Values as people write them: in a cell of a file, or a field of a form. Pure.

Texts are written as they are, and everything else as JSON. A text that would be read as something else, or that a
spreadsheet or a form would change, is written as JSON, too: in quotation marks.
"""

import json
from typing import Any

from tms.configuration.values.schemas import Schema, is_text, read_json
from tms.protocol.text import clean

MAX_SHOWN = 200


def read_cell(text: str, schema: Schema) -> Any:
    """The value that a text means; a text that is no JSON means itself."""
    text = text.strip()
    if is_text(schema) and not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text
    value = read_json(text)
    return text if is_text(schema) and not isinstance(value, str) else value


def write_cell(value: Any, schema: Schema) -> str | int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _is_plain(value) and _is_equal(read_cell(value, schema), value):
        return value
    # ASCII, because cells are cleaned of control characters.
    return json.dumps(value)


def as_text(value: Any, schema: Schema) -> str:
    """What a form shows to be changed."""
    return str(write_cell(value, schema))


def shown(value: Any) -> str:
    """A value as a page shows it: lists without brackets."""
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        text = ", ".join(shown(one) for one in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _is_plain(text: str) -> bool:
    """Whether it comes back from a cell as it was."""
    return bool(text) and text == text.strip() and text == clean(text, keeps_lines=True)


def _is_equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
