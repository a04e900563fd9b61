from django.core.management.base import BaseCommand


class NoChecksCommand(BaseCommand):
    """One that does without Django's checks of pages and models: they take longer than it does, and tests run them."""

    requires_system_checks = ()
