"""Commands of `manage.py` that belong to no part of TMS, and what all of them import."""

import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from deploy.processes.tms_process import clean_environment
from tests.support.inventory import ROOT

IMPORTED = """
import json, sys
import django
django.setup()
of_commands = {name.partition(".")[0] for name in sys.modules}
from tms.main.management.commands import clock, serve
print(json.dumps([sorted(of_commands), sorted({name.partition(".")[0] for name in sys.modules})]))
"""
OF_RARE_USE = {
    *("apprise", "boto3", "botocore", "holidays", "lxml", "markdown", "nh3", "noto_cjk_sans_jp_bold", "qrcode"),
    *("redis", "scim2_models", "signxml", "storages", "typst", "urllib3", "watchtower"),
}
"""Packages that are imported where they are used, because few processes use them: not without AWS, without a Redis."""
OF_PAGES_AND_REST = {"autobahn", "daphne", "fido2", "jwt", "ninja", "pydantic", "yaml"}
"""Packages that commands do not need."""


def test_djangos_test_command_refuses_and_names_the_one_to_use():
    with pytest.raises(CommandError, match="make test"):
        call_command("test", "tms")


def test_a_start_imports_no_package_of_which_it_has_no_use(tmp_path):
    """Hundreds of processes pay for each, and every operator who waits for a command."""
    env = clean_environment() | {"TMS_DATA_DIR": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )

    of_commands, of_server = map(set, json.loads(run.stdout.splitlines()[-1]))
    assert of_commands & (OF_RARE_USE | OF_PAGES_AND_REST) == set()
    assert of_server & OF_RARE_USE == set()
