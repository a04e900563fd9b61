"""The commands that a person can send."""

from tms.commands.kinds import CATALOG

PUBLIC = ["ping", "reboot", "collect_logs"]
"""Terminals, scripts and stored commands use these names."""


def test_the_names_do_not_change():
    assert [name for name in CATALOG if name in PUBLIC] == PUBLIC


def test_a_reboot_is_dangerous():
    assert [name for name in PUBLIC if CATALOG[name].is_dangerous] == ["reboot"]
