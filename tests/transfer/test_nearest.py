"""Which value a wrong one is a slip of."""

import pytest

from tms.transfer.nearest import Nearest

SHOPS = ["S010", "S400", "S470", "S499", "BER1", "SJK", "UEN", *(f"S{n:03}" for n in range(20, 100, 10))]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        pytest.param("SKJ", "SJK", id="letters swapped"),
        pytest.param("sjk", "SJK", id="small letters"),
        pytest.param("ＳＪＫ", "SJK", id="full width"),
        pytest.param("S0l0", "S010", id="a letter that looks like a digit"),
        pytest.param("S47O", "S470", id="an O for a zero"),
        pytest.param("S70", "", id="a digit too few: another shop"),
        pytest.param("S999", "", id="other digits"),
        pytest.param("BER2", "", id="a shop to come"),
        pytest.param("S704", "", id="digits swapped"),
        pytest.param("UEM", "", id="another letter in a code"),
        pytest.param("SJ", "", id="part of a code"),
        pytest.param("KJS", "", id="more than a slip"),
    ],
)
def test_only_a_slip_of_a_code_is_suggested(value, meant):
    assert Nearest()(value, SHOPS) == meant


@pytest.mark.parametrize(
    ("value", "known", "meant"),
    [
        ("Kant", ["Kanto", "Kansai"], "Kanto"),
        ("kiosks", ["kiosk", "gate"], "kiosk"),
        ("Asia/Tokio", ["Asia/Tokyo", "Asia/Seoul"], "Asia/Tokyo"),
        ("Gate", ["Gates", "Gateu"], ""),
        ("", ["x"], ""),
    ],
)
def test_a_word_is_suggested_if_only_one_is_near(value, known, meant):
    assert Nearest()(value, known) == meant
