"""Dates and times are typed in 24 h, in the same form in every browser."""

import pytest
from playwright.async_api import expect

from tests.e2e.people import Enter


@pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
async def test_a_time_has_24_hours_and_the_order_of_iso_in_every_browser(person: Enter, locale: str):
    page = await (await person(locale=locale)).open("/maintenance/new/")
    field = page.get_by_label("From", exact=True)

    for typed, shown in (("2099/3/4 930", "2099-03-04 09:30"), ("17:05", "2099-03-04 17:05"), ("soon", "soon")):
        await field.evaluate("(field, value) => { field.defaultValue = value }", "2099-03-04 09:30")
        await field.fill(typed)
        await field.press("Tab")
        await expect(field).to_have_value(shown)

    assert await field.evaluate("(field) => field.validity.patternMismatch")
    assert await page.locator("input:is([type=datetime-local], [type=date], [type=time])").count() == 0
