"""Outcomes: a row for each command that is over, in the order in which they were stored."""

from __future__ import annotations

from django.db import models

from tms.commands.models.command import Command


class CommandOutcome(models.Model):
    """Added, never changed: who follows commands reads what is new here, instead of every command that changed."""

    command = models.OneToOneField(Command, models.CASCADE, related_query_name="outcome")
    at = models.DateTimeField()

    class Meta:
        # Reader: jobs, which let a terminal come back before they count on it.
        indexes = (models.Index(fields=("at",), name="outcome_at"),)

    def __str__(self) -> str:
        return str(self.command_id)
