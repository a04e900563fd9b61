"""Uploads of artifacts by tus-js-client, the reference client of the protocol."""

import json
import subprocess
from pathlib import Path

from tests.support.polling import wait_for
from tests.support.servers.tms import ROOT, RunningTMS

BYTES = 20_000_003
ISSUE = """
import django
django.setup()
from django.utils import timezone
from tests.support import people
from tms.accounts import api_tokens
print(api_tokens.issue(people.person("uploader", of="Manager"), name="a script", at=timezone.now())[1])
"""


def test_the_client_of_tus_goes_on_after_a_cut(tmp_path: Path) -> None:
    with RunningTMS(tmp_path) as tms:
        token = tms.run_code(ISSUE).split()[-1]
        command = ["node", "tests/artifacts/tus_client.mjs", f"{tms.url}/artifacts/uploads/", token, str(BYTES)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
        assert not done.stderr
        path = done.stdout.strip()

        # The clock has read it again as a whole.
        found = wait_for(
            lambda: json.loads(tms.get(path, Authorization=f"Bearer {token}")[1]), lambda one: one["hashed"] == BYTES
        )

    assert (found["name"], found["offset"]) == ("kiosk.swu", BYTES)
    assert (tmp_path / "artifacts").exists()
