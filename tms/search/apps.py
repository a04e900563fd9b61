"""The search app: the global search over everything."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "tms.search"
