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
        """The current one, and the former ones, newest first."""
        current = list(User.objects.filter(pk=person.pk).values_list("password", flat=True))
        former = FormerPassword.objects.filter(person=person).order_by("-pk").values_list("encoded", flat=True)
        return [each for each in (*current, *former[: self.number - 1]) if is_password_usable(each)]

    def password_changed(self, password: str, user: User) -> None:
        """Django calls it when a new password was saved."""
        if is_password_usable(user.replaced_password):
            FormerPassword.objects.create(person=user, encoded=user.replaced_password)
        rows = FormerPassword.objects.filter(person=user).order_by("-pk")
        old = list(rows.values_list("pk", flat=True)[self.number - 1 :])
        FormerPassword.objects.filter(pk__in=old).delete()

    def get_help_text(self) -> str:
        text = ngettext(
            "Your password can’t be the one that you have now.",
            "Your password can’t be one of your last %(number)d.",
            self.number,
        )
        return text % {"number": self.number}
