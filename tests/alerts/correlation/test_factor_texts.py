"""The further common factor of an incident, in words."""

import pytest

from tms.alerts.models.factor import Factor, further_text

TEXTS = [
    (Factor.FIRMWARE, 16, "16 of 29 on firmware 2.14.1"),
    (Factor.MODEL, 20, "20 of 29 are 2.14.1"),
    (Factor.FIRMWARE, 29, "all have firmware 2.14.1"),
]


@pytest.mark.parametrize(("factor", "number", "text"), TEXTS)
def test_a_further_factor_says_of_how_many(factor, number, text):
    assert further_text(factor, name="2.14.1", number=number, lost=29) == text
