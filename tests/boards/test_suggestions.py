"""What a combobox suggests: only rows that the person sees, or for which they have the permission."""

import pytest
from django.test import Client

from tests.support.people import person

pytestmark = pytest.mark.both


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("sites/?q=umd", ["UMD"]),
        ("sites/?q=Site", ["SJK", "UMD"]),
        ("sites/?q=nothing", []),
        ("terminals/?q=t-", ["T-9", "T-10"]),
        ("terminals/?q=UMD", ["T-10"]),
    ],
)
def test_rows_that_match_are_suggested(page, fleet, address, found):
    fleet.terminal(uid="T-9", site=fleet.site("SJK"))
    fleet.terminal(uid="T-10", site=fleet.site("UMD"))

    assert keys(page(f"/suggestions/{address}")) == found


def test_a_long_list_is_cut_and_says_so(page, fleet):
    for number in range(21):
        fleet.terminal(uid=f"T-{number:02}")

    seen = page("/suggestions/terminals/")

    assert len(keys(seen)) == 20
    assert "Type to narrow the list" in seen.html


def test_with_a_permission_only_rows_of_its_scope_are_suggested(fleet):
    fleet.terminal(uid="T-1", site=fleet.site("SJK"))
    viewer = Client()
    viewer.force_login(person("sato", of="Viewer"))

    seen = [viewer.get(f"/suggestions/terminals/{query}") for query in ("", "?for=plan_maintenance", "?for=fly")]

    assert [answer.status_code for answer in seen] == [200, 200, 404]
    assert [b"T-1" in answer.content for answer in seen] == [True, False, False]


def keys(seen) -> list[str]:
    return [attributes["data-value"] for tag, attributes in seen.elements if attributes.get("role") == "option"]
