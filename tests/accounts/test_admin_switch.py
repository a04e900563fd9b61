"""The Django admin is a back door that is served only if it is switched on."""

import os
import subprocess
import sys

from django.contrib import admin
from django.core import checks
from django.urls import reverse

from tests.support import people
from tests.support.inventory import ROOT
from tms.accounts import access

ADDRESSES = ("/admin/", "/admin/login/", "/admin/fleet/site/", "/admin/x/")
OFF = f"""
import sys
import django
django.setup()
from django.test import Client
print([Client().get(path).status_code for path in {ADDRESSES}], "tms.fleet.admin" in sys.modules)
"""


def test_its_addresses_exist_if_it_is_on(client, db):
    assert [client.get(path).status_code for path in ADDRESSES] == [302] * 4


def test_if_it_is_off_it_has_no_address_and_is_not_even_imported(tmp_path):
    env = os.environ | {"TMS_ADMIN": "0", "TMS_DATA_DIR": str(tmp_path), "TMS_LOG_FORMAT": "plain"}

    run = subprocess.run([sys.executable, "-c", OFF], env=env, cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.splitlines()[-1] == "[404, 404, 404, 404] False"


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
