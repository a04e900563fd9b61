"""`python -m tests.e2e.sweep`: barriers on every page and in every dialog, of a TMS with current activity.

For each language, theme and size: axe with all rules. Besides: every control is reached with Tab and shows its focus,
dialogs open with the keyboard and give the focus back, the content keeps 85 % of the height at a zoom of 200 %, and
nothing moves if the person prefers that. Takes about ten minutes; the tests in the suite look at a part of it.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

from playwright.async_api import Browser, Error, Locator, Page, async_playwright, expect

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from tests.e2e.axe import EVERY, barriers
from tests.e2e.busy_fleet import make_busy
from tests.e2e.faults import WAIT_MS
from tests.e2e.seeded_tms import VIEWPORTS, SeededTMS, live, sign_in_as

LOCALES = {"en": ("tanaka", "en-GB"), "ja": ("sato", "ja-JP")}
ZOOMED = {"width": 720, "height": 450}
"""A window of 1440 × 900 at 200 %."""
LEAST_SHARE = 0.85
MOST_TABS = 400
OPENERS = "[data-opens], [hx-get][hx-target='#dialog'], [data-row] [data-key]"
NUMBER = re.compile(r"\d+")

VISIBLE_SHARE = """() => {
  const fixed = [...document.querySelectorAll("body *")].filter((element) => {
    const { position } = getComputedStyle(element);
    return (position === "fixed" || position === "sticky") && element.checkVisibility();
  });
  scrollTo(0, 1000);
  const covered = fixed
    .map((element) => element.getBoundingClientRect())
    .filter((box) => box.width > innerWidth / 2 && box.bottom > 0 && box.top < innerHeight)
    .map((box) => Math.min(box.bottom, innerHeight) - Math.max(box.top, 0));
  scrollTo(0, 0);
  return 1 - covered.reduce((sum, height) => sum + height, 0) / innerHeight;
}"""
"""What bars leave of the height after scrolling."""
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  element.dataset.swept ??= String((window.swept = (window.swept ?? 0) + 1));
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  const near = [element, element.parentElement, element.closest("label, li, tr, summary, form")].filter(Boolean);
  const isRinged = near.some((one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
  return {
    key: element.dataset.swept,
    html: element.outerHTML.slice(0, 120),
    isShown: box.width > 0 && box.height > 0 && box.height < innerHeight,
    isRinged: isRinged || style.caretColor !== "auto" || element.matches("input, textarea, select, iframe"),
    isCovered: Boolean(top) && !element.contains(top) && !top.contains(element) && !top.closest("dialog"),
  };
}"""
MOVING = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect?.getComputedTiming().duration > 1)
  .map((one) => one.effect?.target?.outerHTML?.slice(0, 120) ?? "")"""


class Sweep:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.looked_at: dict[str, int] = {}

    def note(self, where: str, problems: Sequence[str]) -> None:
        for problem in problems:
            print(f"  {where}: {problem}", flush=True)
        self.found += [f"{where}: {problem}" for problem in problems]

    def count(self, what: str, number: int = 1) -> None:
        self.looked_at[what] = self.looked_at.get(what, 0) + number


async def sweep(names: Sequence[str], languages: Sequence[str]) -> Sweep:
    done = Sweep()
    expect.set_options(timeout=WAIT_MS)
    with tempfile.TemporaryDirectory() as folder, SeededTMS(Path(folder)) as tms:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            busy = await make_busy(tms, browser)
            pages = {name: path for name, path in busy.pages.items() if not names or name in names}
            for language in languages:
                await _sweep_language(done, browser, tms, pages, language)
            await busy.close()
            await browser.close()
    return done


async def _sweep_language(done: Sweep, browser: Browser, tms: SeededTMS, pages: dict[str, str], language: str) -> None:
    known: set[str] = set()
    async with _opened(browser, tms, language) as page:
        for name, path in pages.items():
            print(f"{language} {name}", flush=True)
            await page.set_viewport_size(VIEWPORTS["wide"])
            await page.goto(tms.url + path)
            await live(page)
            await _themes_and_sizes(done, page, f"{language} {name}")
            if language == "en":
                await _zoom(done, page, name)
                done.note(f"{name}, reduced motion", await page.evaluate(MOVING))
                await _keyboard(done, page, name)
            await _dialogs(done, page, f"{language} {name}", known)


@asynccontextmanager
async def _opened(browser: Browser, tms: SeededTMS, language: str) -> AsyncIterator[Page]:
    username, locale = LOCALES[language]
    person = await sign_in_as(browser, tms, username, locale=locale, reduced_motion="reduce")
    yield await person.context.new_page()
    await person.context.close()


async def _themes_and_sizes(done: Sweep, page: Page, where: str) -> None:
    for size, theme in _variants():
        await page.set_viewport_size(VIEWPORTS[size])
        await page.emulate_media(color_scheme=theme)
        done.note(f"{where}, {size}, {theme}", await barriers(page, impacts=EVERY))
        done.count("axe on pages")
        wide, room = await page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        done.note(f"{where}, {size}", [f"scrolls sideways: {wide} px in {room} px"] if wide > room else [])


def _variants() -> Iterator[tuple[str, str]]:
    return product(("phone", "wide"), ("light", "dark"))  # type: ignore[return-value]


async def _zoom(done: Sweep, page: Page, name: str) -> None:
    await page.set_viewport_size(ZOOMED)
    share = await page.evaluate(VISIBLE_SHARE)
    done.note(f"{name}, zoom 200 %", [f"the content keeps {share:.0%}"] if share < LEAST_SHARE else [])
    done.count("zoomed")
    await page.set_viewport_size(VIEWPORTS["wide"])


async def _keyboard(done: Sweep, page: Page, name: str) -> None:
    """Tab from the beginning to the end."""
    await page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    reached: set[str] = set()
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(FOCUSED)
        if focused is None or focused["key"] in reached:
            break
        reached.add(focused["key"])
        if not focused["isRinged"]:
            done.note(f"{name}, keyboard", [f"no visible focus: {focused['html']}"])
        if focused["isShown"] and focused["isCovered"]:
            done.note(f"{name}, keyboard", [f"the focus is covered: {focused['html']}"])
    else:
        done.note(f"{name}, keyboard", [f"no end after {MOST_TABS} controls"])
    done.count("controls reached with Tab", len(reached))


async def _dialogs(done: Sweep, page: Page, where: str, known: set[str]) -> None:
    """Opens each kind of dialog that the page leads to, with Enter, and closes it with Escape."""
    for opener in await page.locator(OPENERS).all():
        address = await opener.get_attribute("hx-get") or await opener.get_attribute("data-opens") or ""
        kind = NUMBER.sub("", address)
        if not kind or kind in known or not await opener.is_visible():
            continue
        known.add(kind)
        try:
            await _dialog(done, page, f"{where}, dialog {kind}", opener)
        except (AssertionError, Error) as error:
            done.note(f"{where}, dialog {kind}", [str(error).partition("\n")[0]])
            await page.keyboard.press("Escape")


async def _dialog(done: Sweep, page: Page, where: str, opener: Locator) -> None:
    await opener.focus()
    await page.keyboard.press("Enter")
    dialog = page.locator("dialog:modal")
    await expect(dialog).to_be_visible(timeout=5_000)
    for size, theme in _variants():
        await page.set_viewport_size(VIEWPORTS[size])
        await page.emulate_media(color_scheme=theme)
        done.note(f"{where}, {size}, {theme}", await barriers(page, impacts=EVERY))
        done.count("axe on dialogs")
    await page.set_viewport_size(VIEWPORTS["wide"])
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    is_back = await opener.evaluate("element => element === document.activeElement || !element.isConnected")
    done.note(where, [] if is_back else ["the focus does not return"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.sweep", description=__doc__)
    parser.add_argument(
        "--pages", nargs="+", default=[], metavar="NAME", help="only these; see tests/e2e/busy_fleet.py"
    )
    parser.add_argument("--languages", nargs="+", choices=LOCALES, default=list(LOCALES))
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")  # for the commands that seed
    done = asyncio.run(sweep(options.pages, options.languages))
    print("\n" + ", ".join(f"{number} {what}" for what, number in done.looked_at.items()))
    print(f"{len(done.found)} found" if done.found else "nothing found")
    sys.exit(bool(done.found))


if __name__ == "__main__":
    main()
