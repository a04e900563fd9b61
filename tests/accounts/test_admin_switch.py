"""The Django admin is a back door that is served only if it is switched on."""

import os
import subprocess
import sys

import pytest
from django.contrib import admin
from django.core import checks
from django.urls import reverse

from tests.support import people
from tests.support.inventory import ROOT
from tms.accounts import access

STATUSES = """
import django
django.setup()
from django.test import Client
print([Client().get(path).status_code for path in ("/admin/", "/admin/login/", "/admin/fleet/site/", "/admin/x/")])
"""


@pytest.mark.parametrize(("switch", "statuses"), [("0", [404] * 4), ("1", [302] * 4)])
def test_its_addresses_exist_only_if_it_is_on(switch, statuses, tmp_path):
    env = os.environ | {"TMS_ADMIN": switch, "TMS_DATA_DIR": str(tmp_path), "TMS_LOG_FORMAT": "plain"}

    run = subprocess.run(
        [sys.executable, "-c", STATUSES], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == str(statuses)


def test_its_pages_pass_the_checks_of_django():
    reverse("admin:index")  # the URLs load its pages; `manage.py check` may check the admin before it loads the URLs

    assert admin.site._registry
    assert checks.run_checks(tags=[checks.Tags.admin]) == []


def test_pages_link_to_it_only_if_it_is_on(db, settings):
    boss = people.make_superuser(people.person("boss"))
    browser = people.signed_in(boss)
    assert reverse("admin:index") in browser.get("/rules/").content.decode()

    settings.ADMIN = False

    assert reverse("admin:index") not in browser.get("/rules/").content.decode()
    assert not access.may_open_admin(boss)
