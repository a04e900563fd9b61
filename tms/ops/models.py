from django.db import models


class Beat(models.Model):
    """A sign of life of a background loop, so that `/health/` in any process can tell whether it runs."""

    name = models.CharField(max_length=32, primary_key=True)
    node = models.CharField(max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"
