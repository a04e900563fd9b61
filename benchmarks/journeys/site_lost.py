"""02:00: the line of a site is cut while a person on shift looks at the overview."""

from benchmarks.journeys import faults
from benchmarks.journeys.common import sign_in, without_tour
from benchmarks.journeys.demo import COLLEAGUES_NAME, SITE
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import Walker, step

COMMENT = "Carrier called"
TICKET = "Carrier confirms a fault, ticket 4711, back by 04:00"


@step("See the incident on the overview")
async def see_incident(walker: Walker) -> None:
    await walker.see(Element.INCIDENT_OF_SITE, site=SITE)


@step("Open it")
async def open_incident(walker: Walker) -> None:
    await walker.click(Element.INCIDENT_OF_SITE, site=SITE)
    await walker.see(Element.FACTORS)


@step("Read what is not affected, the runbook, whom to call")
async def read(walker: Walker) -> None:
    for element in (Element.UNAFFECTED, Element.RUNBOOK_OF_INCIDENT, Element.CALL):
        await walker.read(element)


@step("Acknowledge it, with a comment")
async def acknowledge(walker: Walker) -> None:
    await walker.press("a")
    await walker.see_cursor(Element.DIALOG_COMMENT)
    await walker.type(COMMENT)
    await walker.press("Control+Enter")
    await walker.see(Element.INCIDENT_ACKNOWLEDGED, person="")


@step("Add the ticket to its history")
async def comment(walker: Walker) -> None:
    await walker.click(Element.COMMENT_FIELD)
    await walker.type(TICKET)
    await walker.press("Enter")
    await walker.see(Element.COMMENT, text=TICKET)


@step("Hand it over to a colleague")
async def assign(walker: Walker) -> None:
    await walker.click(Element.ASSIGN)
    await walker.choose(Element.ASSIGNEE, label=COLLEAGUES_NAME)
    await walker.press("Control+Enter")
    await walker.see(Element.INCIDENT_ACKNOWLEDGED, person=COLLEAGUES_NAME)


@step("See that it resolved itself")
async def see_recovery(walker: Walker) -> None:
    await walker.see(Element.INCIDENT_RESOLVED)


@step("Download the draft of the post-mortem")
async def post_mortem(walker: Walker) -> None:
    await walker.download(Element.POST_MORTEM)


STEPS = (
    faults.line_is_up,
    without_tour,
    sign_in,
    faults.cut_line,
    see_incident,
    open_incident,
    read,
    acknowledge,
    comment,
    assign,
    faults.undo,
    see_recovery,
    post_mortem,
)
