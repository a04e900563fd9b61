"""`tms-agent doctor`: says in sentences what keeps this machine from TMS, and what to do. Changes nothing."""

from collections.abc import Callable, Iterator

from tms_agent.doctor import machine, network
from tms_agent.doctor.findings import Finding, fault, ok, warning
from tms_agent.protocol.credential import PlainCredential
from tms_agent.settings.errors import UsageError
from tms_agent.settings.settings import Settings


def examine(load: Callable[[], Settings]) -> Iterator[Finding]:
    try:
        settings = load()
    except UsageError as error:
        yield fault("configuration", str(error))
        return
    yield ok("configuration", f"{settings.config or 'no file'}; the link is {settings.url}")
    for text in settings.warnings:
        yield warning("configuration", text)
    key: PlainCredential | None = None
    try:
        key = settings.credential()
    except UsageError as error:
        yield fault("credential", f"{error}; or enrol this machine with tms-agent enrol")
    yield from machine.check_clock(settings.network.dates.now())
    yield from network.check_way(settings.url, settings.network, key)
    if key:
        spool = settings.spool_of(key.uid)
        yield from machine.check_spool(spool)
        yield machine.check_agent(spool)
    yield from machine.check_reboot(settings)
    yield from machine.check_packages()
