"""People, as an operator adds and edits them."""

from tms.accounts.models import User

PASSWORD = "watch-the-fleet-7"


def test_a_person_is_added_and_gets_a_language_and_a_theme(admin_client):
    admin_client.post(
        "/admin/accounts/user/add/",
        {"username": "aiko", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD},
    )
    person = User.objects.get(username="aiko")
    answer = admin_client.post(
        f"/admin/accounts/user/{person.pk}/change/",
        {
            "username": "aiko",
            "is_active": "on",
            "language": "ja",
            "theme": "dark",
            "date_joined_0": "2026-11-25",
            "date_joined_1": "09:00:00",
        },
    )

    person.refresh_from_db()
    assert answer.status_code == 302
    assert (person.language, person.theme) == ("ja", "dark")
    assert person.check_password(PASSWORD)


def test_a_language_that_tms_does_not_speak_is_no_choice(admin_client, admin_user):
    answer = admin_client.post(f"/admin/accounts/user/{admin_user.pk}/change/", {"language": "tlh"})

    assert "tlh is not one of the available choices" in answer.content.decode()


def test_the_admin_is_for_staff(client, db):
    client.force_login(User.objects.create(username="watcher"))

    answer = client.get("/admin/fleet/terminal/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
