"""Requests of a directory that arrive at once."""

import pytest

from tests.support.accounts.directory import USER, refused
from tests.support.threads import run_concurrently

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_one_of_two_requests_creates_a_username_that_differs_in_case_only(directory):
    for number in range(5):
        names = (f"Keiko{number}@noc.example", f"keiko{number}@noc.example")
        bodies = [{"schemas": [USER], "userName": name, "active": True} for name in names]

        answers = run_concurrently(2, lambda n, bodies=bodies: directory.send("POST", "Users", bodies[n]))

        failed = [answer for answer in answers if answer.status_code != 201]
        assert [refused(answer) for answer in failed] == [(409, "uniqueness")]
