"""A TMS without AWS neither loads its libraries nor waits for them."""

import os
import subprocess
import sys

from tests.support.servers.tms import ROOT

LOADED = """
import sys
import django
django.setup()
from tms.main.management.commands import clock, serve
print(sorted({"boto3", "botocore", "storages", "watchtower"} & sys.modules.keys()))
"""


def test_without_its_settings_nothing_of_aws_is_loaded(tmp_path):
    env = {"PATH": os.environ["PATH"], "TMS_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tms.config.settings"}

    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, env=env, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
