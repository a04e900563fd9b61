"""Documents as PDF, set by Typst.

The fonts are packages, so that a document looks the same on every machine. Typst embeds the characters that it uses.
The data is JSON, so no name in it is markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typst

FONT = "Noto Sans CJK JP"
CONTENT_TYPE = "application/pdf"
_one_at_a_time = Lock()
"""A document of thousands of rows takes seconds and hundreds of megabytes."""
ROOT = Path(__file__).parents[2]
"""Templates of all apps import `/lib/pdf/page.typ`."""


def typeset(template: Path, data: Mapping[str, object]) -> bytes:
    """`data`: what `page.typ` needs, and what the template itself reads."""
    import typst

    inputs = {"data": json.dumps({"font": FONT, "author": "TMS", **data})}
    with _one_at_a_time:
        made: Any = typst.compile(template, root=ROOT, font_paths=_fonts(), sys_inputs=inputs)
    return bytes(made)


@cache
def _fonts() -> typst.Fonts:
    import noto_cjk_sans_jp_bold
    import noto_cjk_sans_jp_regular
    import typst

    files = noto_cjk_sans_jp_regular.FONT_PATH, noto_cjk_sans_jp_bold.FONT_PATH
    return typst.Fonts(include_system_fonts=False, font_paths=[Path(path).parent for path in files])
