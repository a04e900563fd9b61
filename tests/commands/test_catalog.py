"""The commands that a person can send."""

from tms.commands.catalog import CATALOG, is_dangerous

PUBLIC = ["ping", "reboot", "collect_logs"]
"""Terminals, scripts and stored commands know these names."""


def test_the_names_that_terminals_know_stay():
    assert [name for name in CATALOG if name in PUBLIC] == PUBLIC


def test_a_reboot_is_dangerous_and_what_nobody_knows_is_not():
    assert [name for name in (*PUBLIC, "dance") if is_dangerous(name)] == ["reboot"]
