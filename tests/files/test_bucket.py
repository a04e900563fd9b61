"""Files in a bucket of S3, as far as it is emulated."""

from collections.abc import Iterator

import pytest
from django.core.files.storage import default_storage

from tests.support.factories import now
from tests.support.servers.aws import Moto
from tms.files import receiving
from tms.files.cleaning import clear
from tms.files.models import FileState

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def _in_bucket(monkeypatch, settings) -> Iterator[None]:
    with Moto() as moto:
        moto.use(monkeypatch)
        settings.STORAGES = settings.STORAGES | {"default": moto.make_bucket("files")}
        yield


@pytest.mark.usefixtures("_in_bucket")
def test_parts_are_joined_in_a_bucket_and_removed(offered, stored):
    uploader = offered()
    uploader.announce(10)
    receiving.append(uploader.file, 0, b"0123", at=now())

    receiving.append(uploader.file, 4, b"456789", at=now())

    file = uploader.file
    assert (file.state, stored(file)) == (FileState.COMPLETE, [file.content.rpartition("/")[2]])
    with default_storage.open(file.content) as whole:
        assert whole.read() == b"0123456789"
    clear(file)
    assert stored(file) == []
