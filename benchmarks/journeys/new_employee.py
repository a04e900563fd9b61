"""A new employee: invited by a lead as an operator of a site, until the first acknowledgement."""

import secrets

from benchmarks.journeys import faults
from benchmarks.journeys.common import becoming, sign_in, without_tour
from benchmarks.journeys.demo import SITE
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import Walker, step

FAMILY_NAME, GIVEN_NAME, NAME, PASSWORD = "Kondo", "Ai", "A. Kondo", "blue-kettle-rain"


@step("Invite them by address, as an operator of a site")
async def invite(walker: Walker) -> None:
    await walker.click(Element.TO_PEOPLE)
    await walker.click(Element.INVITED_ADDRESS)
    await walker.type(f"kondo-{secrets.token_hex(2)}@noc.example")
    await walker.choose(Element.ROLE, label="Operator")
    await walker.choose(Element.SCOPE, label=SITE)
    await walker.click(Element.INVITE)
    await walker.see(Element.INVITATION)
    walker.notes["link"] = await walker.at(Element.INVITATION).input_value()


@step("The employee opens the link of the invitation")
async def open_link(walker: Walker) -> None:
    await walker.open(walker.notes["link"])
    await walker.see_cursor(Element.FAMILY_NAME)


@step("Set a name and a password")
async def start(walker: Walker) -> None:
    for text in (FAMILY_NAME, GIVEN_NAME, PASSWORD):
        await walker.type(text)
        await walker.press("Tab")
    await walker.type(PASSWORD)
    await walker.press("Enter")
    await walker.see(Element.MY_NAME, person=NAME)


@step("See the first alert")
async def see_alert(walker: Walker) -> None:
    await walker.see(Element.ACKNOWLEDGE_ROW, uid=walker.notes["uid"])


@step("Acknowledge it, with a comment")
async def acknowledge(walker: Walker) -> None:
    await walker.click(Element.ACKNOWLEDGE_ROW, uid=walker.notes["uid"])
    await walker.see_cursor(Element.DIALOG_COMMENT)
    await walker.type("Calling the shop")
    await walker.click(Element.DIALOG_SUBMIT)
    await walker.see(Element.ROW_ACKNOWLEDGED, uid=walker.notes["uid"])


STEPS = (
    faults.line_is_up,
    without_tour,
    sign_in,
    invite,
    becoming("employee"),
    open_link,
    start,
    faults.jam_reader,
    see_alert,
    acknowledge,
    faults.undo,
)
