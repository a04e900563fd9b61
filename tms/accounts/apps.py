"""The accounts app: people, what they may do, how they sign in, and the audit trail."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "tms.accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from allauth.account.signals import user_logged_in as of_allauth
        from allauth.usersessions.signals import on_user_logged_in
        from django.contrib.auth.signals import user_logged_in

        from tms.accounts import roles
        from tms.accounts.access import changes
        from tms.accounts.people import deleted
        from tms.accounts.sessions import activity
        from tms.accounts.sign_in import audit  # noqa: F401  (connects its receivers)

        post_migrate.connect(roles.after_migrations, sender=self)
        changes.connect()
        deleted.register()
        user_logged_in.connect(activity.begin)
        # It reads each session of the person, of which a program that signs in every minute has hundreds.
        of_allauth.disconnect(on_user_logged_in)
