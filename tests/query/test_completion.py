"""Completion while somebody types a query. `|` is the cursor."""

import pytest

from tests.support import people
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.completion import complete

pytestmark = pytest.mark.embedded


@pytest.fixture
def viewer(fleet):
    """A person who sees one site of two."""
    umeda, far = fleet.site("UMD", name="Umeda"), fleet.site("FAR", name="Umezu")
    fleet.terminal(site=umeda, uid="UMD-1", label="East hall", model="KX-21")
    fleet.terminal(site=umeda, uid="UMD-2", label='15" screen')
    fleet.terminal(site=far, uid="FAR-1", label="East gate", model="KX-99")
    person = people.person("viewer", of=None)
    people.grant(person, "Viewer", site=umeda)
    return person


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("fir|", ["firmware:|"]),
        ("site:UMD -fir|", ["site:UMD -firmware:|"]),
        ("last|", ["seen:|"]),
        ("kind:ki|", ["kind:kiosk|"]),
        ("kind:gate,ki|", ["kind:gate,kiosk|"]),
        ("kind：KI| x", ["kind:kiosk| x"]),
        ("site:um|", ["site:UMD|"]),
        ("(model:k|)", ["(model:KX-21|)"]),
        ('label:"ea|', ['label:"East hall"|']),
        ("label:ea|", ['label:"East hall"|']),
        ("label:15|", ['label:"15"" screen"|']),
        ('label:"15"" s|', ['label:"15"" screen"|']),
        ('label:"East hall","15""|', ['label:"East hall","15"" screen"|']),
        ("seen>1|", ["seen>10m|"]),
        ("metric.temp|", ["metric.temperature_c|"]),
        ("no:x|", []),
        ("kind:kiosk|", []),
        ('"free text|', []),
    ],
)
def test_what_is_typed_can_be_completed(viewer, typed, completed):
    cursor = typed.index("|")
    text = typed.replace("|", "")

    suggested = complete(text, cursor, TERMINAL_FIELDS, viewer)

    made = [f"{text[: each.span.start]}{each.text}|{text[each.span.end :]}" for each in suggested]
    assert [one.replace("：", ":") for one in made] == completed


def test_a_long_text_costs_no_more_than_its_end(viewer):
    assert complete("a" * 9_000 + " kind:ga", 9_008, TERMINAL_FIELDS, viewer)[0].text == "gate"
