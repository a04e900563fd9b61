"""Files for browsers from a bucket: `collectstatic` uploads exactly what a browser gets."""

import gzip
import json
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError

import pytest
from django.conf import settings

from tests.ops.production import VALID_ENVIRONMENT, manage, python
from tests.support.servers.aws import REGION, Moto
from tms.config import environment
from tms.ops.static_files import key_prefix

BUCKET = "tms-1-static"


class Collected(NamedTuple):
    moto: Moto
    root: Path
    env: Mapping[str, str]

    @property
    def names(self) -> Mapping[str, str]:
        """The name under which each file is served."""
        return json.loads((self.root / "staticfiles.json").read_text())["paths"]

    def objects(self) -> dict[str, Any]:
        listed = self.moto.client("s3").list_objects_v2(Bucket=BUCKET)
        return {one["Key"]: one["LastModified"] for one in listed["Contents"]}

    def signed(self, key: str) -> str:
        """The URL of the cache in front of the bucket, which may read it."""
        return self.moto.client("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})

    def collect(self) -> str:
        done = manage(self.root.parent, "collectstatic", "--no-input", **self.env)
        assert not done.returncode, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def collected(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    moto.reset()
    location = {"LocationConstraint": REGION}
    moto.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    folder = tmp_path_factory.mktemp("collected")
    where = {"TMS_STATIC_BUCKET": BUCKET, "TMS_STATIC_URL": "https://static.example.com/static/"}
    env = VALID_ENVIRONMENT | dict(moto.env) | where | {"TMS_STATIC_ROOT": str(folder / "static")}
    collected = Collected(moto, folder / "static", env)
    collected.collect()
    return collected


def test_each_file_exists_under_its_hashed_name_only(collected):
    assert {key.removeprefix("static/") for key in collected.objects()} == set(collected.names.values())
    assert all(re.search(settings.WHITENOISE_IMMUTABLE_FILE_TEST, name) for name in collected.names.values())


def test_scripts_import_each_other_by_one_name_each(collected):
    scripts = [name for name in collected.names.values() if name.endswith(".js")]
    imported = {
        f"js/{name}"
        for script in scripts
        for name in re.findall(r'(?:from|import\()"\./([^"]+)"', (collected.root / script).read_text())
    }

    assert imported <= set(scripts)
    assert any("chart" in name for name in imported)


def test_served_bytes_equal_those_of_the_release(collected):
    name = collected.names["js/main.js"]

    with urllib.request.urlopen(collected.signed(f"static/{name}")) as answer:
        body, headers = answer.read(), answer.headers

    assert gzip.decompress(body) == (collected.root / name).read_bytes()
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "text/javascript"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_no_access_list_makes_files_public(collected):
    key = f"static/{collected.names['js/main.js']}"

    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(f"{collected.moto.url}/{BUCKET}/{key}")

    grants = collected.moto.client("s3").get_object_acl(Bucket=BUCKET, Key=key)["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_collecting_again_writes_nothing_and_restores_missing_files(collected):
    before = collected.objects()
    gone = min(before)
    collected.moto.client("s3").delete_object(Bucket=BUCKET, Key=gone)

    collected.collect()

    after = collected.objects()
    assert after.keys() == before.keys()
    assert {key: at for key, at in after.items() if key != gone} == {
        key: at for key, at in before.items() if key != gone
    }


PAGE = """
import django; django.setup()
from django.test import Client
answer = Client().get("/missing/", HTTP_HOST="tms.example.com", HTTP_X_FORWARDED_PROTO="https")
print(answer.status_code, answer["Content-Security-Policy"])
print(answer.content.decode())
"""


def test_a_page_refers_browsers_to_the_bucket_and_its_policy_allows_that(collected, tmp_path):
    env = {name: value for name, value in collected.env.items() if name not in ("TMS_DATABASE_URL", "TMS_REDIS_URL")}

    done = python(tmp_path, "-c", PAGE, **env)

    assert not done.returncode, done.stderr
    policy, page = done.stdout.split("\n", 1)
    assert policy.startswith("404 ")  # a page that needs no database
    assert "script-src 'self' https://static.example.com;" in policy + ";"
    assert "https://static.example.com/static/css/plain." in page


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("/static/", "static/"),
        ("https://cdn.example.com/static/", "static/"),
        ("https://bucket.s3.amazonaws.com/a/b/", "a/b/"),
        ("https://cdn.example.com/", ""),
    ],
)
def test_files_are_in_the_bucket_under_the_path_of_their_url(url, prefix):
    assert key_prefix(url) == prefix


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("/static/", []),
        ("https://cdn.example.com/static/", ["https://cdn.example.com"]),
        ("https://cdn.example.com:8443/", ["https://cdn.example.com:8443"]),
    ],
)
def test_the_policy_allows_the_origin_of_the_files_and_no_other(url, origins):
    assert environment.origins(url) == origins
