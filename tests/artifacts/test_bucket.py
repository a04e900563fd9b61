"""Artifacts in a bucket of S3, as far as it is emulated."""

import urllib.request
from collections.abc import Iterator

import pytest

from tests.artifacts.uploader import Uploader
from tests.support import people
from tests.support.artifacts import CONTENT, make_key, make_manifest
from tests.support.builders import later
from tests.support.factories import now
from tests.support.servers.aws import Moto
from tms.artifacts import uploads
from tms.artifacts.downloads import address_of
from tms.artifacts.objects import PART_BYTES

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def moto(monkeypatch, settings) -> Iterator[Moto]:
    with Moto() as moto:
        moto.use(monkeypatch)
        settings.STORAGES = settings.STORAGES | {"artifacts": moto.make_bucket("artifacts")}
        settings.ARTIFACTS_BUCKET = "artifacts"
        yield moto


@pytest.fixture
def uploader(moto) -> Uploader:
    make_key()
    person = people.person("hanako", of="Manager")
    return Uploader(person, people.signed_in(person))


def test_parts_become_one_object_that_a_terminal_downloads_by_a_presigned_address(uploader, fleet):
    content = CONTENT * (PART_BYTES // len(CONTENT) + 1)
    uploader.begin(len(content))
    for begin in range(0, len(content), PART_BYTES):
        assert uploader.append(begin, content[begin : begin + PART_BYTES]).status_code == 204
    uploader.describe(make_manifest(content))

    failed = uploader.failed()
    made = uploads.add(uploader.row, notes="", by=uploader.person, at=now())
    address = address_of(made, fleet.terminal(), at=now(), until=later(600))
    rest = urllib.request.Request(address, headers={"Range": f"bytes={PART_BYTES}-"})

    assert failed == {}
    assert "Signature=" in address
    with urllib.request.urlopen(address, timeout=30) as whole, urllib.request.urlopen(rest, timeout=30) as part:
        assert whole.read() == content
        assert (part.status, part.read()) == (206, content[PART_BYTES:])


def test_a_discarded_upload_leaves_nothing(uploader, moto):
    uploader.begin(PART_BYTES + 1)
    uploader.append(0, b"x" * PART_BYTES)

    uploads.discard(uploader.row)

    bucket = moto.client("s3")
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket="artifacts")
    assert "Contents" not in bucket.list_objects_v2(Bucket="artifacts")
