"""Files for browsers: under names that carry a hash of the contents, from this process or from a bucket."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage

from tms.config import aws

AT_ONCE = 16
FOR_A_YEAR = "public, max-age=31536000, immutable"
CHUNK = re.compile(r"js/[\w.-]+-[A-Z0-9]{8}\.js")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Names contain a hash of the contents. Chunks of scripts got theirs from the bundler, and import each other by it.

    Otherwise a browser may mix the modules of two releases while its cache has one of them.
    """

    def file_hash(self, name: str | None, content: object = None) -> str | None:
        return None if name and CHUNK.fullmatch(name) else super().file_hash(name, content)


class BucketStaticFiles(HashedStaticFiles):
    """Collects into TMS_STATIC_ROOT as usual, then uploads files that the bucket lacks.

    The manifest (`staticfiles.json`) stays beside the code: a starting process needs no request for it, and an older
    release that is rolled back to finds its own. Files of older releases stay, for pages that are still open.
    """

    def post_process(self, *args: object, **options: object) -> Iterator[object]:
        yield from super().post_process(*args, **options)
        if not options.get("dry_run"):
            self._publish(frozenset(self.hashed_files.values()))

    def _publish(self, names: frozenset[str]) -> None:
        bucket = StaticFilesBucket(settings.STATIC_BUCKET, key_prefix(settings.STATIC_URL))
        lacking = names - bucket.names()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda name: bucket.put(name, self), sorted(lacking)))


class StaticFilesBucket:
    """Writes without an ACL: the bucket's policy defines who may read."""

    def __init__(self, name: str, prefix: str) -> None:
        from storages.backends.s3 import S3StaticStorage  # loads boto3

        self._prefix = prefix
        self._storage = S3StaticStorage(
            bucket_name=name,
            location=prefix,
            region_name=aws.region(),
            default_acl=None,
            gzip=True,
            object_parameters={"CacheControl": FOR_A_YEAR},
        )

    def names(self) -> frozenset[str]:
        """The names of all files in the bucket."""
        objects = self._storage.bucket.objects.filter(Prefix=self._prefix)
        return frozenset(one.key.removeprefix(self._prefix) for one in objects)

    def put(self, name: str, source: HashedStaticFiles) -> None:
        with source.open(name) as file:
            self._storage.save(name, file)


def key_prefix(url: str) -> str:
    """The prefix in the bucket of files whose URL begins with `url`: `https://cdn.example.com/static/` → `static/`."""
    return urlsplit(url).path.lstrip("/")
