"""A TMS without AWS neither loads its libraries nor waits for them."""

from tests.ops.production import python

LOADED = """
import sys
import django
django.setup()
from tms.main.management.commands import clock, serve
print(sorted({"boto3", "botocore", "storages", "watchtower"} & sys.modules.keys()))
"""


def test_without_its_settings_nothing_of_aws_is_loaded(tmp_path):
    done = python(tmp_path, "-c", LOADED)

    assert (done.stdout, done.stderr) == ("[]\n", "")
