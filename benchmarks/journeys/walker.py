"""A person in a browser, whose clicks and keys are counted step by step."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Browser, Download, Error, Locator, Page, expect

from benchmarks.journeys.demo import USERNAME, Demo
from benchmarks.journeys.elements import Located
from benchmarks.journeys.installation import Installation

PATIENCE_MS = 420_000
"""The longest wait is that for the site whose line is cut when a demo starts: it is back after five minutes."""
SCREEN: dict[str, Any] = {
    "viewport": {"width": 1440, "height": 900},
    "color_scheme": "dark",
    "locale": "en-GB",
    "timezone_id": "Asia/Tokyo",
}
CLICK_S, KEY_S, DECISION_S = 1.3, 0.28, 1.35
"""The time that a person takes: to point and press, for a key of an average typist, for the thought before each
step. They are those of the Keystroke-Level Model (Card, Moran and Newell 1980).
"""

type Act = Callable[["Walker"], Awaitable[None]]


class Step(NamedTuple):
    """What a person does to get one thing done; counted, timed, with a picture at its end."""

    title: str
    act: Act


def step(title: str) -> Callable[[Act], Step]:
    return lambda act: Step(title, act)


@dataclass
class StepResult:
    title: str
    clicks: int = 0
    """Choosing from a list takes two, and scrolling one."""
    keys: int = 0
    """A shortcut is one key; of a text every character counts."""
    fields: int = 0
    """The number of fields that were filled in."""
    seconds: float = 0.0
    """The time of the browser and of TMS."""

    @property
    def by_hand_s(self) -> float:
        """The duration with the time that a person takes for clicks and keys, but not for reading."""
        decision_s = DECISION_S if self.clicks or self.keys else 0.0
        return self.seconds + decision_s + self.clicks * CLICK_S + self.keys * KEY_S


@dataclass
class Walker:
    browser: Browser
    demo: Demo
    journey: str
    pictures: Path
    screen: Mapping[str, Any] = field(default_factory=lambda: SCREEN)
    installation: Installation | None = None
    """If the journey is on one of its own."""
    results: list[StepResult] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """What people remember from one step to the next."""
    stopped: str = ""
    """Why the journey ended early."""
    _pages: dict[str, Page] = field(default_factory=dict)
    _person: str = USERNAME

    async def walk(self, steps: Sequence[Step | Act]) -> None:
        """Walk a journey. What is no `Step` happens meanwhile elsewhere, and is not counted."""
        await self.become(USERNAME)
        try:
            for each in steps:
                await (self._counted(each) if isinstance(each, Step) else each(self))
        except (Error, AssertionError, TimeoutError) as error:
            self.stopped = str(error).partition("\n")[0]
            await self.picture("stopped")
        for page in self._pages.values():
            await page.context.close()

    async def _counted(self, each: Step) -> None:
        self.results.append(result := StepResult(each.title))
        began = time.monotonic()
        await each.act(self)
        result.seconds = time.monotonic() - began
        await self.picture(str(len(self.results)))

    @property
    def page(self) -> Page:
        return self._pages[self._person]

    async def become(self, person: str) -> None:
        """Go on as this person."""
        await self.page_of(person)
        self._person = person

    async def page_of(self, person: str) -> Page:
        """The page of a person, in a browser of their own."""
        if person not in self._pages:
            context = await self.browser.new_context(**self.screen)
            context.set_default_timeout(PATIENCE_MS)
            self._pages[person] = await context.new_page()
        return self._pages[person]

    async def end_tour(self) -> None:
        """Leave the tour of the demo, as if the person had done so before."""
        await self.page.context.add_cookies([{"name": "tms_tour", "value": "over", "url": self.demo.url}])

    # What is counted

    async def open(self, address: str) -> None:
        """Open an address by a link outside of TMS, or a bookmark."""
        self.results[-1].clicks += 1
        await self.page.goto(address if "://" in address else self.demo.url + address)

    async def click(self, element: Located, **names: str) -> None:
        self.results[-1].clicks += 1
        await self.at(element, **names).click()

    async def fill(self, element: Located, text: str, **names: str) -> None:
        """Type into a field, which is empty."""
        await self.click(element, **names)
        self.results[-1].fields += 1
        await self.type(text)

    async def upload(self, element: Located, *files: Path) -> None:
        """Choose files in the dialog of the browser."""
        self.results[-1].clicks += 1 + len(files)
        self.results[-1].fields += 1
        await self.at(element).set_input_files(files)

    async def copy(self, element: Located) -> str:
        """The text that a button puts into the clipboard."""
        await self.click(element)
        await expect(self.at(element)).to_have_attribute("data-copied", "")
        return str(await self.page.evaluate("navigator.clipboard.readText()"))

    async def choose(self, element: Located, **option: Any) -> None:
        self.results[-1].clicks += 2
        self.results[-1].fields += 1
        await self.at(element).select_option(**option)

    async def download(self, element: Located, **names: str) -> Download:
        async with self.page.expect_download() as downloading:
            await self.click(element, **names)
        return await downloading.value

    async def press(self, *keys: str) -> None:
        await self.page.wait_for_load_state()  # a page listens to keys when its scripts have run
        for key in keys:
            self.results[-1].keys += 1
            await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        self.results[-1].keys += len(text)
        await self.page.keyboard.type(text)

    # What is seen

    def at(self, element: Located, **names: str) -> Locator:
        return self.page.locator(f"xpath={element.xpath(**names)}").first

    async def see(self, element: Located, *, within_ms: int = PATIENCE_MS, **names: str) -> None:
        await expect(self.at(element, **names), f"{element.name} is missing").to_be_visible(timeout=within_ms)

    async def read(self, element: Located) -> None:
        """See it, scrolled to if it is below the window."""
        await self.see(element)
        box = await self.at(element).bounding_box()
        if box and box["y"] + box["height"] > SCREEN["viewport"]["height"]:
            self.results[-1].clicks += 1
            await self.at(element).scroll_into_view_if_needed()

    async def see_gone(self, element: Located, **names: str) -> None:
        await expect(self.at(element, **names), f"{element.name} is still there").to_be_hidden(timeout=PATIENCE_MS)

    async def see_cursor(self, element: Located) -> None:
        """Text can be typed there at once."""
        await expect(self.at(element), f"{element.name} has no focus").to_be_focused(timeout=PATIENCE_MS)

    async def picture(self, name: str) -> None:
        await self.page.screenshot(path=self.pictures / f"{self.journey}-{name}.png")
