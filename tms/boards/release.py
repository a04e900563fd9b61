"""Which release rendered a page: a wall that stays open for months loads its page again after a rollout."""

import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static

SHOWN_BY = ("js/main.js", "css/wall.css")
TEMPLATES = ("wall.html", "parts.html")


@cache
def version() -> str:
    """The version, for people who report a problem. A release without its project file is named by its digest."""
    project: Path = settings.BASE_DIR / "pyproject.toml"
    return tomllib.loads(project.read_text())["project"]["version"] if project.exists() else digest()


@cache
def digest() -> str:
    """The digest of the scripts, styles, icons and templates of the wall, and of the URLs of its static files."""
    files: list[Path] = [settings.STATIC_BUILD / name for name in (*SHOWN_BY, "img/icons.svg")]
    files += [settings.BASE_DIR / "templates/boards/wall" / name for name in TEMPLATES]
    found = sha256("".join(static(name) for name in SHOWN_BY).encode())
    for file in files:
        found.update(file.read_bytes() if file.exists() else b"")
    return found.hexdigest()[:12]
