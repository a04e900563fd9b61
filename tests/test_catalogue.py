"""The Japanese catalogue has exactly the texts of the pages."""

import re
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
    """The result of `makemessages`, in a copy so that the checkout does not change."""
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


def test_no_translation_is_obsolete(extracted, committed):
    left_over = texts(committed) - texts(extracted)

    assert left_over == set()


def test_no_translation_is_fuzzy(committed):
    assert [entry.msgid for entry in committed.fuzzy_entries()] == []


def test_translations_have_the_placeholders_of_their_texts():
    checked = subprocess.run(
        ["msgfmt", "--check-format", "--output-file", "-", str(ROOT / CATALOGUE)], capture_output=True, check=False
    )

    assert (checked.returncode, checked.stderr.decode()) == (0, "")


PLACEHOLDER = r"(?:%\(\w+\)[sd]|%[sd]|\{\w*\})"
JAPANESE = "ぁ-んァ-ヶー一-龥々）」"
# A comma or colon of Latin text, a space between scripts, a space before a percent sign.
LATIN_MARKS = re.compile(
    rf"[{JAPANESE}][,:]"
    rf"|[{JAPANESE}。、] (?:[A-Za-z0-9]|{PLACEHOLDER})|(?:[A-Za-z0-9]|{PLACEHOLDER}) [{JAPANESE}（「]"
    r"|\d %"
)


def test_japanese_has_the_punctuation_of_japanese_and_no_spaces_beside_latin_letters(committed):
    entries = [entry for entry in committed if entry.msgctxt != "date format"]
    found = {text for entry in entries for text in (entry.msgstr, *entry.msgstr_plural.values())}

    assert {text for text in found if LATIN_MARKS.search(text)} == set()
