"""A fleet with current activity, for screenshots and accessibility checks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sin

from playwright.async_api import Browser

from tests.e2e.seeded_tms import Kiosk, SeededTMS, sign_in_as
from tests.support.link.terminal import report
from tests.support.polling import wait_for_value_async

BACKFILLED = 60


@dataclass(frozen=True)
class BusyFleet:
    """URLs of the pages by name, and the connected terminals."""

    pages: dict[str, str]
    kiosks: list[Kiosk]

    async def close(self) -> None:
        for kiosk in self.kiosks:
            await kiosk.disconnect()


async def make_busy(tms: SeededTMS, browser: Browser) -> BusyFleet:
    kiosks = [await tms.terminal(site) for site in ("SJK",) * 7 + ("UMD",) * 5]
    backfilled, hot, broken, rebooting, gone, *_ = kiosks
    await backfill(backfilled)
    await backfilled.send_report(
        status="degraded", metrics={"temperature_c": 71.5, "paper_pct": 6.0, "link_rtt_ms": 38.0}
    )
    await hot.send_report(
        status="ok", metrics={"temperature_c": 58.0, "paper_pct": 80.0}, events=[event("door_open", "door")]
    )
    await broken.send_report(
        status="fault", metrics={"paper_pct": 4.0}, events=[event("card_reader_fault", "no card is read")]
    )
    for kiosk in kiosks[5:]:
        await kiosk.send_report(status="ok", metrics={"temperature_c": 44.0, "paper_pct": 61.0, "link_rtt_ms": 24.0})
    back_at = datetime.now(UTC) + timedelta(minutes=4)
    await rebooting.call("goodbye", reason="reboot", back_at=back_at.isoformat())
    await rebooting.disconnect()
    await gone.disconnect()
    (fault,), (paper,) = tms.query(ALERTS.format("Reader fault")), tms.query(ALERTS.format("Paper low"))
    [heat] = tms.query("SELECT id FROM alerts_rule WHERE name = 'Overheating'")
    await acknowledge(tms, browser, paper[0])
    await wait_for_value_async(lambda: tms.query(OFFLINE), [(1,)])
    rows = tms.change("busy")
    pages = pages_of(backfilled=backfilled.uid, fault=fault[0], paper=paper[0], heat=heat[0], incident=rows["incident"])
    at = datetime.fromisoformat(rows["opened_at"]) + timedelta(seconds=1)
    pages |= pages_of_a_replay(backfilled.uid, alert=fault[0], incident=rows["incident"], at=at)
    return BusyFleet(
        pages | pages_of_notifications(**rows["on_call"]) | pages_of_access(**rows["access"]),
        [kiosk for kiosk in kiosks if kiosk not in (rebooting, gone)],
    )


def pages_of(*, backfilled: str, fault: int, paper: int, heat: int, incident: int) -> dict[str, str]:
    """URLs by name, for a terminal, two alerts, a rule and an incident."""
    return {
        "sign-in": "/sign-in/",
        "forgotten-password": "/sign-in/reset/",
        "security": "/me/security/",
        "confirm": "/me/confirm/",
        "overview": "/",
        "terminals": "/terminals/",
        "terminal": f"/terminals/{backfilled}/",
        "alerts": "/alerts/",
        "past-alerts": "/alerts/past/",
        "alert-times": "/alerts/times/",
        "alert": f"/alerts/{fault}/",
        "acknowledge-many": "/alerts/acknowledge/?all=1",
        "change": f"/alerts/{paper}/change-acknowledgement/",
        "expanded": f"/alerts/?expand={incident}",
        "incidents": "/incidents/",
        "incident": f"/incidents/{incident}/",
        "incident-acknowledge": f"/incidents/{incident}/acknowledge/",
        "correlation": "/rules/correlation/",
        "rules": "/rules/",
        "rule": f"/rules/{heat}/",
        "new-rule": "/rules/new/",
        "new-rule-of": "/rules/new/outside/",
        "delete-rule": f"/rules/{heat}/delete/",
        "import-rules": "/rules/import/",
        "maintenance": "/maintenance/",
        "plan-maintenance": f"/maintenance/new/?terminal={backfilled}&site=UMD",
        "maintenance-calendar": "/maintenance/calendar/",
        "destinations": "/destinations/new/webhook/",
        "digest": "/digest/",
        "send-digest": "/digest/send/",
        "slo": "/slo/",
        "help": "/help/",
        "search": f"/search/?q={backfilled[:3]}",
        "me": "/me/",
        "new-token": "/me/tokens/new/",
    }


def pages_of_a_replay(uid: str, *, alert: int, incident: int, at: datetime) -> dict[str, str]:
    instant = f"at={at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "replay": f"/?{instant}",
        "replay-alerts": f"/alerts/?{instant}",
        "replay-terminal": f"/terminals/{uid}/?{instant}",
        "replay-alert": f"/alerts/{alert}/?{instant}",
        "replay-incident": f"/incidents/{incident}/?{instant}",
        "replay-future": "/?at=2126-01-01T00:00:00Z",
    }


def pages_of_notifications(*, policy: int, rotation: int, delivery: int) -> dict[str, str]:
    return {
        "policy": f"/policies/{policy}/",
        "rotation": f"/rotations/{rotation}/",
        "deliveries": "/deliveries/",
        "delivery": f"/deliveries/{delivery}/",
    }


def pages_of_access(
    *, person: int, invited: int, account: int, team: int, role: int, provider: int, screen: int
) -> dict[str, str]:
    return {
        "wall": "/wall/",
        "wall-screens": "/people/screens/",
        "wall-screen": f"/people/screens/{screen}/",
        "pair-screen": "/pair/",
        "people": "/people/",
        "person": f"/people/{person}/",
        "invited": f"/people/{invited}/",
        "disable-person": f"/people/{person}/disable/",
        "team": f"/people/teams/{team}/",
        "identity-providers": "/people/identity-providers/",
        "identity-provider": f"/people/identity-providers/{provider}/",
        "delete-provider": f"/people/identity-providers/{provider}/delete/",
        "service-accounts": "/people/service-accounts/",
        "service-account": f"/people/{account}/",
        "roles": "/roles/",
        "role": f"/roles/{role}/",
        "delete-role": f"/roles/{role}/delete/",
    }


async def backfill(kiosk: Kiosk) -> None:
    """Half an hour of readings; the last ones are live."""
    now = datetime.now(UTC)
    for n in range(BACKFILLED):
        at = now - timedelta(seconds=30 * (BACKFILLED - n))
        metrics = {"temperature_c": 55 + 14 * sin(n / 9), "paper_pct": 40 - n / 2, "link_rtt_ms": 30 + n % 7}
        await kiosk.call("report", **report(n + 1, metrics=metrics, late=n < 20) | {"at": at.isoformat()})
    kiosk.seq = BACKFILLED
    await kiosk.acknowledged(BACKFILLED)


async def acknowledge(tms: SeededTMS, browser: Browser, alert: int) -> None:
    mori = await sign_in_as(browser, tms, "mori")
    page = await mori.open(f"/alerts/{alert}/acknowledge/")
    await page.get_by_label("Comment").fill("Shop called, new roll in ten minutes")
    await page.get_by_role("button", name="Acknowledge").click()
    await mori.context.close()


def event(code: str, text: str) -> dict[str, str]:
    return {"at": datetime.now(UTC).isoformat(), "code": code, "severity": "critical", "text": text}


ALERTS = """
    SELECT a.id FROM alerts_alert a JOIN alerts_rule r ON r.id = a.rule_id
    WHERE r.name = '{}' ORDER BY a.id DESC LIMIT 1
"""
OFFLINE = "SELECT count(*) FROM fleet_terminalstate WHERE presence = 'offline'"
