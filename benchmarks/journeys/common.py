"""Steps of several journeys."""

from benchmarks.journeys.demo import COLLEAGUE, PASSWORD, USERNAME
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import Act, Step, Walker


def signing_in(person: str, title: str) -> Step:
    async def act(walker: Walker) -> None:
        await walker.open("/")
        await walker.see_cursor(Element.USERNAME)
        await walker.press("Control+a")  # the page of a demo already has an account
        await walker.type(person)
        await walker.press("Tab")
        await walker.type(PASSWORD)
        await walker.press("Enter")
        await walker.see(Element.OVERVIEW)

    return Step(title, act)


def becoming(person: str) -> Act:
    """The next steps are those of `person`, who has left the tour of the demo before."""

    async def act(walker: Walker) -> None:
        await walker.become(person)
        await walker.end_tour()

    return act


async def without_tour(walker: Walker) -> None:
    await walker.end_tour()


sign_in = signing_in(USERNAME, "Sign in")
colleague_signs_in = signing_in(COLLEAGUE, "The colleague signs in")
