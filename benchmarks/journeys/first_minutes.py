"""A person who has never seen TMS starts the demo, understands a first alert, and breaks something."""

from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import StepResult, Walker, step

COMMAND = "make run\n"


async def start(walker: Walker) -> None:
    if walker.demo.started_s is not None:
        title = "`make run`, until TMS is ready"
        walker.results.append(StepResult(title, keys=len(COMMAND), seconds=walker.demo.started_s))


@step("Open the printed address and sign in: the page has the account")
async def sign_in(walker: Walker) -> None:
    await walker.open("/")
    await walker.see_cursor(Element.USERNAME)
    await walker.press("Enter")
    await walker.see(Element.OVERVIEW)


@step("Take the tour")
async def tour(walker: Walker) -> None:
    await walker.see(Element.TOUR_NEXT)
    while await walker.at(Element.TOUR_NEXT).is_visible():
        await walker.click(Element.TOUR_NEXT)


@step("Open the alert that nobody acknowledged")
async def open_alert(walker: Walker) -> None:
    await walker.click(Element.UNACKNOWLEDGED)
    await walker.see(Element.ACKNOWLEDGE_ALERT)


@step("Understand it: what, how often, what to do")
async def understand(walker: Walker) -> None:
    await walker.read(Element.OCCURRENCES)
    await walker.read(Element.RUNBOOK_OF_ALERT)


@step("Acknowledge it, with a comment")
async def acknowledge(walker: Walker) -> None:
    await walker.click(Element.ACKNOWLEDGE_ALERT)
    await walker.see_cursor(Element.DIALOG_COMMENT)
    await walker.type("Calling the shop")
    await walker.click(Element.DIALOG_SUBMIT)
    await walker.see(Element.ALERT_ACKNOWLEDGED)


@step("Break something: jam a card reader")
async def break_something(walker: Walker) -> None:
    await walker.click(Element.TO_BREAK)
    walker.notes["uid"] = await walker.at(Element.FAULT_TARGET, fault="jam-reader").input_value()
    await walker.click(Element.START_FAULT, fault="jam-reader")
    await walker.see(Element.UNDO_FAULT)


@step("See its alert on the overview")
async def see_alert(walker: Walker) -> None:
    await walker.press("g", "o")
    await walker.see(Element.ALERT_OF_TERMINAL, uid=walker.notes["uid"])


@step("Undo it")
async def undo(walker: Walker) -> None:
    await walker.click(Element.TO_BREAK)
    await walker.click(Element.UNDO_FAULT)
    await walker.see_gone(Element.UNDO_FAULT)


@step("See that the alert resolved itself")
async def see_recovery(walker: Walker) -> None:
    await walker.press("g", "o")
    await walker.see(Element.OVERVIEW)
    await walker.see_gone(Element.ALERT_OF_TERMINAL, uid=walker.notes["uid"])


STEPS = (
    start,
    sign_in,
    tour,
    open_alert,
    understand,
    acknowledge,
    break_something,
    see_alert,
    undo,
    see_recovery,
)
