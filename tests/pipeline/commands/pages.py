"""The commands of a page: its blocks for a shell, and the complete commands within its text."""

import re
from collections.abc import Iterator
from pathlib import Path

INLINE = re.compile(r"`((?:deploy/(?:\w+\.sh|terraform/tf|pipeline/[\w-]+)|\.venv/bin/python|aws|terraform) [^`\n]+)`")
"""A command within a sentence, with at least one argument."""
ELLIPSIS = "…"


def blocks(page: Path) -> list[str]:
    """Each as it is pasted; the consoles of a page are one, because they use each other's variables and folders."""
    text = page.read_text()
    pasted = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    consoles = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    typed = "\n".join(line for console in consoles for line in _typed(console))
    return [*pasted, typed] if typed else pasted


def _typed(console: str) -> Iterator[str]:
    for line in console.splitlines():
        if line.startswith("$ "):
            yield line[2:]
        elif line.startswith("# "):  # as root on a machine
            yield f"on_a_machine {line[2:]}"
        else:
            yield line


def inline(page: Path) -> list[str]:
    """The commands in the text, except those that leave something out."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    joined = re.sub(r"(?<=\S)\n(?=\S)", " ", text)
    return [found for found in INLINE.findall(joined) if ELLIPSIS not in found]
