"""Commands of `manage.py` that belong to no part of TMS."""

import pytest
from django.core.management import CommandError, call_command


def test_djangos_test_command_refuses_and_names_the_one_to_use():
    with pytest.raises(CommandError, match="make test"):
        call_command("test", "tms")
