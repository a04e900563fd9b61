"""Uploads by terminals: announced, received in parts, joined; and what is refused."""

import errno
import hashlib
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile

from tests.support.factories import now
from tests.support.rest import problem_of
from tms.commands import services as commands
from tms.commands.models import Command
from tms.files import receiving, retention
from tms.files.models import FileState, TerminalFile
from tms.files.offers import make_offers

pytestmark = [pytest.mark.both, pytest.mark.django_db]

TEXT = b"0123456789"


def content(file: TerminalFile) -> bytes:
    with receiving.default_storage.open(file.content) as stored:
        return bytes(stored.read())


def test_a_file_arrives_in_parts_and_is_joined(offered, stored):
    uploader = offered()

    announced = uploader.announce(10, sha256=hashlib.sha256(TEXT).hexdigest())
    first = uploader.append(0, TEXT[:4])
    asked = uploader.send("HEAD")
    last = uploader.append(4, TEXT[4:])

    assert (announced.status_code, announced["Location"], announced["Upload-Offset"]) == (201, uploader.path, "0")
    assert (first.status_code, asked["Upload-Offset"], asked["Upload-Length"]) == (204, "4", "10")
    assert (last.status_code, last["Upload-Offset"]) == (204, "10")
    file = uploader.file
    assert (file.state, file.name, content(file)) == (FileState.COMPLETE, "app.log", TEXT)
    assert stored(file) == [file.content.rpartition("/")[2]]
    assert not file.received_parts.exists()


def test_an_announcement_that_is_repeated_changes_nothing_and_another_one_is_refused(offered):
    uploader = offered()
    uploader.announce(10)
    uploader.append(0, TEXT[:4])

    again, other = uploader.announce(10), uploader.announce(11)

    assert (again.status_code, again["Upload-Offset"]) == (201, "4")
    assert problem_of(other) == (409, "tms:upload-used")


def test_the_address_of_another_terminal_is_not_found_and_one_without_a_key_is_refused(offered, fleet):
    uploader, other = offered(), offered(fleet.terminal())
    uploader.announce(10)

    stolen = uploader._replace(credential=other.credential)
    answers = [stolen.send("HEAD"), stolen.announce(10), stolen.append(0, TEXT)]
    without_key = uploader.send("HEAD", Authorization="")
    wrong_key = uploader._replace(credential="T-1." + "x" * 43).append(0, TEXT)

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (without_key.status_code, wrong_key.status_code) == (401, 401)
    assert uploader.file.offset == 0


def test_a_revoked_key_uploads_nothing(offered):
    uploader = offered()
    uploader.announce(10)
    uploader.terminal.credentials.update(revoked_at=now())

    assert uploader.append(0, TEXT).status_code == 401


def test_an_address_is_used_once(offered):
    uploader = offered()
    uploader.upload(TEXT)

    refused = [uploader.announce(10), uploader.append(10, b"x"), uploader.append(0, TEXT)]

    assert [problem_of(answer) for answer in refused] == [(409, "tms:upload-used")] * 3
    assert uploader.send("HEAD")["Upload-Offset"] == "10"


@pytest.mark.parametrize("ends", ["time", "answer"])
def test_an_address_ends_with_its_command(offered, ends):
    uploader = offered(at=now(-5) if ends == "answer" else now(-601))
    before = uploader.announce(10).status_code
    if ends == "answer":
        commands.record_answers([commands.Answered(uploader.command.pk, uploader.terminal.pk, {}, "")], at=now())

    assert problem_of(uploader.append(0, TEXT)) == (410, "tms:upload-ended")
    assert before == (201 if ends == "answer" else 410)


REFUSED = [
    ({"length": 0}, 413),
    ({"length": 50_000_001}, 413),
    ({"length": 10, "filetype": "text/html"}, 415),
    ({"length": 10, "filetype": ""}, 415),
    ({"length": 10, "filetype": b"text/plain\xff"}, 415),
    ({"length": 10, "sha256": "abc"}, 422),
    ({"length": -1}, 422),
    ({"length": "10 "}, 422),
    ({"length": "9" * 30}, 422),
    ({"length": 10, "filename": "x" * 10_000}, 422),
]


@pytest.mark.parametrize(("announced", "status"), REFUSED)
def test_a_wrong_size_or_type_is_refused_before_any_byte(offered, announced, status):
    uploader = offered()

    assert uploader.announce(**announced).status_code == status
    assert uploader.file.state == FileState.OFFERED


NAMES = [
    (b"../../etc/passwd", "passwd"),
    (b"C:\\temp\\app.log", "app.log"),
    (b"a\0b", "ab"),
    ("invoice\u202etxt.exe".encode(), "invoicetxt.exe"),
    (b"..", ""),
    (b"/", ""),
    (b"\xff\xfe", "\ufffd\ufffd"),
    (b"n" * 2_000, "n" * 100),
    (b"<script>alert(1)", "<script>alert(1)"),
    (b"a\r\nSet-Cookie: x", "a Set-Cookie: x"),
]


@pytest.mark.parametrize(("given", "shown"), NAMES)
def test_a_hostile_name_is_only_shown(offered, given, shown, stored):
    uploader = offered()

    file = uploader.upload(TEXT, filename=given)

    assert (file.state, file.name) == (FileState.COMPLETE, shown)
    assert file.content.startswith(f"{file.folder}/")
    assert stored(file) == [file.content.rpartition("/")[2]]


@pytest.mark.parametrize(
    ("offset", "data", "status"),
    [
        (1, TEXT[:2], 409),
        (9, TEXT[:1], 409),
        (0, b"", 413),
        (0, TEXT + b"x", 413),
        (0, b"x" * (2**20 + 1), 413),
    ],
)
def test_lies_about_the_offset_and_bytes_beyond_the_length_are_refused(offered, stored, offset, data, status):
    uploader = offered()
    uploader.announce(10)

    answer = uploader.append(offset, data)

    assert (answer.status_code, uploader.file.offset, stored(uploader.file)) == (status, 0, [])


def test_of_two_requests_for_an_offset_one_succeeds(offered, stored):
    uploader = offered()
    uploader.announce(10)
    stale = uploader.file

    receiving.append(uploader.file, 0, TEXT[:4], at=now())
    with pytest.raises(receiving.UploadRefused, match="must be 4"):
        receiving.append(stale, 0, b"abcd", at=now())

    assert (uploader.file.offset, len(stored(uploader.file))) == (4, 1)


def test_a_wrong_checksum_fails_the_file_and_keeps_nothing(offered, stored):
    uploader = offered()
    uploader.announce(10, sha256="0" * 64)

    answer = uploader.append(0, TEXT)

    assert problem_of(answer) == (422, "tms:upload-checksum")
    assert (uploader.file.state, stored(uploader.file)) == (FileState.FAILED, [])


@pytest.mark.parametrize(("setting", "status"), [("FILES_DAILY_MB", 429), ("FILES_TOTAL_MB", 507)])
def test_a_terminal_and_all_of_them_have_a_limit(offered, settings, setting, status):
    setattr(settings, setting, 1)
    first = offered()
    second = offered(first.terminal)

    assert first.announce(600_000).status_code == 201
    assert second.announce(600_000).status_code == status


def test_what_was_received_is_joined_by_another_process_if_the_first_one_died(offered, monkeypatch):
    uploader = offered()
    uploader.announce(10)
    monkeypatch.setattr(receiving, "join", lambda file, *, at: None)
    uploader.append(0, TEXT)
    monkeypatch.undo()
    died_at = now()
    TerminalFile.objects.update(joining_at=died_at)

    retention.tidy(died_at + timedelta(minutes=1))
    waits = uploader.file.state
    retention.tidy(died_at + timedelta(minutes=3))

    assert (waits, uploader.file.state) == (FileState.RECEIVING, FileState.COMPLETE)


def test_the_clock_ends_uploads_and_deletes_what_was_kept_long_enough(offered, fleet, stored, settings):
    settings.FILES_DAYS = 30
    complete, half, _unused = offered(), offered(), offered()
    kept = complete.upload(TEXT)
    half.announce(10)
    half.append(0, TEXT[:4])
    folder = half.file

    retention.tidy(now(700))
    after_command = {half.file.state, complete.file.state}
    left = stored(folder)
    retention.tidy(now() + timedelta(days=31))

    assert (after_command, left) == ({FileState.FAILED, FileState.COMPLETE}, [])
    assert not TerminalFile.objects.exists()
    assert stored(kept) == []
    assert Command.objects.count() == 3


def test_a_file_of_which_a_part_is_gone_fails_instead_of_being_joined_for_ever(offered, stored, monkeypatch):
    uploader = offered()
    uploader.announce(10)
    uploader.append(0, TEXT[:4])
    monkeypatch.setattr(receiving, "join", lambda file, *, at: None)
    uploader.append(4, TEXT[4:])
    monkeypatch.undo()
    receiving.default_storage.delete(uploader.file.received_parts.last().content)

    retention.tidy(now())

    assert (uploader.file.state, stored(uploader.file)) == (FileState.FAILED, [])


def test_what_the_storage_did_not_delete_is_deleted_by_the_next_pass(offered, stored, monkeypatch):
    complete, half = offered(), offered()
    half.announce(10)
    half.append(0, TEXT[:4])
    monkeypatch.setattr(receiving.default_storage, "delete", _fail)
    complete.upload(TEXT)
    with pytest.raises(OSError, match="away"):
        retention.tidy(now(700))
    monkeypatch.undo()

    retention.tidy(now(701))

    assert (len(stored(complete.file)), stored(half.file)) == (1, [])


def _fail(name: str) -> None:
    raise OSError(f"{name}: away")


def test_nothing_is_left_of_a_part_that_the_disk_did_not_take(offered, stored, monkeypatch):
    uploader = offered()
    uploader.announce(10)
    save = receiving.default_storage.save

    def save_half(name: str, content: ContentFile) -> str:
        save(name, ContentFile(content.read()[:2]))
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(receiving.default_storage, "save", save_half)
    full = uploader.append(0, TEXT)
    monkeypatch.undo()

    assert (problem_of(full), stored(uploader.file)) == ((503, "tms:unavailable"), [])
    assert uploader.append(0, TEXT).status_code == 204


def test_only_commands_with_files_have_offers(fleet, django_assert_num_queries):
    terminal = fleet.terminal()
    commands.queue(terminal, name="ping", args={}, by=None, at=now())
    sent = commands.dequeue({terminal.pk: 1}, at=now())

    with django_assert_num_queries(0):
        assert make_offers(sent) == {}


def test_the_token_is_stored_as_a_digest_only(offered):
    uploader = offered()

    token = uploader.path.rpartition("/")[2]

    assert token not in str(list(TerminalFile.objects.values_list()))
    assert len(token) >= 43


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(offered, method):
    assert offered().send(method).status_code == 405


def test_another_version_of_tus_is_refused_with_ours(offered):
    answer = offered().send("HEAD", **{"Tus-Resumable": "0.2.2"})

    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
