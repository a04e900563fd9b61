"""Outcomes: a row for each command that is over, in the order in which they were stored."""

from __future__ import annotations

from django.db import models

from tms.commands.models.command import Command


class CommandOutcome(models.Model):
    """Added, never changed: who follows commands reads what is new here, instead of every command that changed."""

    command = models.OneToOneField(Command, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.command_id)
