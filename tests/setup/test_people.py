"""Who opens the admin, which has nothing of people itself."""

from django.contrib import admin
from django.urls import reverse

from tests.support import people
from tms.accounts.models import User


def test_the_admin_is_for_staff(client, db):
    client.force_login(User.objects.create(username="watcher"))

    answer = client.get("/admin/fleet/terminal/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_staff_status_alone_shows_nothing_in_the_admin(client, db):
    client.force_login(people.person("staff", is_staff=True))

    assert client.get("/admin/fleet/site/").status_code == 403
    assert "/admin/" not in client.get("/").content.decode()


def test_people_their_rights_and_their_factors_are_not_in_the_admin():
    assert reverse("admin:index")  # the URLs import its pages

    assert {model._meta.app_label for model in admin.site._registry} == {"alerts", "commands", "fleet"}
