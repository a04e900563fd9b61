"""The Japanese catalogue says everything that the pages say, and nothing that they no longer say."""

import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).parent.parent
CATALOGUE = Path("locale/ja/LC_MESSAGES/django.po")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """What `makemessages` finds, looked for in a copy so that the checkout stays as it is."""
    copy = tmp_path_factory.mktemp("sources")
    for folder in ("consumers", "templates", "tms"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "locale").mkdir()
    subprocess.run([sys.executable, "-m", "django", "makemessages", "--locale", "ja"], cwd=copy, check=True)
    return polib.pofile(str(copy / CATALOGUE))


@pytest.fixture(scope="module")
def committed() -> polib.POFile:
    return polib.pofile(str(ROOT / CATALOGUE))


def texts(entries: list[polib.POEntry]) -> set[tuple[str | None, str]]:
    return {(entry.msgctxt, entry.msgid) for entry in entries}


def test_every_text_is_translated(extracted, committed):
    missing = texts(extracted) - texts(committed.translated_entries())

    assert missing == set()


def test_no_translation_outlives_its_text(extracted, committed):
    left_over = texts(committed) - texts(extracted)

    assert left_over == set()


def test_no_translation_awaits_a_look(committed):
    assert [entry.msgid for entry in committed.fuzzy_entries()] == []
