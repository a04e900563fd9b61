"""Downloads from the disk of TMS: ranges, and who gets what until when."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponseBase
from django.test import Client

from tests.support.artifacts import CONTENT, make_artifact
from tests.support.builders import AT
from tests.support.factories import now
from tests.support.rest import problem_of
from tms.artifacts.download_view import slots
from tms.artifacts.downloads import address_of
from tms.artifacts.models import Artifact
from tms.artifacts.ranges import NotSatisfiable, Range, requested
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]

SIZE = len(CONTENT)


class Downloader:
    def __init__(self, terminal: Terminal, artifact: Artifact, *, lasts: timedelta = timedelta(hours=1)) -> None:
        self.path = address_of(artifact, terminal, at=now(), until=now() + lasts)
        self.credential = str(credentials.issue(terminal))

    def get(self, method: str = "GET", **headers: str) -> HttpResponseBase:
        given = {"Authorization": f"Bearer {self.credential}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return Client().generic(method, self.path, headers=given)


@pytest.fixture
def downloader(fleet) -> Downloader:
    return Downloader(fleet.terminal(), make_artifact())


def content(answer: HttpResponseBase) -> bytes:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])  # type: ignore[attr-defined]

    found = async_to_sync(read)()
    answer.close()
    return found


def test_a_whole_file_and_the_rest_of_it(downloader):
    whole, rest = downloader.get(), downloader.get(Range="bytes=100-")

    assert (whole.status_code, whole["Content-Length"], whole["Accept-Ranges"]) == (200, str(SIZE), "bytes")
    assert content(whole) == CONTENT
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes 100-{SIZE - 1}/{SIZE}")
    assert content(rest) == CONTENT[100:]


def test_a_head_says_what_a_get_would_send(downloader):
    answer = downloader.get("HEAD")

    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(SIZE), b"")


def test_a_range_of_another_file_is_answered_with_this_one(downloader):
    etag = downloader.get("HEAD")["ETag"]
    same, other = downloader.get(Range="bytes=5-", If_Range=etag), downloader.get(Range="bytes=5-", If_Range='"x"')

    assert (same.status_code, other.status_code) == (206, 200)
    same.close()
    other.close()


def test_a_range_beyond_the_file_is_refused_with_its_size(downloader):
    answer = downloader.get(Range=f"bytes={SIZE}-")

    assert problem_of(answer) == (416, "tms:bad-range")
    assert answer["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", Range(0, 1)),
        ("bytes=0-", Range(0, 100)),
        ("Bytes = 10-19", Range(10, 20)),
        ("bytes=90-500", Range(90, 100)),
        ("bytes=-10", Range(90, 100)),
        ("bytes=-500", Range(0, 100)),
        ("bytes=0-4, 10-14", Range(0, 15)),
        ("bytes=200-, 5-6", Range(5, 7)),
        ("bytes=5-4", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("items=0-5", None),
        ("bytes=" + "0-1," * 100, None),
        ("bytes=" + "9" * 99 + "-", None),
    ],
)
def test_what_a_range_asks_for(header, found):
    assert requested(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=500-600,700-"])
def test_a_range_without_a_byte_cannot_be_satisfied(header):
    with pytest.raises(NotSatisfiable):
        requested(header, 100)


def test_the_address_of_another_terminal_is_not_found(downloader, fleet):
    downloader.credential = str(credentials.issue(fleet.terminal()))
    assert problem_of(downloader.get()) == (404, "tms:not-found")

    downloader.credential = "nobody.secret"
    assert problem_of(downloader.get()) == (401, "tms:unauthorised")


def test_a_changed_address_is_not_found(downloader):
    downloader.path += "x"

    assert problem_of(downloader.get()) == (404, "tms:not-found")


def test_an_address_ends_with_its_command_or_when_the_artifact_is_withdrawn(fleet, downloader):
    ended = Downloader(fleet.terminal(), make_artifact(version="5"), lasts=timedelta(0))
    answer = ended.get()
    Artifact.objects.update(withdrawn_at=AT)

    assert problem_of(answer) == (410, "tms:download-ended")
    assert "order the update again" in answer.json()["detail"]
    assert problem_of(downloader.get()) == (410, "tms:download-ended")


def test_a_site_has_so_many_downloads_at_a_time(downloader, settings):
    settings.DOWNLOADS_PER_SITE = 1
    site = Terminal.objects.get().site_id
    slots().take(site)

    refused = downloader.get()
    slots().give_back(site)
    again = downloader.get()

    assert (problem_of(refused), refused["Retry-After"]) == ((429, "tms:too-busy"), "30")
    assert content(again) == CONTENT
    assert slots().take(site)  # the download has given it back
    slots().give_back(site)


def test_nginx_sends_what_tms_has_allowed(downloader, settings):
    settings.ARTIFACTS_BY_NGINX = True

    answer = downloader.get(Range="bytes=5-")

    assert answer["X-Accel-Redirect"] == f"/artifact-files/{Artifact.objects.get().file.name}"
    assert answer.content == b""
