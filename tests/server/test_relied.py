"""tms.server overrides documented parts of its libraries, and relies on the source of others."""

import ast
import json
import subprocess
import sys

from tests.server.process import ROOT
from tests.server.relied import KNOWN

SERVER = sorted((ROOT / "tms" / "server").rglob("*.py"))


def test_the_source_that_we_rely_on_is_the_reviewed_one():
    """A difference names the function: review it, adapt tms.server, run `python -m tests.server.relied --accept`."""
    command = [sys.executable, "-m", "tests.server.relied"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == json.loads(KNOWN.read_text())


def test_no_private_name_of_a_library_is_used():
    used = {name for path in SERVER for name in private_names(ast.parse(path.read_text()))}

    assert used == {"_exit"}, "os._exit is documented"


def private_names(tree: ast.AST) -> set[str]:
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    names = attributes | methods | imported
    return {name for name in names if name.startswith("_") and not name.startswith("__") and name != "_"}
