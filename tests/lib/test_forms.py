"""Fields and widgets of forms."""

from collections.abc import Iterator

import pytest
from django import forms
from django.http import QueryDict
from django.urls import get_resolver

from tms.fleet.models import Site
from tms.lib.forms import TimesInput
from tms.lib.forms.combobox import MAX_ROWS, RowsField, Suggestions

pytestmark = pytest.mark.both


class SitesForm(forms.Form):
    sites = RowsField(
        Site.objects.order_by("code"), key="code", widget=Suggestions("suggest-sites"), unknown="Unknown: %(keys)s."
    )


@pytest.mark.parametrize(
    ("sent", "codes", "error"),
    [
        ("sites=SJK", ["SJK"], ""),
        ("sites=SJK&sites=UMD", ["SJK", "UMD"], ""),
        ("sites=&sites=UMD,+SJK%0AUMD", ["UMD", "SJK"], ""),
        ("sites=", None, "This field is required."),
        ("", None, "This field is required."),
        ("sites=SJK&sites=A+B", None, "Unknown: A, B."),
        ("sites=SJ%00K", None, "Unknown: SJ\0K."),
        ("sites=" + "+".join(map(str, range(MAX_ROWS + 1))), None, "Too many. Create a group and choose it instead."),
    ],
)
def test_rows_are_chosen_by_keys_also_by_typed_ones(fleet, sent, codes, error):
    fleet.site("SJK")
    fleet.site("UMD")

    form = SitesForm(QueryDict(sent))
    cleaned = form.cleaned_data.get("sites") if form.is_valid() else None

    assert (cleaned and [site.code for site in cleaned]) == codes
    assert form.errors.get("sites", [""]) == [error]


def test_a_widget_with_suggestions_renders_what_is_chosen_and_nothing_else(fleet):
    fleet.site("SJK")
    fleet.site("UMD")

    html = str(SitesForm(QueryDict("sites=SJK&sites=<b>"))["sites"])

    assert html.count('type="checkbox"') == 2
    assert 'value="&lt;b&gt;"' in html
    assert "Site SJK" in html
    assert "UMD" not in html


def test_times_of_day_are_one_text(fleet):
    widget = TimesInput(most=3)

    assert widget.value_from_datadict(QueryDict("times=06:00&times=&times=14:00"), {}, "times") == "06:00 14:00"
    assert widget.render("times", "06:00 14:00").count('data-when="time"') == 3


def test_no_form_of_a_page_has_a_list_that_needs_ctrl_and_a_click():
    assert get_resolver().url_patterns  # imports all forms

    native = {
        f"{form.__module__}.{form.__qualname__}.{name}"
        for form in subclasses(forms.BaseForm)
        if form.__module__.startswith("tms.")
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.SelectMultiple)
    }

    assert native == set()


def subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)
