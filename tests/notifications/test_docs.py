"""The example in docs/integrating.md works as printed."""

import re
from pathlib import Path

import pytest

from tms.notifications.destinations.test_send import send_test

INTEGRATING = Path(__file__).parents[2] / "docs/integrating.md"


@pytest.fixture
def verify():
    [example] = re.findall(r"```python\n(import base64.*?)```", INTEGRATING.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    return names["verify"]


@pytest.mark.django_db
def test_the_documented_code_verifies_what_tms_sends_and_nothing_else(hook, receiver, verify):
    send_test(hook)
    [posted] = receiver.posted
    key = hook.secrets()["key"]

    verify(key, posted.headers, posted.body)
    with pytest.raises(ValueError, match="not come from TMS"):
        verify(key, posted.headers, posted.body + b" ")
    hook.new_key()
    with pytest.raises(ValueError, match="not come from TMS"):
        verify(hook.secrets()["key"], posted.headers, posted.body)
