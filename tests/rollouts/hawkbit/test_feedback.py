"""What updaters send, including what is not JSON."""

import json

import pytest

from tests.rollouts.hawkbit.bodies import feedback
from tms.rollouts.hawkbit.feedback import (
    MAX_DETAIL,
    MAX_DETAILS,
    MAX_VALUE,
    FeedbackKind,
    code_of,
    parse_attributes,
    parse_feedback,
)
from tms.rollouts.hawkbit.resources import Deployment, action_number, deployment, poll


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (feedback("proceeding", cnt=0, of=1), "progress"),
        (feedback("proceeding", cnt=0, of=0), "progress"),
        (feedback("proceeding", cnt=1, of=1), "installed"),
        (feedback("downloaded"), "progress"),
        (feedback("closed", "success"), "succeeded"),
        (feedback("closed", "failure"), "failed"),
        (feedback("canceled", "success"), "cancelled"),
        (feedback("rejected"), "rejected"),
        (b"", "progress"),
        (b"\xff\xfe", "progress"),
        (b"[" * 100_000, "progress"),
        (b'{"status": 3}', "progress"),
        (b'{"status": {"execution": [], "result": 1, "details": {"a": 1}}}', "progress"),
        (b'{"status": {"execution": "closed", "finished": "failure", "details": ["a "b" c"]}}', "failed"),
        (b'{"status": {"execution": "closed", "details": ["a\tb"], "result": {"finished": "success"}}}', "succeeded"),
    ],
)
def test_feedback_is_read_whatever_it_is(body, kind):
    assert parse_feedback(body).kind == FeedbackKind(kind)


def test_details_are_cleaned_and_bounded():
    lines = [f"line {n}" for n in range(MAX_DETAILS)] + ["ERROR\x1b[31m: no\tspace", "x" * 10_000, 7, None]

    details = parse_feedback(feedback("proceeding", details=lines)).details

    assert len(details) <= MAX_DETAILS
    assert details[-2:] == ("ERROR[31m: no space", "x" * MAX_DETAIL)


def test_the_cause_stands_in_lines_that_look_like_trouble():
    said = parse_feedback(feedback("proceeding", details=["Found file", "ERROR : HTTP error code 503.", "Waiting"]))

    assert said.troubles == ["ERROR : HTTP error code 503."]
    assert code_of(said.troubles[0]) == "download"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"version": "1.0", "model": "KX-21"}, ("1.0", "KX-21", "")),
        ({"firmware": "2.0", "version": "1.0"}, ("2.0", "", "")),
        ({"serialNo": 12, "other": "x"}, ("", "", "12")),
        ({"version": ["1"], "model": None}, ("", "", "")),
        ({"version": "v" * 1_000 + "\0"}, ("v" * MAX_VALUE, "", "")),
        ({"version": "1\u202e.0\n\0"}, ("1.0", "", "")),
    ],
)
def test_attributes_are_known_names_cleaned_and_bounded(data, expected):
    assert parse_attributes(json.dumps({"data": data}).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": []}', b"\xff"])
def test_attributes_that_cannot_be_read(body):
    assert parse_attributes(body) is None


@pytest.mark.parametrize(
    ("seconds", "clock"), [(300, "00:05:00"), (0.2, "00:00:01"), (3_725, "01:02:05"), (1e9, "23:59:59")]
)
def test_the_interval_is_a_time_of_day(seconds, clock):
    assert poll(seconds, {})["config"]["polling"]["sleep"] == clock


@pytest.mark.parametrize(("url", "link"), [("https://x/y", "download"), ("http://x/y", "download-http")])
def test_a_deployment_always_says_update(url, link):
    document = deployment(Deployment(7, "os", "2.0", "os-2.0.swu", 10, "a" * 40, "b" * 64, url))["deployment"]

    assert document["update"] == "forced"
    assert document["chunks"][0]["artifacts"][0]["_links"] == {link: {"href": url}}


@pytest.mark.parametrize("command", [1, 2**31 - 1, 2**31, 2**31 + 5, 2**40])
def test_a_number_of_an_action_has_31_bits(command):
    assert 0 < action_number(command) < 2**31
