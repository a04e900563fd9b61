"""The hash chain of the audit trail: entries are sealed in order, and what was edited or deleted is found."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from tests.support.builders import AT
from tests.support.threads import open_transaction, run_concurrently
from tms.accounts.audit import anchors, monitor, recorder, retention, sealing
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.audit.verification import Broken, ChainAnchor, Fault, verify
from tms.accounts.models import AuditCheck, AuditDay, AuditEntry, User
from tms.accounts.models.audit_entry import Via

pytestmark = [pytest.mark.both, pytest.mark.django_db]
DAY = timedelta(days=1)


def write(number: int, name: str = "CPU too hot") -> None:
    for n in range(number):
        changes = {"limit": (80, 85.5 + n), "名前": ("旧", "新 \U0001f600"), "none": (None, [1, {"a": True}])}
        recorder.write(AuditSubject("alerts.rule", str(n), name), "changed", changes, comment="31 alerts in November")


def sealed(*numbers: int) -> None:
    """A day with each of these numbers of entries."""
    for n, number in enumerate(numbers):
        write(number)
        assert sealing.seal(AT + n * DAY) == number


def edit(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def broken(**options: object) -> Broken:
    with pytest.raises(Broken) as caught:
        verify(**options)
    return caught.value


def audit(*arguments: str) -> str:
    said = StringIO()
    call_command("audit", *arguments, stdout=said)
    return said.getvalue()


def anchor(day: AuditDay) -> ChainAnchor:
    return ChainAnchor(day.day, day.entries, day.next_number - 1, day.last_hash)


def test_entries_are_sealed_in_order_and_days_continue_each_other():
    sealed(3, 2)

    rows = list(AuditEntry.objects.order_by("pk").values_list("number", "hash"))
    first, second = AuditDay.objects.all()
    assert [number for number, _ in rows] == [1, 2, 3, 4, 5]
    assert len({digest for _, digest in rows}) == 5
    assert (first.entries, first.previous_hash, first.last_hash) == (3, "", rows[2][1])
    assert (second.entries, second.previous_hash, second.last_hash) == (2, rows[2][1], rows[4][1])
    assert verify().entries == 5


def test_a_pass_without_new_entries_changes_nothing():
    sealed(1)

    assert sealing.seal(AT) == 0
    assert AuditDay.objects.get().entries == 1


def test_days_begin_at_midnight_of_the_time_zone_and_never_go_back(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    write(1)
    sealing.seal(datetime(2026, 11, 24, 15, tzinfo=UTC))
    settings.TIME_ZONE = "UTC"
    write(1)
    sealing.seal(datetime(2026, 11, 24, 15, 1, tzinfo=UTC))

    assert [(str(day), day.entries) for day in AuditDay.objects.all()] == [("2026-11-25", 2)]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_late_is_sealed_after_entries_with_higher_keys():
    with open_transaction(lambda: write(1, "late")):
        write(2)
        sealing.seal(AT)
    sealing.seal(AT)

    late = AuditEntry.objects.get(subject_name="late")
    assert late.number == 3
    assert late.pk < AuditEntry.objects.get(number=2).pk
    assert verify().entries == 3


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_seal_at_once_make_one_chain():
    write(1)
    sealing.seal(AT)
    write(50)

    run_concurrently(2, lambda _: sealing.seal(AT))

    assert verify().entries == 51


COLUMNS = [
    ("at", "2020-01-01 00:00:00+00:00"),
    ("actor_name", "mallory"),
    ("token_name", "billing"),
    ("via", "api"),
    ("address", "10.0.0.66"),
    ("action", "deleted"),
    ("subject_type", "alerts.window"),
    ("subject_id", "99"),
    ("subject_name", "Another rule"),
    ("changes", '{"limit": [80, 99]}'),
    ("comment", "nothing to see"),
    ("hash", "0" * 64),
]


@pytest.mark.parametrize(("column", "value"), COLUMNS, ids=[name for name, _ in COLUMNS])
def test_an_edit_of_any_column_is_found(column, value):
    sealed(3, 3)

    edit(f"UPDATE accounts_auditentry SET {column} = %s WHERE number = 5", value)

    found = broken()
    assert (found.fault, found.number, str(found.day), found.position) == (Fault.EDITED, 5, "2026-11-26", 2)


def test_a_deletion_is_found():
    sealed(3, 3)

    edit("DELETE FROM accounts_auditentry WHERE number = 5")

    assert (broken().fault, broken().number) == (Fault.DELETED, 5)


def test_an_entry_that_lost_its_number_counts_as_deleted():
    sealed(3)

    edit("UPDATE accounts_auditentry SET number = NULL, hash = '' WHERE number = 2")

    assert (broken().fault, broken().number) == (Fault.DELETED, 2)


def test_two_entries_that_were_exchanged_are_found():
    sealed(3)
    edit("UPDATE accounts_auditentry SET number = -1 WHERE number = 2")
    edit("UPDATE accounts_auditentry SET number = 2 WHERE number = 3")
    edit("UPDATE accounts_auditentry SET number = 3 WHERE number = -1")

    assert (broken().fault, broken().number) == (Fault.EDITED, 2)


def test_a_cut_off_end_is_found_by_the_count_of_the_day():
    sealed(3, 3)

    edit("DELETE FROM accounts_auditentry WHERE number > 4")

    assert (broken().fault, broken().number) == (Fault.CUT_OFF, 5)


def test_a_cut_off_end_with_its_count_is_found_by_an_anchor():
    sealed(3, 3)
    before = [anchor(day) for day in AuditDay.objects.all()]
    edit("DELETE FROM accounts_auditentry WHERE number > 4")
    digest = AuditEntry.objects.get(number=4).hash
    edit("UPDATE accounts_auditday SET entries = 1, last_hash = %s WHERE day = '2026-11-26'", digest)

    found = broken(anchors=before)

    assert verify().entries == 4
    assert (found.fault, found.number, str(found.day), found.position) == (Fault.CUT_OFF, 5, "2026-11-26", 2)


def test_a_deleted_day_is_found():
    sealed(2, 2, 2)

    edit("DELETE FROM accounts_auditentry WHERE number IN (3, 4)")
    edit("DELETE FROM accounts_auditday WHERE day = '2026-11-26'")

    assert (broken().fault, broken().number) == (Fault.DAY, 5)


def test_a_deleted_first_day_is_found():
    sealed(2, 2)

    edit("DELETE FROM accounts_auditentry WHERE number < 3")
    edit("DELETE FROM accounts_auditday WHERE day = '2026-11-25'")

    assert (broken().fault, broken().number) == (Fault.DAY, 1)


def test_entries_of_a_last_day_whose_row_was_deleted_are_found():
    sealed(2, 2)

    edit("DELETE FROM accounts_auditday WHERE day = '2026-11-26'")

    assert (broken().fault, broken().number) == (Fault.DAY, 4)


def rewrite() -> None:
    AuditEntry.objects.update(number=None, hash="", actor_name="mallory")
    AuditDay.objects.all().delete()
    sealing.seal(AT)


def test_a_rewritten_chain_is_found_by_an_anchor():
    sealed(3)
    before = [anchor(AuditDay.objects.get())]
    rewrite()

    assert verify().entries == 3
    assert (broken(anchors=before).fault, broken(anchors=before).number) == (Fault.REWRITTEN, 3)


def test_a_rewritten_chain_is_found_although_it_got_an_anchor_of_its_own():
    sealed(3)
    before = anchor(AuditDay.objects.get())
    rewrite()
    after = anchor(AuditDay.objects.get())

    for given in ([before, after], [after, before]):
        found = broken(anchors=given)
        assert (found.fault, found.number, found.position) == (Fault.REWRITTEN, 3, 3)


def test_verification_may_begin_at_a_day():
    sealed(3, 2)
    edit("UPDATE accounts_auditentry SET comment = 'x' WHERE number = 1")

    assert verify(since=AuditDay.objects.last().day).entries == 2


def test_a_deleted_person_leaves_the_chain_intact():
    person = User.objects.create_user("kimura")
    AuditEntry.objects.create(actor=person, actor_name="kimura", via=Via.PAGE, action="changed", subject_type="x")
    sealing.seal(AT)

    person.delete()

    entry = AuditEntry.objects.get(number=1)
    assert (entry.actor, entry.actor_name) == (None, "kimura")
    assert verify().entries == 1


def test_numbers_that_python_and_the_database_write_differently_stay_intact():
    values = [1e16, 1e-7, 0.1, -0.0, 10**30, 5.0, True]
    recorder.write(AuditSubject("x"), "changed", {"values": (None, values)})
    sealing.seal(AT)

    assert verify().entries == 1


# The clock's own verification


def test_the_clock_verifies_what_is_new_and_older_entries_in_turn(monkeypatch):
    monkeypatch.setattr(monitor, "OLD_ENTRIES", 2)
    sealed(3)
    monitor.verify_some(AT)
    check = AuditCheck.objects.get()
    assert (check.new_number, check.old_number, check.round_ended_at) == (3, 2, None)

    sealed_more = AT + DAY
    write(1)
    sealing.seal(sealed_more)
    monitor.verify_some(sealed_more)

    check.refresh_from_db()
    assert (check.at, check.new_number, check.old_number, check.round_ended_at) == (sealed_more, 4, 0, sealed_more)


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE accounts_auditentry SET comment = 'x' WHERE number = 2", 2),
        ("DELETE FROM accounts_auditentry WHERE number = 2", 2),
        ("DELETE FROM accounts_auditentry WHERE number = 4", 4),
    ],
)
def test_the_clock_finds_a_bad_entry_that_it_had_verified_before(sql, number):
    sealed(2, 2)
    monitor.verify_some(AT)
    edit(sql)

    monitor.verify_some(AT + DAY)

    check = AuditCheck.objects.get()
    assert (check.broken_number, check.broken_at) == (number, AT + DAY)
    assert f"number {number}" in check.broken_reason


def test_the_clock_finds_a_cut_off_end_with_its_count():
    sealed(2, 2)
    monitor.verify_some(AT)
    edit("DELETE FROM accounts_auditentry WHERE number = 4")
    digest = AuditEntry.objects.get(number=3).hash
    edit("UPDATE accounts_auditday SET entries = 1, last_hash = %s WHERE day = '2026-11-26'", digest)

    monitor.verify_some(AT)

    assert AuditCheck.objects.get().broken_number == 4


def test_a_chain_that_was_restored_is_intact_again():
    sealed(2)
    edit("UPDATE accounts_auditentry SET actor_name = 'x' WHERE number = 2")
    monitor.verify_some(AT)
    edit("UPDATE accounts_auditentry SET actor_name = '' WHERE number = 2")

    monitor.verify_some(AT)

    assert not AuditCheck.objects.get().is_broken


# Retention


def test_days_are_purged_whole_and_the_rest_stays_verifiable(settings):
    settings.AUDIT_DAYS = 1
    sealed(3, 2, 2)
    before = [anchor(day) for day in AuditDay.objects.all()]

    retention.purge(AT + 2 * DAY)
    sealing.seal(AT + 2 * DAY)

    assert [day.purged_at is not None for day in AuditDay.objects.all()] == [True, False, False]
    assert AuditEntry.objects.order_by("number").first().number == 4
    assert AuditEntry.objects.get(action="purged").changes["entries"] == [3, 0]
    assert verify(anchors=before).entries == 5


def test_a_purge_that_was_interrupted_goes_on_and_is_no_deletion(settings, monkeypatch):
    settings.AUDIT_DAYS = 1
    monkeypatch.setattr(retention, "ROWS", 2)
    monkeypatch.setattr(retention, "BATCHES", 1)
    sealed(5, 1, 1)

    assert retention.purge(AT + 2 * DAY) == 2
    sealing.seal(AT + 2 * DAY)
    assert verify().entries == 3
    assert [retention.purge(AT + 2 * DAY) for _ in range(3)] == [2, 1, 0]


def test_a_purged_day_whose_hash_was_edited_is_found_by_an_anchor(settings):
    settings.AUDIT_DAYS = 1
    sealed(3, 2, 2)
    before = [anchor(day) for day in AuditDay.objects.all()]
    retention.purge(AT + 2 * DAY)
    edit("UPDATE accounts_auditday SET last_hash = 'x' WHERE day = '2026-11-25'")
    edit("UPDATE accounts_auditday SET previous_hash = 'x' WHERE day = '2026-11-26'")

    assert (broken(anchors=before).fault, broken(anchors=before).number) == (Fault.REWRITTEN, 3)


# The command


def test_the_command_names_what_it_verified():
    sealed(3, 2)
    write(1)

    result = audit("verify")

    assert "5 entries of 2 days, 2026-11-25 to 2026-11-26" in result
    assert AuditDay.objects.last().last_hash in result
    assert "Not sealed yet: 1" in result


def test_the_command_names_the_first_bad_entry():
    sealed(3, 2)
    edit("UPDATE accounts_auditentry SET comment = 'x' WHERE number = 5")

    with pytest.raises(CommandError, match=r"entry 2 of 2026-11-26 \(number 5\) was edited"):
        audit("verify")


def test_the_command_reads_anchors_from_lines_of_the_log_and_counts_each_once(tmp_path):
    sealed(3)
    described = json.dumps({"event": "audit_anchor", **anchors.as_json(anchor(AuditDay.objects.get()))})
    file = tmp_path / "anchors.log"
    file.write_text(f"Nov 25 18:00:00 tms-1 tms: {described}\n\n")

    assert "Anchors: 1 of 1 compared." in audit("verify", "--anchor", str(file), "--anchor", str(file))


@pytest.mark.parametrize("line", ["{", "no json", '{"day": "2026-11-25"}', "[" * 5000, '{"day": 1}'])
def test_a_file_that_holds_no_anchors_is_refused(tmp_path, line):
    file = tmp_path / "anchors.log"
    file.write_text(line)

    with pytest.raises(CommandError, match="line 1: expected JSON"):
        audit("verify", "--anchor", str(file))


@pytest.mark.parametrize("day", ["24 November", "2026-02-30", "x"])
def test_a_day_that_is_none_is_refused(day):
    with pytest.raises(CommandError, match="expected a day such as"):
        audit("verify", "--since", day)


def test_an_export_has_every_entry_and_is_recorded():
    sealed(2)

    lines = [json.loads(line) for line in audit("export").splitlines()]

    assert [line["number"] for line in lines] == [1, 2, None]
    assert lines[0]["changes"]["名前"] == ["旧", "新 \U0001f600"]
    assert lines[2]["action"] == "exported"


def test_an_export_as_csv_is_harmless_in_a_spreadsheet():
    recorder.write(AuditSubject("alerts.rule", "1", "=1+1"), "changed")

    head, row, *_ = audit("export", "--format", "csv").splitlines()

    assert head.startswith("id,number,at,actor_name")
    assert ",'=1+1," in row


def test_a_rolled_back_change_is_never_sealed():
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)

    assert sealing.seal(AT) == 0
