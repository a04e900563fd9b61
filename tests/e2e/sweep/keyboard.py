"""Tab from one end of a page, or of its open dialog, to the other."""

from collections.abc import Sequence
from typing import NamedTuple

from playwright.async_api import Page

MOST_TABS = 500


class Walk(NamedTuple):
    reached: int
    problems: list[str]


async def walk(page: Page) -> Walk:
    """Walk from the beginning of the page."""
    await page.evaluate("() => sweep.begin()")
    return await _walk(page, await page.evaluate("() => sweep.controls()"), ends=1)


async def walk_dialog(page: Page) -> Walk:
    """Walk from the control that has the focus, once around. After the last control, the browser has its turn, and
    what scrolls.
    """
    return await _walk(page, await page.evaluate("() => sweep.controls()"), ends=3)


async def _walk(page: Page, controls: Sequence[Sequence[int]], *, ends: int) -> Walk:
    """`controls` are the keys of the controls that must be reached; one of each group suffices."""
    first = await page.evaluate("() => sweep.step()")
    reached: list[int] = []
    problems: list[str] = []
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        at = await page.evaluate("() => sweep.step()")
        problems += [f"the focus does not show: {name}" for name in at["unseen"]]
        if at["key"] is None:
            ends -= 1
            if not ends:
                break
        elif at["key"] not in reached:
            reached.append(at["key"])
            problems += at["problems"]
        if at["key"] is not None and at["key"] == first["key"]:
            break
    else:
        problems.append(f"no end after {MOST_TABS} times Tab")
    missed = [group for group in controls if not set(group) & {*reached, first["key"]}]
    names = await page.evaluate("(missed) => sweep.names(missed)", missed) if missed else []
    return Walk(len(reached), problems + [f"not reached with Tab: {name}" for name in names])
