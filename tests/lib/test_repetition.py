"""Recurrences that a form can express, their iCalendar rules, and their words."""

import pytest
from django.utils import translation

from tms.lib.calendar.repetition import Repetition, repetition_text

WORDS = [
    ("FREQ=DAILY", "every day", "毎日"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Monday to Friday", "月曜から金曜"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "every 2 weeks on Mon, Tue", "2週間ごとの月・火曜日"),
    ("FREQ=MONTHLY;BYDAY=2SU", "every month on the second Sunday", "毎月の第2日曜日"),
    ("FREQ=MONTHLY;BYDAY=-1SU;COUNT=3", "every month on the last Sunday, 3 times", "毎月の最終日曜日、3回"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day", "毎月の末日"),
    ("FREQ=MONTHLY;BYMONTHDAY=15", "every month on day 15", "毎月の15日"),
    ("FREQ=YEARLY;UNTIL=20271231", "every year, until 31 Dec 2027", "毎年、2027年12月31日まで"),
]


@pytest.mark.parametrize(("rule", "english", "japanese"), WORDS)
def test_a_rule_becomes_words_and_a_rule_again(rule, english, japanese):
    found = Repetition.of(rule)

    assert found is not None
    assert found.rule == rule
    assert repetition_text(rule) == english
    with translation.override("ja"):
        assert repetition_text(rule) == japanese


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=MONTHLY;BYDAY=5SU",
        "FREQ=MONTHLY;BYDAY=1MO,2TU",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=DAILY;BYDAY=MO",
        "FREQ=DAILY;UNTIL=20271231T180000Z",
        "FREQ=DAILY;INTERVAL=100",
        "FREQ=DAILY;COUNT=0",
        "nonsense",
    ],
)
def test_another_rule_is_shown_as_it_is(rule):
    assert Repetition.of(rule) is None
    assert repetition_text(rule) == rule
