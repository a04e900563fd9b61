"""The storage of artifacts: a folder of TMS_DATA_DIR, or a bucket."""

from django.core.files.storage import Storage, storages


def artifact_storage() -> Storage:
    return storages["artifacts"]
