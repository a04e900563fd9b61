"""The models of the textbook: terminals and their reports."""

from django.db import models


class Terminal(models.Model):
    uid = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64)
    """SHA-256 of the secret."""
    boot_id = models.CharField(max_length=64, default="")
    online = models.BooleanField(default=False, db_index=True)
    last_seen_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=16, default="")
    metrics = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.uid


class Report(models.Model):
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="reports", db_index=False)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    status = models.CharField(max_length=16)
    metrics = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=("terminal", "-at"), name="report_terminal"),)

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.seq}"
