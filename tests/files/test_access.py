"""Who reads the files of terminals, and how they are served."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.rest import ApiClient
from tms.accounts.models import AuditEntry
from tms.files.models import TerminalFile

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def body_of(answer: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)()


def viewer_of(site: Any, name: str) -> Any:
    person = people.person(name, of=None)
    people.grant(person, "Viewer", site=site)
    return person


def test_people_read_the_files_of_the_terminals_that_they_see_and_no_others(fleet):
    here, there = fleet.site("SJK"), fleet.site("OSK")
    files = [
        fleet.file(fleet.command(fleet.online(site=site), at=now()), name=f"{site.code}.log", content=b"x", at=now())
        for site in (here, there)
    ]
    for site, own, other in ((here, *files), (there, *reversed(files))):
        person = viewer_of(site, f"of-{site.code}")
        browser, api = people.signed_in(person), ApiClient.of(person)

        pages = [browser.get(f"/files/{file.pk}/").status_code for file in (own, other)]
        listed = [item["id"] for item in api.get("/files").json()["items"]]
        read = [api.get(f"/files/{file.pk}{part}").status_code for file in (own, other) for part in ("", "/content")]
        by_terminal = api.get("/files", {"terminal": other.terminal.uid}).json()["items"]

        assert (pages, listed, read, by_terminal) == ([200, 404], [own.pk], [200, 200, 404, 404], [])
        assert other.name not in browser.get(f"/terminals/{own.terminal.uid}/").content.decode()
    assert Client().get(f"/files/{files[0].pk}/").status_code == 302


@pytest.mark.parametrize(
    ("media_type", "served", "ending"),
    [("text/plain", "text/plain", "txt"), ("text/html", "application/octet-stream", "bin")],
)
def test_a_file_is_an_attachment_that_no_browser_runs(fleet, media_type, served, ending):
    terminal = fleet.online(uid="T-1")
    file = fleet.file(fleet.command(terminal, at=now()), name="a.html", content=b"<script>", at=now())
    TerminalFile.objects.update(media_type=media_type)

    answer = people.signed_in(people.person("rei", of="Viewer")).get(f"/files/{file.pk}/")

    assert (body_of(answer), answer["Content-Type"]) == (b"<script>", served)
    assert answer["Content-Disposition"] == f'attachment; filename="T-1-ping-{file.command_id}-1.{ending}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_download_is_in_the_audit_trail(fleet):
    file = fleet.file(fleet.command(fleet.online(uid="T-1"), at=now()), content=b"x", at=now())

    people.signed_in(people.person("rei", of="Viewer")).get(f"/files/{file.pk}/")

    entry = AuditEntry.objects.get(action="file-downloaded")
    assert (entry.actor_name, entry.subject_name) == ("rei", "T-1")


def test_the_page_of_a_terminal_shows_progress_then_the_link(offered):
    uploader = offered()
    uploader.announce(10, filename="<b>app.log")
    uploader.append(0, b"0123")
    browser = people.signed_in(people.person("rei", of="Viewer"))
    path = f"/terminals/{uploader.terminal.uid}/"

    during = browser.get(path).content.decode()
    unfinished = browser.get(f"/files/{uploader.file.pk}/").status_code
    uploader.append(4, b"456789")
    after = HtmlPage(browser.get(path))

    assert '<progress max="10"' in during
    assert "&lt;b&gt;app.log" in during
    assert unfinished == 404
    assert f"/files/{uploader.file.pk}/" in after.links()


def test_a_command_with_files_gets_the_time_of_an_upload(offered):
    terminal = offered().terminal
    operator = people.signed_in(people.person("rei", of="Operator"))

    sent = {"name": "logs", "answer_within_s": "30", "deliver_within_s": "3600"}
    operator.post(f"/terminals/{terminal.uid}/commands/", sent)

    assert terminal.commands.get(state="queued").answer_within_s == 3_600
