"""Values from the environment, and from files that it names."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from tms.config import aws, environment

NAME = "TMS_TEST"


@pytest.fixture
def named(monkeypatch, tmp_path):
    """A file that the environment names instead of a value."""

    def name(contents: str | bytes) -> str:
        path = tmp_path / "secret"
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        monkeypatch.setenv(f"{NAME}_FILE", str(path))
        return str(path)

    return name


def test_a_file_may_contain_the_value_of_a_variable(named):
    named("s3cret\n")

    assert environment.text(NAME, "default") == "s3cret"


def test_every_kind_of_value_may_be_in_a_file(named):
    named(" 42 \n")

    assert environment.whole(NAME, 1) == 42
    assert environment.words(NAME) == ["42"]


def test_an_empty_variable_beside_a_file_is_not_set(named, monkeypatch):
    named("from the file")
    monkeypatch.setenv(NAME, "")

    assert environment.text(NAME) == "from the file"


def test_a_variable_and_its_file_at_once_are_refused_as_ambiguous(named, monkeypatch):
    named("hush")
    monkeypatch.setenv(NAME, "hush")

    with pytest.raises(ImproperlyConfigured, match=f"{NAME} and {NAME}_FILE are both set; keep only one"):
        environment.text(NAME)


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE=.*nowhere: No such file or directory"):
        environment.text(NAME)


def test_the_contents_of_a_binary_file_are_not_shown(named):
    path = named(b"\xff\xfehush")

    with pytest.raises(ImproperlyConfigured, match="not text in UTF-8") as refusal:
        environment.text(NAME)

    assert path in str(refusal.value)
    assert "hush" not in str(refusal.value)


WRONG = [
    (lambda: environment.seconds(NAME, 1), "inf", "at most"),
    (lambda: environment.seconds(NAME, 1), "nan", "at least 0"),
    (lambda: environment.seconds(NAME, 1), "1e12", "at most"),
    (lambda: environment.seconds(NAME, 1), "-1", "at least 0"),
    (lambda: environment.days(NAME, 1), "100000", "at most 36500"),
    (lambda: environment.whole(NAME, 1), "1.5", "a number"),
    (lambda: environment.time_zone(NAME, "UTC"), "Tokyo", "a time zone such as Asia/Tokyo"),
    (lambda: environment.time_zone(NAME, "UTC"), "../UTC", "a time zone such as Asia/Tokyo"),
    (lambda: environment.address(NAME), "tms.example.com", "an address such as https://tms.example.com"),
    (lambda: environment.address(NAME), "https://tms.example.com/?a=b", "an address"),
    (lambda: environment.address(NAME), "ftp://tms.example.com", "an address"),
    (lambda: environment.choice(NAME, "a", ("a", "b")), "c", "one of a, b"),
]


@pytest.mark.parametrize(("read", "value", "expected"), WRONG)
def test_a_wrong_value_stops_the_start_and_says_what_is_expected(monkeypatch, read, value, expected):
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}='.*': expected {expected}"):
        read()


@pytest.mark.parametrize("url", ["", "https://tms.example.com", "http://[::1]:8000", "https://example.com/tms/"])
def test_an_address_may_have_a_port_and_a_path(monkeypatch, url):
    monkeypatch.setenv(NAME, url)

    assert environment.address(NAME) == url


@pytest.fixture
def nowhere(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_settings_for_aws_need_a_region(nowhere, monkeypatch):
    monkeypatch.setenv(NAME, "x")

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}: AWS_REGION is not set"):
        aws.must_be_usable([NAME, "TMS_OTHER"])

    monkeypatch.setenv("AWS_REGION", "ap-northeast-1")
    aws.must_be_usable([NAME, "TMS_OTHER"])


def test_other_settings_need_none(nowhere):
    assert aws_problem([NAME]) == ""


def aws_problem(names: list[str]) -> str:
    try:
        aws.must_be_usable(names)
    except ImproperlyConfigured as refusal:
        return str(refusal)
    return ""
