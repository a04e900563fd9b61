"""Uploads of artifacts: received in parts, hashed, checked and added; and what is refused."""

from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.test import Client

from tests.artifacts.uploader import Uploader
from tests.support import people
from tests.support.artifacts import CONTENT, STRANGER, STRANGER_NAME, make_artifact, make_key, make_manifest, sign
from tests.support.builders import AT, later
from tests.support.rest import problem_of
from tms.accounts.models import AuditEntry
from tms.artifacts import uploads
from tms.artifacts.models import Artifact, ArtifactUpload
from tms.artifacts.objects import PART_BYTES

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def signed_in(name: str = "hanako") -> Uploader:
    person = people.person(name, of="Manager")
    return Uploader(person, people.signed_in(person))


@pytest.fixture
def uploader() -> Uploader:
    make_key()
    return signed_in()


def test_a_file_in_two_parts_is_hashed_checked_and_added_once(uploader):
    content = CONTENT * (PART_BYTES // len(CONTENT) + 1)
    manifest = make_manifest(content, replaces_from="4.7.0")
    uploader.begin(len(content))

    first = uploader.append(0, content[:PART_BYTES])
    asked = uploader.send("HEAD", uploader.path)
    last = uploader.append(PART_BYTES, content[PART_BYTES:])
    described = uploader.describe(manifest)
    checks = uploader.failed()
    made = uploads.add(uploader.row, notes="Fixes the sensor", by=uploader.person, at=AT)

    assert (first.status_code, last.status_code, described.status_code) == (204, 204, 200)
    assert (asked["Upload-Offset"], asked["Upload-Length"]) == (str(PART_BYTES), str(len(content)))
    assert checks == {}
    assert (made.sha256, made.size, made.for_models) == (manifest.sha256, len(content), ["KX-21"])
    assert (made.replaces_from, made.manifest, made.uploaded_by) == ("4.7.0", manifest.text, uploader.person)
    with storages["artifacts"].open(str(made.file.name)) as stored:
        assert stored.read() == content
    assert not ArtifactUpload.objects.exists()
    assert AuditEntry.objects.filter(action="added").count() == 1


@pytest.mark.parametrize(
    ("manifest", "failed"),
    [
        ({"sha256": "0" * 64}, {"hash": "which its manifest does not say"}),
        ({"size": 5}, {"hash": "its manifest says 5"}),
        ({"expires": AT - timedelta(days=900)}, {"signature": "The manifest expired on"}),
        ({"version": "4.8.2"}, {"model": "kiosk-firmware 4.8.2 exists already"}),
    ],
)
def test_a_file_that_fails_a_check_is_refused_with_what_to_do_and_cannot_be_added(uploader, manifest, failed):
    make_artifact(version="4.8.2")

    found = uploader.upload(**manifest)

    ((name, text),) = failed.items()
    assert list(found) == [name]
    assert text in found[name]
    with pytest.raises(uploads.CannotAdd):
        uploads.add(uploader.row, notes="", by=uploader.person, at=AT)


def test_a_file_of_a_stranger_passes_once_its_key_was_added(uploader):
    uploader.begin(len(CONTENT))
    uploader.append(0, CONTENT)
    manifest = make_manifest()
    uploader.describe(manifest, sign(manifest.text, STRANGER_NAME, STRANGER))

    before = uploader.failed()
    make_key(STRANGER_NAME, STRANGER)

    assert "Signed by stranger, which is no signing key of TMS" in before["signature"]
    assert uploader.failed() == {}


def test_without_its_manifest_a_file_waits(uploader):
    uploader.begin(len(CONTENT))
    uploader.append(0, CONTENT)

    assert set(uploader.failed()) == {"hash", "signature", "model"}


@pytest.mark.parametrize(
    ("length", "refused"),
    [
        ("10000000000", (413, "tms:upload-too-large")),
        ("0", (413, "tms:upload-too-large")),
        ("-1", (422, "tms:bad-request")),
        ("9" * 13, (422, "tms:bad-request")),
    ],
)
def test_a_length_that_cannot_be_is_refused_before_any_byte(uploader, length, refused):
    assert problem_of(uploader.send("POST", "/artifacts/uploads/", Upload_Length=length)) == refused


def test_bytes_beyond_the_length_out_of_turn_or_in_wrong_parts_are_refused(uploader):
    uploader.begin(10)

    assert problem_of(uploader.append(0, b"x" * 11)) == (413, "tms:upload-too-large")
    assert problem_of(uploader.append(0, b"x" * 9)) == (413, "tms:upload-too-large")
    assert problem_of(uploader.append(5, b"x" * 5)) == (409, "tms:upload-offset")
    assert uploader.append(0, b"x" * 10).status_code == 204
    assert problem_of(uploader.append(10, b"x")) == (413, "tms:upload-too-large")


def test_the_upload_of_somebody_else_is_not_found(uploader):
    uploader.begin(len(CONTENT))
    other = signed_in("taro")
    other.path = uploader.path

    assert other.send("HEAD", other.path).status_code == 404
    assert problem_of(other.append(0, CONTENT)) == (404, "tms:not-found")
    assert problem_of(other.describe(make_manifest())) == (404, "tms:not-found")
    assert problem_of(other.send("GET", other.path)) == (404, "tms:not-found")


def test_people_without_the_permission_upload_nothing(db):
    person = people.person("viewer", of="Operator")

    assert Uploader(person, people.signed_in(person)).begin(10).status_code == 403
    assert Uploader(person, Client()).begin(10).status_code == 401


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{}", "missing required field"),
        ("x" * 9_000, "larger than 8000 bytes"),
        ('{"name":"a"', "cannot be read"),
        (make_manifest().text.replace(",", ", "), "not in its canonical form"),
        (make_manifest().text.replace('"format"', '"extra":1,"format"'), "unknown field"),
    ],
)
def test_a_manifest_that_is_not_canonical_is_refused(uploader, text, detail):
    uploader.begin(10)

    answer = uploader.describe(text)

    assert problem_of(answer) == (422, "tms:bad-manifest")
    assert detail in answer.json()["detail"]


def test_an_upload_is_deleted_a_day_after_its_last_part(uploader):
    uploader.begin(len(CONTENT))
    uploader.append(0, CONTENT)
    stored = uploader.row.stored_as
    ArtifactUpload.objects.update(expires_at=later(10))

    uploads.advance(later(9))
    assert storages["artifacts"].exists(stored)
    uploads.advance(later(10))

    assert not storages["artifacts"].exists(stored)
    assert not ArtifactUpload.objects.exists()


def test_the_clock_goes_on_hashing_where_its_last_pass_ended(uploader, monkeypatch):
    monkeypatch.setattr(uploads, "HASHING_S", 0.0)
    monkeypatch.setattr(uploads, "PIECE_BYTES", 1_000)
    uploader.begin(len(CONTENT))
    uploader.append(0, CONTENT)
    uploads.advance(AT)
    assert uploader.row.hashed == 0

    monkeypatch.setattr(uploads, "HASHING_S", 30.0)
    uploads.advance(AT)

    assert uploader.row.sha256 == make_manifest().sha256
    assert not Artifact.objects.exists()
