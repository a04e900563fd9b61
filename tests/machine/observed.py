"""What the terminals of a machine saw during a deployment."""

from tests.faults.scenario.observer import TerminalObserver, until
from tests.machine.machine import Machine

CALLED_OFFLINE = """
SELECT count(*) FROM fleet_presencechange c JOIN fleet_terminal t ON t.id = c.terminal_id
WHERE c.presence = 'offline' AND t.uid = ANY(%s)
"""
ALERTS = "SELECT count(*) FROM alerts_alert a JOIN fleet_terminal t ON t.id = a.terminal_id WHERE t.uid = ANY(%s)"


async def nothing_happened_to(observer: TerminalObserver, machine: Machine) -> None:
    """Every acknowledged report is stored once; no terminal became offline, no alert opened."""
    await until(lambda: machine.is_answering)
    await observer.wait_until_linked()
    await observer.wait_until_acknowledged()
    tally = await observer.count(machine.query)
    assert (tally.lost, tally.duplicated) == (0, 0)
    assert tally.acknowledged > 0
    assert observer.losses > 0
    uids = [terminal.uid for terminal in observer.terminals]
    assert machine.query(CALLED_OFFLINE, uids) == machine.query(ALERTS, uids) == [(0,)]
    assert machine.metric("tms_false_offline_total") == 0
