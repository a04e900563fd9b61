"""Credentials of terminals that no other test uses."""

from collections.abc import Callable

from tests.support.servers.tms import RunningTMS

AT_ONCE = 16


def credential_supply(tms: RunningTMS) -> Callable[[], str]:
    credentials: list[str] = []

    def next_credential() -> str:
        if not credentials:
            credentials.extend(tms.enrol_many(AT_ONCE))
        return credentials.pop()

    return next_credential
