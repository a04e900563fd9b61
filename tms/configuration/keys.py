"""Services for keys: what can be configured. Who may change configurations everywhere defines them."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min, Q

from tms.accounts.audit import recorder
from tms.commands.argument_schemas import BadSchema
from tms.configuration.models import ConfigurationKey, LayerValue, TerminalConfiguration
from tms.configuration.values.schemas import check_key_schema

MAX_KEYS = 500
MAX_MODELS = 50
MAX_MODEL = 64
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}(?:\.[a-z0-9_]{1,31}){0,3}")
RESERVED = frozenset(("new",))
"""Addresses of pages."""


class KeyInUse(Exception):
    """The change would change what terminals have, without a version."""

    code = "tms:key-in-use"


@dataclass(frozen=True, slots=True)
class KeyValues:
    meaning: str = ""
    for_models: list[str] = field(default_factory=list)
    schema: dict[str, Any] = field(default_factory=dict)
    needs_restart: bool = False
    is_secret: bool = False


def define(name: str, values: KeyValues) -> ConfigurationKey:
    """Raises ValidationError, and IntegrityError if the name is taken."""
    errors = _errors(values)
    if not NAME.fullmatch(name) or len(name) > 64:
        errors["name"] = "a-z, 0-9 and _, with dots between its parts, such as display.brightness"
    elif name in RESERVED:
        errors["name"] = f"{name} is the address of a page; choose another name"
    elif ConfigurationKey.objects.count() >= MAX_KEYS:
        errors["name"] = f"there are {MAX_KEYS} keys, as many as are allowed; delete one first"
    _raise(errors)
    return _save(ConfigurationKey(name=name), values)


def change(key: ConfigurationKey, values: KeyValues) -> ConfigurationKey:
    """Raises ValidationError and KeyInUse. Values that exist are checked by the schema when they change."""
    _raise(_errors(values))
    with transaction.atomic():
        if values.is_secret != key.is_secret and key.values.exists():
            raise KeyInUse("the key has values: whether they are secret cannot change")
        if (
            set(values.for_models) != set(key.for_models)
            and _in_use(key)
            and _reaches(key.for_models, values.for_models)
        ):
            raise KeyInUse(
                "terminals of these models would get or lose values without a version; remove the values first"
            )
        return _save(key, values)


@transaction.atomic
def delete(key: ConfigurationKey) -> None:
    """Raises KeyInUse while a version that terminals have gives the key a value."""
    if _in_use(key):
        raise KeyInUse(
            "a version that terminals have, or may get, has values of the key; remove them, and roll that out"
        )
    recorder.record("deleted", key)
    key.delete()


def _in_use(key: ConfigurationKey) -> bool:
    oldest = TerminalConfiguration.objects.aggregate(
        number=Min("version__number"), applied=Min("applied_version__number")
    )
    numbers = [number for number in oldest.values() if number is not None]
    ended = Q(until__number__lte=min(numbers)) if numbers else Q(until__isnull=False)
    return LayerValue.objects.filter(key=key).exclude(ended).exists()


def _reaches(before: list[str], after: list[str]) -> bool:
    """Whether there are configured terminals of the models that are added or removed."""
    configured = TerminalConfiguration.objects.exclude(version=None)
    if before and after:
        return configured.filter(terminal__model__in=set(before) ^ set(after)).exists()
    return configured.exclude(terminal__model__in=before or after).exists()


def _save(key: ConfigurationKey, values: KeyValues) -> ConfigurationKey:
    with recorder.change(key):
        for name in KeyValues.__dataclass_fields__:
            setattr(key, name, getattr(values, name))
        key.save()
    return key


def _errors(values: KeyValues) -> dict[str, str]:
    errors: dict[str, str] = {}
    if len(values.meaning) > 200:
        errors["meaning"] = "at most 200 characters"
    models = values.for_models
    if len(models) > MAX_MODELS or not all(1 <= len(one) <= MAX_MODEL and one.isprintable() for one in models):
        errors["for_models"] = f"at most {MAX_MODELS} models of 1 to {MAX_MODEL} printable characters"
    try:
        check_key_schema(values.schema)
    except BadSchema as error:
        errors["schema"] = str(error)
    return errors


def _raise(errors: dict[str, str]) -> None:
    if errors:
        raise ValidationError({name: [text] for name, text in errors.items()})
