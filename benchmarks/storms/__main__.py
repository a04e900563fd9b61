"""`python -m benchmarks.storms`: the first half minute of outages, filmed on the boards of a demo.

One site, six sites at once, and five sites with a sixth 13 s later lose their lines. Prints for each second how many
rows entered and left the lists, and the number in the badge; stores pictures of 1, 3, 10 and 30 s after the first row
about the sites. Starts a demo for each. A demo has other problems too, so only rows about the sites are judged.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.async_api import Page, async_playwright

from benchmarks.journeys.demo import COLLEAGUE, PASSWORD, USERNAME, demo
from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.output.report import table
from benchmarks.running.progress import say
from benchmarks.storms.film import Film

PICTURES = Path("artefacts/storms")
FILMED_S = 30
SETTLE_S = 45
"""The time until all terminals of a new demo are connected."""
DEADLINE_S = 150
"""The time until the first alert opens after a cut."""
PAUSE_S = 13
SITES = ("UMD", "SJK", "SPR", "NGY", "HKT", "SDJ")
"""The sites that are cut; Haneda is lost when a demo starts."""
type Cuts = Sequence[Sequence[str]]
"""Sites that are cut together; the next ones 13 s later."""
STORMS: Mapping[str, Cuts] = {
    "one": [SITES[:1]],
    "six": [SITES],
    "five-and-one": [SITES[:5], SITES[5:]],
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storms", description=__doc__)
    parser.add_argument("--storms", nargs="+", choices=STORMS, default=list(STORMS))
    parser.add_argument("--terminals", type=int, default=200)
    parser.add_argument("--pictures", type=Path, default=PICTURES, help=f"folder, {PICTURES} by default")
    options = parser.parse_args(arguments)
    options.pictures.mkdir(parents=True, exist_ok=True)
    for name in options.storms:
        with demo(None, terminals=options.terminals) as running:
            say(f"{name}, {options.terminals} terminals")
            asyncio.run(_film(running.url, name, options.pictures, f"{name}-{options.terminals}"))


async def _film(url: str, name: str, pictures: Path, prefix: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        viewer = await browser.new_context(viewport={"width": 1440, "height": 900})
        breaker = await browser.new_context()
        saboteur = await _signed_in(await breaker.new_page(), url, COLLEAGUE)
        await _signed_in(await viewer.new_page(), url, USERNAME)
        films = [await Film.open(await viewer.new_page(), url + path) for path in ("/", "/alerts/")]
        await asyncio.sleep(SETTLE_S)
        for film in films:
            await film.start()
        for number, sites in enumerate(STORMS[name]):
            if number:
                await asyncio.sleep(PAUSE_S)
            for site in sites:
                await _cut(saboteur, url, site)
        await _watch(films, pictures, prefix)
        for film in films:
            print(f"\n{prefix}, {film.path}\n\n{table(film.COLUMNS, film.seconds())}\n{film.summary()}")
        await browser.close()


async def _watch(films: Sequence[Film], pictures: Path, prefix: str) -> None:
    began = time.monotonic()
    while not any([await film.has_begun() for film in films]):
        if time.monotonic() - began > DEADLINE_S:
            raise TimeoutError(f"no row about the sites within {DEADLINE_S} s after their lines were cut")
        await asyncio.sleep(0.2)
    risen = time.monotonic()
    for second in (1, 3, 10, FILMED_S):
        await asyncio.sleep(max(0, risen + second - time.monotonic()))
        for film in films:
            await film.picture(pictures / f"{prefix}-{film.name}-{second:02}s.png")
    for film in films:
        await film.stop()


async def _signed_in(page: Page, url: str, person: str) -> Page:
    await page.goto(url)
    await page.locator("input[name=username]").fill(person)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/")
    return page


async def _cut(page: Page, url: str, site: str) -> None:
    await page.goto(f"{url}/demo/")
    form = page.locator("form", has=page.locator("input[name=fault][value=cut-site]"))
    await form.locator("input[name=target]").fill(site)
    async with page.expect_navigation():
        await form.locator("button").click()


if __name__ == "__main__":
    main()
