"""The app at the top, which puts the others together."""

from django.apps import AppConfig


class MainConfig(AppConfig):
    """The composition root: URLs, the REST API put together, and the commands that start a process."""

    name = "tms.main"
