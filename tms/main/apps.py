from django.apps import AppConfig


class CommandlineConfig(AppConfig):
    """The commands that start a process, above everything that runs in one."""

    name = "tms.commandline"
