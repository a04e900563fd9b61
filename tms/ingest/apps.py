"""The ingest app: links of terminals, and what they send."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "tms.ingest"
