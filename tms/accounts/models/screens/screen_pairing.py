"""Televisions that wait for their pairing."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import LineField


class ScreenPairing(models.Model):
    """A television that shows a code and waits. `digest` becomes the secret of the screen that is made of it."""

    code = models.CharField(pgettext_lazy("pairing", "code"), max_length=8, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    address = models.GenericIPAddressField(null=True)
    browser = LineField(max_length=200, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("pairing code")
        verbose_name_plural = _("pairing codes")

    def __str__(self) -> str:
        return self.code
