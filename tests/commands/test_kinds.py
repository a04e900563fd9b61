"""The commands that a person can send."""

from tms.commands.kinds import CATALOG, is_dangerous

PUBLIC = ["ping", "reboot", "collect_logs"]
"""Terminals, scripts and stored commands use these names."""


def test_the_names_do_not_change():
    assert [name for name in CATALOG if name in PUBLIC] == PUBLIC


def test_a_reboot_is_dangerous_and_an_unknown_command_is_not():
    assert [name for name in (*PUBLIC, "dance") if is_dangerous(name)] == ["reboot"]
