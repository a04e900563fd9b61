"""Versions: people edit one draft, which belongs to everybody, until somebody makes it ready."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Max, Q

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.configuration.checking import CheckError, check
from tms.configuration.models import (
    ConfigurationKey,
    ConfigurationVersion,
    Layer,
    LayerValue,
    VersionState,
)
from tms.configuration.places import Place, names_of
from tms.configuration.values.secrets import MASKED, DecryptionError, reveal, seal
from tms.lib.db import rows as db_rows

MAX_NAMED = 50
"""Changes that an entry of the audit trail names."""
MAX_EDITS = 200_000
"""Values that are changed at once: those of a file."""


class NoDraft(Exception):
    """Somebody made the draft ready, or discarded it."""

    code = "tms:no-draft"


class NothingChanged(ValueError):
    code = "tms:nothing-changed"


class HasErrors(ValueError):
    """The draft cannot be made ready."""

    code = "tms:draft-has-errors"

    def __init__(self, errors: Sequence[CheckError]) -> None:
        super().__init__(f"the draft has errors, first of {errors[0].key}: {errors[0].problem}")
        self.errors = errors


class _Removed:
    """No value: the terminal gets that of an earlier layer."""


REMOVED = _Removed()


class ValueEdit(NamedTuple):
    key: ConfigurationKey
    place: Place
    value: Any
    """JSON, or `REMOVED`."""


def draft() -> ConfigurationVersion | None:
    return ConfigurationVersion.objects.filter(state=VersionState.DRAFT).select_related("author", "edited_by").first()


def newest_ready() -> ConfigurationVersion | None:
    return ConfigurationVersion.objects.filter(state=VersionState.READY).order_by("-number").first()


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction in which nobody else edits: numbers are given one after another."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {ConfigurationVersion._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        yield


def edit(edits: Collection[ValueEdit], *, by: User | None, at: datetime) -> ConfigurationVersion:
    """Change values in the draft; begin one if there is none. The caller has checked values and permissions."""
    with _alone():
        found = draft() or _begin(by, at)
        changes = _write(found, edits)
        ConfigurationVersion.objects.filter(pk=found.pk).update(edited_by=by, edited_at=at)
        recorder.record("values-changed", found, changes)
    return found


def _begin(by: User | None, at: datetime) -> ConfigurationVersion:
    return ConfigurationVersion.objects.create(number=_last_number() + 1, author=by, created_at=at)


def _last_number() -> int:
    return ConfigurationVersion.objects.aggregate(last=Max("number"))["last"] or 0


class _Known(NamedTuple):
    """The rows of a key at a place."""

    before: LayerValue | None
    """The value without the draft."""
    mine: LayerValue | None
    """That of the draft."""


type _Spot = tuple[int, Place]


def _write(version: ConfigurationVersion, edits: Collection[ValueEdit]) -> dict[str, tuple[Any, Any]]:
    """Returns what the audit trail says."""
    last = {(one.key.pk, one.place): one for one in edits}
    known = _known(version, last)
    ended: list[int] = []
    kept: list[int] = []
    made: list[LayerValue] = []
    for spot, one in last.items():
        before = known[spot].before if spot in known else None
        is_same = before is not None and one.value is not REMOVED and _is_same(before, one.value)
        if before is not None:
            (kept if is_same else ended).append(before.pk)
        if one.value is not REMOVED and not is_same:
            made.append(_value(version, one))
    mine = [rows.mine.pk for rows in known.values() if rows.mine]
    LayerValue.objects.filter(pk__in=db_rows.keys_of(mine)).delete()
    LayerValue.objects.filter(pk__in=db_rows.keys_of(ended)).update(until=version)
    LayerValue.objects.filter(pk__in=db_rows.keys_of(kept)).update(until=None)
    LayerValue.objects.bulk_create(made, batch_size=1_000)
    return _audited(last, known)


def _known(version: ConfigurationVersion, spots: Mapping[_Spot, ValueEdit]) -> dict[_Spot, _Known]:
    by_layer: dict[Layer, set[int]] = {}
    for _, place in spots:
        by_layer.setdefault(place.layer, set()).add(place.id)
    wanted = Q(pk__in=())
    for layer, ids in by_layer.items():
        wanted |= Q(layer=layer) if layer is Layer.FLEET else Q(**{f"{layer.value}__in": db_rows.keys_of(ids)})
    rows = LayerValue.objects.filter(wanted, key__in={key for key, _ in spots}).filter(Q(until=None) | Q(until=version))
    found: dict[_Spot, _Known] = {}
    for row in rows:
        spot = row.key_id, Place.of(row)
        if spot in spots:
            known = found.get(spot, _Known(None, None))
            is_mine = row.since_id == version.pk
            found[spot] = known._replace(mine=row) if is_mine else known._replace(before=row)
    return found


def _value(version: ConfigurationVersion, one: ValueEdit) -> LayerValue:
    stored = {"secret": seal(one.value)} if one.key.is_secret else {"value": one.value}
    return LayerValue(key=one.key, since=version, **one.place.columns, **stored)


def _is_same(stored: LayerValue, value: Any) -> bool:
    if not stored.secret:
        return is_equal(stored.value, value)
    try:
        return is_equal(reveal(stored.secret), value)
    except DecryptionError:
        return False


def is_equal(one: Any, other: Any) -> bool:
    """Whether both are the same in JSON, where true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _audited(edits: Mapping[_Spot, ValueEdit], known: Mapping[_Spot, _Known]) -> dict[str, tuple[Any, Any]]:
    shown = list(edits.items())[:MAX_NAMED]
    names = names_of({place for (_, place), _ in shown})
    found: dict[str, tuple[Any, Any]] = {}
    for spot, one in shown:
        rows = known.get(spot, _Known(None, None))
        before = rows.mine or rows.before
        where = " ".join(filter(None, (one.place.layer.value, names[one.place])))
        after = None if one.value is REMOVED else MASKED if one.key.is_secret else recorder.plain(one.value)
        found[f"{one.key.name} ({where})"] = _shown(before), after
    if len(edits) > MAX_NAMED:
        found["values"] = None, len(edits)
    return found


def _shown(stored: LayerValue | None) -> Any:
    return None if stored is None else MASKED if stored.secret else recorder.plain(stored.value)


def fix(
    version: ConfigurationVersion, *, by: User | None, at: datetime, title: str = "", reason: str = ""
) -> ConfigurationVersion:
    """Make the draft ready: from now on it does not change. Raises NoDraft, NothingChanged, HasErrors."""
    with _alone():
        found = _locked_draft(version)
        if not (found.values_set.exists() or found.values_ended.exists()):
            raise NothingChanged("the draft changes nothing; set a value first")
        if errors := check(found).errors:
            raise HasErrors(errors)
        with recorder.change(found, "made-ready"):
            found.state, found.fixed_at, found.author = VersionState.READY, at, by or found.author
            found.title, found.reason = title or found.title, reason or found.reason
            found.save(update_fields=("state", "fixed_at", "author", "title", "reason"))
    return found


def discard(version: ConfigurationVersion) -> None:
    """Delete the draft with its changes. Raises NoDraft."""
    with _alone():
        found = _locked_draft(version)
        recorder.record("discarded", found)
        LayerValue.objects.filter(since=found).delete()
        LayerValue.objects.filter(until=found).update(until=None)
        found.delete()


def _locked_draft(version: ConfigurationVersion) -> ConfigurationVersion:
    found = ConfigurationVersion.objects.select_for_update(of=("self",)).filter(pk=version.pk).first()
    if found is None or not found.is_draft:
        raise NoDraft("somebody made the draft ready, or discarded it")
    return found


def undo(version: ConfigurationVersion, *, by: User | None, at: datetime, reason: str = "") -> ConfigurationVersion:
    """A new ready version that takes the changes of a ready one back.

    Values that a later version changed again stay. Raises NothingChanged if that is true of all of them.
    """
    if version.is_draft:
        raise ValueError(f"version {version.number} is a draft; discard it instead")
    with _alone():
        made = _insert_ready(version, by, at, reason)
        pending = draft()
        before, after = _by_spot(version.values_ended), _by_spot(version.values_set)
        current = _current([*before, *after], pending)
        number = 0
        for spot in {**before, **after}:
            rows = current.get(spot, _Known(None, None))
            if rows.before != after.get(spot):
                continue
            number += 1
            _restore(made, pending, rows, before.get(spot))
        if not number:
            raise NothingChanged("all of its values were changed again by later versions")
        recorder.record("created", made, {"undoes": (None, version.number)}, comment=reason)
    return made


def _insert_ready(undone: ConfigurationVersion, by: User | None, at: datetime, reason: str) -> ConfigurationVersion:
    """The next number before that of the draft, which moves up: its changes are on top of this version."""
    pending, last = draft(), _last_number()
    if pending:
        pending.number = last + 1
        pending.save(update_fields=("number",))
    return ConfigurationVersion.objects.create(
        number=last if pending else last + 1,
        title=f"Undo of {undone.number}",
        reason=reason,
        state=VersionState.READY,
        author=by,
        undoes=undone,
        created_at=at,
        fixed_at=at,
    )


def _by_spot(values: Any) -> dict[_Spot, LayerValue]:
    return {(row.key_id, Place.of(row)): row for row in values.all()}


def _current(spots: Collection[_Spot], pending: ConfigurationVersion | None) -> dict[_Spot, _Known]:
    keys = {key for key, _ in spots}
    in_force = Q(until=None) | (Q(until=pending) if pending else Q(pk__in=()))
    found: dict[_Spot, _Known] = {}
    for row in LayerValue.objects.filter(in_force, key__in=keys):
        spot = row.key_id, Place.of(row)
        known = found.get(spot, _Known(None, None))
        is_pending = pending is not None and row.since_id == pending.pk
        found[spot] = known._replace(mine=row) if is_pending else known._replace(before=row)
    return found


def _restore(
    made: ConfigurationVersion, pending: ConfigurationVersion | None, rows: _Known, former: LayerValue | None
) -> None:
    """End the value of now, and put the former one in its place; the draft stays on top of it."""
    until = rows.before.until if rows.before else pending if rows.mine else None
    if rows.before:
        LayerValue.objects.filter(pk=rows.before.pk).update(until=made)
    if former:
        place = Place.of(former).columns
        LayerValue.objects.create(
            key_id=former.key_id, value=former.value, secret=former.secret, since=made, until=until, **place
        )
