"""The app below the REST API: its operations are in each app's `api.py`."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "tms.rest_base"
    label = "rest"
