"""A new password is none of the last ones (PCI DSS 8.3.7)."""

from django.contrib.auth.hashers import check_password, is_password_usable
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from tms.accounts.models import FormerPassword, User


class PasswordHistoryValidator:
    """Rejects the current password and those before it: `number` in all. Each costs one hash to compare."""

    def __init__(self, number: int) -> None:
        self.number = number

    def validate(self, password: str, user: object = None) -> None:
        if isinstance(user, User) and user.pk and any(check_password(password, each) for each in self._hashes(user)):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def _hashes(self, person: User) -> list[str]:
        """Newest first. The current one may be from before TMS kept any."""
        current = User.objects.filter(pk=person.pk).values_list("password", flat=True)
        former = FormerPassword.objects.filter(person=person).order_by("-pk").values_list("encoded", flat=True)
        found = dict.fromkeys([*current, *former[: self.number]])
        return [encoded for encoded in found if is_password_usable(encoded)][: self.number]

    def password_changed(self, password: str, user: User) -> None:
        """Django calls it when a new password is saved."""
        FormerPassword.objects.create(person=user, encoded=user.password)
        rows = FormerPassword.objects.filter(person=user).order_by("-pk")
        FormerPassword.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[self.number :])).delete()

    def get_help_text(self) -> str:
        text = ngettext(
            "Your password can’t be the one that you have now.",
            "Your password can’t be one of your last %(number)d.",
            self.number,
        )
        return text % {"number": self.number}
