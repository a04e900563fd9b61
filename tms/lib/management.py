from django.core.management.base import BaseCommand


class NoChecksCommand(BaseCommand):
    """A command without Django's system checks of the code, which take longer than its start and run in tests.

    What a process that serves needs of its environment is checked by `refuse_unsafe`.
    """

    requires_system_checks = ()
