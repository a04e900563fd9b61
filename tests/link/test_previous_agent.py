"""An agent of the previous release works with this TMS: terminals are updated long after it."""

from tests.support.previous_release import exchange, extract


def test_an_agent_of_the_previous_release_reports_and_answers(tms, enrol, tmp_path):
    exchange(tms, enrol(), agent=extract(tmp_path, "agent") / "agent/src", folder=tmp_path)
