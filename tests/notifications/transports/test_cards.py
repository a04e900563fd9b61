"""Messages of services that show a limited number of lines."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tms.notifications.transports import slack, teams, telegram
from tms.notifications.transports.card import card_of
from tms.notifications.transports.line_works import transport as line_works
from tms.notifications.transports.message import Message

CONTENTS: dict[str, Callable[[Message], Any]] = {
    "slack": slack.content,
    "teams": lambda message: teams.content(card_of(message)),
    "line_works": lambda message: line_works.content(card_of(message)),
    "telegram": telegram.text_of,
}
PAGE = "https://tms.example.com/alerts/"
STORM = Message(
    uid="1",
    at=datetime(2026, 11, 28, tzinfo=UTC),
    kind="opened",
    title="Critical: 30 alerts",
    lines=[*("x" * 300 for _ in range(20)), "and 10 more", PAGE],
    facts={},
    severity="critical",
    possible_duplicate=True,
    acknowledge_path="/act/a_b-c*d.e_f/",
)


@pytest.mark.parametrize("kind", CONTENTS)
def test_lines_that_do_not_fit_take_away_no_link_and_no_mark_of_a_duplicate(settings, kind):
    settings.PUBLIC_URL = "https://tms.example.com"

    text = json.dumps(CONTENTS[kind](STORM), ensure_ascii=False)

    assert "https://tms.example.com/act/a_b-c*d.e_f/" in text
    assert PAGE in text
    assert "You may receive this twice" in text
    assert "…" in text
