from django.core.management.base import BaseCommand


class NoChecksCommand(BaseCommand):
    """A command without Django's system checks, which take longer than the command and run in tests."""

    requires_system_checks = ()
