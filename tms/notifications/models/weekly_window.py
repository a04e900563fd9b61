from django.db import models
from django.utils.translation import gettext_lazy as _


class When(models.TextChoices):
    """In which hours a policy tells."""

    ALWAYS = "always", _("always")
    WITHIN = "within", _("in the hours below")
    OUTSIDE = "outside", _("outside the hours below")
    OPEN = "open", _("while the site is open")
    CLOSED = "closed", _("while the site is closed")
