"""Each module that takes a file or a body has its bounds in the table of docs/security.md."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TAKEN = {"FILES", "body"}
ROW = re.compile(r"^\|.*?`(tms/\S+\.py)`.*\|$", re.MULTILINE)


def takes_upload(node: ast.AST) -> bool:
    """Whether it is `request.FILES`, `request.body` or `request.read(...)`."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "read"
    found = node.func if is_call else node
    if not isinstance(found, ast.Attribute) or not (is_call or found.attr in TAKEN):
        return False
    return isinstance(found.value, ast.Name) and found.value.id == "request"


def test_what_somebody_uploads_has_bounds_in_the_documents():
    modules = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "tms").rglob("*.py")}
    takes = {name for name, path in modules.items() if any(map(takes_upload, ast.walk(ast.parse(path.read_text()))))}

    assert takes == set(ROW.findall((ROOT / "docs/security.md").read_text()))
