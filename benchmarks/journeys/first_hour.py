"""The first hour of an administrator on an empty installation, with two machines that become terminals."""

import base64
import csv
import hmac
import struct
import time
from io import StringIO
from typing import Any

from benchmarks.journeys.elements import Element
from benchmarks.journeys.installation import ADMINISTRATOR, PASSWORD, Installation, Machine
from benchmarks.journeys.setup_elements import Setup
from benchmarks.journeys.walker import SCREEN, Walker, step

SCREEN_OF_ADMINISTRATOR: dict[str, Any] = {
    **SCREEN,
    "color_scheme": "light",
    "ignore_https_errors": True,  # the certificate is self-signed
    "permissions": ["clipboard-read", "clipboard-write"],
}
CODE, UID = "SJK", "SJK-KSK-01"
FIRST_DEVICE, NEW_DEVICE = "KX21-480713", "KX21-512044"
TERMINALS = 200
"""The number of rows in the file."""
KINDS = {"KSK": "kiosk", "GTE": "gate", "PAY": "payment", "SGN": "signage"}
GROUP = "Kiosks of the lobby"
TOTP_STEP_S = 30
DESKTOP, PHONE = ({"width": width, "height": height} for width, height in ((1440, 900), (390, 844)))
ALBUM = {
    "overview": "/",
    "site": f"/sites/{CODE}/",
    "hours": f"/sites/{CODE}/hours/",
    "enrol": "/enrol/",
    "terminals": "/terminals/?q=state:planned",
    "imports": "/import/",
    "import": "/import/1/",
    "group": "/groups/1/",
    "manage": f"/terminals/{UID}/manage/",
    "replace": f"/terminals/{UID}/replace/",
}


@step("Sign in with the account of `createsuperuser`")
async def sign_in(walker: Walker) -> None:
    await walker.open("/")
    await walker.see_cursor(Element.USERNAME)
    await walker.type(ADMINISTRATOR)
    await walker.press("Tab")
    await walker.type(PASSWORD)
    await walker.press("Enter")
    walker.results[-1].fields += 2
    await walker.see(Setup.FIRST_RUN)


@step("Set up the second factor that production asks for")
async def add_factor(walker: Walker) -> None:
    await walker.click(Setup.SET_UP_FACTOR)
    await walker.click(Setup.ADD_APP)
    await walker.see_cursor(Setup.APP_CODE)
    secret = await walker.at(Setup.APP_SECRET).input_value()
    await walker.type(_code(secret))
    await walker.press("Enter")
    walker.results[-1].fields += 1
    await walker.see(Setup.RECOVERY_CODES)
    await walker.click(Setup.STORED)


@step("Create the site: the first of three steps on the overview")
async def create_site(walker: Walker) -> None:
    await walker.click(Setup.TO_OVERVIEW)
    await walker.click(Setup.NEXT_STEP, address="/sites/new/")
    await walker.fill(Setup.CODE, CODE)
    await walker.fill(Setup.NAME, "Shinjuku South")
    await walker.fill(Setup.JAPANESE_NAME, "新宿南口")
    await walker.fill(Setup.ADDRESS, "4-1-6 Shinjuku, Tokyo")
    await walker.click(Setup.SAVE_SITE)
    await walker.see(Setup.SITE_HEAD, code=CODE)


@step("Set its opening hours")
async def set_hours(walker: Walker) -> None:
    await walker.click(Setup.TO_HOURS, code=CODE)
    await walker.fill(Setup.MONDAY, "10-22")
    for _day in range(6):
        await walker.press("Tab")
        await walker.type("=")
    walker.results[-1].fields += 6
    await walker.click(Setup.SAVE_HOURS)
    await walker.see(Setup.HOURS, code=CODE)


@step("Enter whom to call")
async def set_contacts(walker: Walker) -> None:
    await walker.click(Setup.TO_CONTACTS, code=CODE)
    await walker.fill(Setup.CONTACT, "Station office")
    await walker.press("Tab")
    await walker.type("03-5334-0000")
    walker.results[-1].fields += 1
    await walker.click(Setup.SAVE_CONTACTS)
    await walker.see(Setup.CONTACTS)


@step("Create a terminal: the second step on the overview")
async def create_terminal(walker: Walker) -> None:
    await walker.click(Setup.TO_OVERVIEW)
    await walker.click(Setup.NEXT_STEP, address="/enrol/")
    await walker.choose(Setup.TERMINAL_SITE, value=CODE)
    await walker.fill(Setup.LOCATION, "East exit, left")
    await walker.click(Setup.CREATE_TERMINAL)
    await walker.see(Setup.COPY_COMMAND)


@step("Paste its command into a shell of the machine, and see that it is here")
async def connect(walker: Walker) -> None:
    command = await walker.copy(Setup.COPY_COMMAND)
    _machine(walker, FIRST_DEVICE).paste(command)
    await walker.see(Setup.IT_IS_HERE)


@step("Say who is notified: the third step on the overview")
async def notify(walker: Walker) -> None:
    await walker.click(Setup.TO_OVERVIEW)
    await walker.click(Setup.NEXT_STEP, address="/destinations/new/")
    await walker.click(Setup.EMAIL)
    await walker.fill(Setup.DESTINATION_NAME, "Operations")
    await walker.fill(Setup.DESTINATION_ADDRESS, "noc@noc.example")
    await walker.click(Setup.SAVE_DESTINATION)
    await walker.click(Setup.TO_OVERVIEW)
    await walker.click(Setup.NEXT_STEP, address="/policies/new/")
    await walker.fill(Setup.POLICY_NAME, "Everything")
    await walker.click(Setup.STEP_TO)
    await walker.click(Setup.STEP_DESTINATION, name="Operations")
    await walker.click(Setup.SAVE_POLICY)
    await walker.click(Setup.TO_OVERVIEW)
    await walker.see_gone(Setup.FIRST_RUN)


@step(f"Import {TERMINALS} terminals from a file with three mistakes, and see them")
async def import_with_mistakes(walker: Walker) -> None:
    await walker.click(Setup.TO_TERMINALS)
    await walker.click(Setup.TO_IMPORT)
    await _upload(walker, _rows(), mistakes=True)
    await walker.see(Setup.FAULTS, number="4")  # the repeated UID is a mistake in both of its rows


@step("Correct them in the file, and apply it")
async def import_corrected(walker: Walker) -> None:
    await walker.click(Setup.CORRECTED)
    await _upload(walker, _rows(), mistakes=False)
    await walker.click(Setup.APPLY)
    await walker.see(Setup.APPLIED)


@step("Put a group together")
async def make_group(walker: Walker) -> None:
    await walker.click(Setup.TO_GROUPS)
    await walker.click(Setup.NEW_GROUP)
    await walker.fill(Setup.GROUP_NAME, GROUP)
    await walker.click(Setup.SAVE_GROUP)
    await walker.click(Setup.MEMBERS)
    await walker.type(" ".join(f"SJK-KSK-{number:02}" for number in (1, 2, 3)))
    walker.results[-1].fields += 1
    await walker.press("Enter")  # takes what was typed
    await walker.click(Setup.ADD_MEMBERS)
    await walker.see(Setup.MEMBER, uid=UID)


@step("Replace its device, and start the new one with the key that is shown")
async def replace(walker: Walker) -> None:
    await _manage(walker)
    await walker.click(Setup.REPLACE, uid=UID)
    await walker.fill(Setup.NEW_SERIAL, NEW_DEVICE)
    await walker.fill(Setup.REASON, "Screen broken")
    await walker.click(Setup.SHOW_KEY, uid=UID)
    command = await walker.copy(Setup.COPY_COMMAND)
    key = await walker.copy(Setup.COPY_SECRET)
    _machine(walker, NEW_DEVICE).paste(command, typed=key)
    await walker.click(Setup.STORED)
    await walker.see(Setup.PLACED, serial=NEW_DEVICE)


@step("See the new device online")
async def see_replaced(walker: Walker) -> None:
    await walker.click(Setup.TO_TERMINALS)
    await walker.click(Setup.TERMINAL_ROW, uid=UID)
    await walker.see(Setup.ONLINE)


@step("Retire the terminal")
async def retire(walker: Walker) -> None:
    await walker.click(Setup.MANAGE, uid=UID)
    await walker.click(Setup.RETIRE, uid=UID)
    await walker.fill(Setup.REASON, "Kiosk removed")
    await walker.click(Setup.CONFIRM_RETIRE)
    await walker.see(Setup.STATE, uid=UID, state="retired")


@step("Bring it back")
async def bring_back(walker: Walker) -> None:
    await walker.click(Setup.BRING_BACK, uid=UID)
    await walker.click(Setup.CONFIRM)
    await walker.see(Setup.STATE, uid=UID, state="in_service")


@step("Rotate all keys of the site, and download them")
async def rotate(walker: Walker) -> None:
    await walker.click(Setup.TO_SITES)
    await walker.click(Setup.SITE_ROW, code=CODE)
    await walker.click(Setup.TO_KEYS, code=CODE)
    await walker.see(Setup.ROTATE)
    file = await walker.download(Setup.ROTATE)
    [row] = csv.DictReader(StringIO((await file.path()).read_text()))
    assert row["uid"] == UID, row["uid"]
    walker.notes["key"] = row["credential"]


async def take_album(walker: Walker) -> None:
    """More pictures: dark, and in Japanese on a phone, which no page may be wider than."""
    page = walker.page
    await page.goto(f"{walker.demo.url}/me/")
    await page.locator("button[name=language]").first.click()
    for scheme, size in (("dark", DESKTOP), ("light", PHONE)):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(size)
        for name, path in ALBUM.items():
            await page.goto(walker.demo.url + path)
            await walker.picture(f"{name}-ja-{scheme}-{size['width']}")
            too_wide = await page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth")
            assert not too_wide, f"{path} is wider than {size['width']} pixels"


def _installation(walker: Walker) -> Installation:
    assert walker.installation is not None
    return walker.installation


def _machine(walker: Walker, name: str) -> Machine:
    at = _installation(walker)
    return at.machines.setdefault(name, Machine(name, at=at))


async def _manage(walker: Walker) -> None:
    await walker.click(Setup.TO_TERMINALS)
    await walker.click(Setup.TERMINAL_ROW, uid=UID)
    await walker.click(Setup.MANAGE, uid=UID)


async def _upload(walker: Walker, rows: list[list[str]], *, mistakes: bool) -> None:
    if mistakes:
        rows[20][1] = "SJX"  # no site
        rows[77][2] = "kiosque"  # no kind
        rows[150][0] = rows[149][0]  # twice
    file = _installation(walker).folder / f"terminals{'' if mistakes else '-corrected'}.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([["uid", "site", "kind", "label"], *rows])
    await walker.upload(Setup.FILE, file)
    await walker.click(Setup.CHECK_FILE)


def _rows() -> list[list[str]]:
    """Fifty terminals of each kind; the first kiosk is there already."""
    each = TERMINALS // len(KINDS)
    return [
        [f"SJK-{short}-{number:02}", CODE, kind, f"Lobby {number}"]
        for short, kind in KINDS.items()
        for number in range(2, each + 2)
    ]


def _code(secret: str) -> str:
    """What an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // TOTP_STEP_S), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


STEPS = (
    sign_in,
    add_factor,
    create_site,
    set_hours,
    set_contacts,
    create_terminal,
    connect,
    notify,
    import_with_mistakes,
    import_corrected,
    make_group,
    replace,
    see_replaced,
    retire,
    bring_back,
    rotate,
    take_album,
)
