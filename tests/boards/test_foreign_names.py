"""Foreign names and texts are in `<bdi>`, on pages and in pushed frames."""

import re
from pathlib import Path

import pytest

from tests.support import factories
from tms.boards.templatetags.foreign import bdi

TEMPLATES = Path(__file__).parents[2] / "templates"
HEBREW = "\u05d0\u05d1\u05d2 (12)"

FOREIGN = re.compile(
    r"""(^|\.)(local_name|display_name|label|model|firmware|serial|agent|rule|comment|said|note|answer|error|common_factor_text)$
    | \.(site_label|destination|policy|rotation|share|terminal\.site)\.name$ | (^|\.)site_label\.name$
    | (^|\.)(by|to|acknowledged_by|first_acknowledged_by|claimed_by|assigned_to|name|me|who|person)\.text$
    | (^|\.)(who|rule|place)$
    | ^entry\.(name|detail)$ | ^(content|incident|shown)\.title$ | \.content\.title$ | (^|_)by$""",
    re.VERBOSE,
)
"""Names of expressions that print foreign text."""
OURS = {
    "card.title", "choice.label", "command.label", "deed.label", "error", "field.label", "form.rule", "label",
    "action.label", "filter.label", "line.label|capfirst", "name.label", "one.label", "part.label", "tab.label",
    "kind.label", "share.label", "group.label", "layer.label", "row.layer.label", "line.label", "row.label",
    "row.error", "step.note",
    "figure.label", "figure.note", "party.label", "loss.label", "column.label", "tick.label",
    "address.label", "field.label|capfirst", "step.label", "text.label",
    "of.subject.label", "state.label", "next_state.label", "secret.label", "fate.label", "form.device.label",
    "table.by", "notification.kind.label", "notification.state.label", "transport.label",
    "spec.danger.label", "line.spec.danger.label", "draft.kind.label", "edit.kind.label", "each.label",
}  # fmt: skip
"""Labels and errors of TMS itself."""
WITHOUT_ELEMENTS = re.compile(
    r"<title\b.*?</title>|<option\b.*?</option>|<textarea\b.*?</textarea>|{% block title %}.*?{% endblock title %}"
    r"|<[a-zA-Z/](?:{{.*?}}|{%.*?%}|\"[^\"]*\"|'[^']*'|[^>\"'{])*>",
    re.DOTALL,
)
TRANSLATED = re.compile(r"\|(\w+_label|command_state|cause)$|^note\.text\|linebreaks$|^found\.note\|linebreaksbr$")
"""A code that is translated by TMS; a note in an element with `dir`."""
ISOLATED = re.compile(r"<bdi>.*?</bdi>", re.DOTALL)
PRINTED = re.compile(r"{{\s*(.*?)\s*}}")
BOUND = re.compile(r"{%\s*(?:with|blocktranslate)\b(.*?)%}")
BINDING = re.compile(r"(\w+)=(\S+)")


def pages() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def printed_without(path: Path) -> set[str]:
    """Expressions of a template that print foreign text outside `<bdi>`."""
    text = WITHOUT_ELEMENTS.sub("", path.read_text())
    isolated = {name for bound in BOUND.findall(text) for name, value in BINDING.findall(bound) if "|bdi" in value}
    return {
        expression
        for expression in PRINTED.findall(text)
        if FOREIGN.search(expression.partition("|")[0])
        and "|bdi" not in expression
        and not expression.startswith("form.")
        and not TRANSLATED.search(expression)
        and expression not in OURS | isolated
    }


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_foreign_text_is_in_its_own_element(path):
    assert printed_without(path) == set()


def test_the_check_detects_a_name_without_an_element(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<p title="{{ terminal.label }}">{{ terminal.label }}</p><option>{{ rule }}</option>')

    assert printed_without(page) == {"terminal.label"}


@pytest.mark.parametrize(
    ("value", "html"),
    [("plain", "<bdi>plain</bdi>"), ("", ""), (None, ""), ("<b>", "<bdi>&lt;b&gt;</bdi>"), (7, "<bdi>7</bdi>")],
)
def test_the_filter_escapes_and_prints_nothing_for_an_empty_value(value, html):
    assert bdi(value) == html


@pytest.mark.both
@pytest.mark.django_db
def test_pages_isolate_a_name_that_is_written_from_right_to_left(page, fleet):
    terminal = fleet.online(uid="T-1", label=HEBREW, model=HEBREW, firmware=HEBREW, serial=HEBREW)
    terminal.site.name = terminal.site.name_ja = HEBREW
    terminal.site.save()
    factories.event(terminal, "door", text=HEBREW)
    factories.alert(fleet, terminal=terminal, rule=fleet.event_rule(name=HEBREW), comment=HEBREW)

    for address in ("/", "/terminals/", "/alerts/", terminal.get_absolute_url()):
        html = page(address).html
        assert f"<bdi>{HEBREW}" in html, address
        assert HEBREW not in WITHOUT_ELEMENTS.sub("", ISOLATED.sub("", html)), address
