"""The checks of a page, in one language and size."""

from playwright.async_api import Page

from tests.e2e.axe import EVERY, barriers
from tests.e2e.seeded_tms import VIEWPORTS
from tests.e2e.sweep.findings import Findings, Variant
from tests.e2e.sweep.keyboard import walk

ZOOMED = {"width": 720, "height": 450}
"""A window of 1440 × 900 at 200 %."""
NARROW = {"width": 320, "height": 640}
"""A window of 1280 × 2560 at 400 %: content must not need scrolling in two dimensions (WCAG 1.4.10)."""
LEAST_SHARE = 0.85
STRICT = """{
  resultTypes: ['violations'],
  preload: false,
  rules: { 'target-size': { enabled: true }, 'label-content-name-mismatch': { enabled: true } },
}"""
COLOURS = "{ resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block'] }"
TELEVISION = ("wall", "pairing")
"""Sized for the picture of a television, so a zoom changes nothing; boards show the same."""


async def check_page(done: Findings, page: Page, variant: Variant, name: str) -> None:
    """Motion is reduced. Rules other than those of colours do not depend on the theme."""
    await check_barriers(done, page, variant, name, of="pages")
    done.add(variant, name, "fits", await page.evaluate("() => sweep.overflow()"))
    if variant.size == "phone":
        done.add(variant, name, "touch targets", await page.evaluate("() => sweep.smallTargets()"))
    else:
        done.add(variant, name, "motion", await page.evaluate("() => sweep.motion()"))
        done.add(variant, name, "pointer only", await page.evaluate("() => sweep.pointerOnly()"))
        await _zoom(done, page, variant, name)
    if variant.language == "en":
        done.add(variant, name, "language", await page.evaluate("() => sweep.unmarkedJapanese()"))
    walked = await walk(page)
    done.add(variant, name, "keyboard", walked.problems)
    done.count(variant, "controls", walked.reached)


async def check_barriers(
    done: Findings, page: Page, variant: Variant, name: str, *, of: str, within: str = "html"
) -> None:
    """Axe in both themes."""
    for theme, options in (("light", STRICT), ("dark", COLOURS)):
        await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found = await barriers(page, f"() => axe.run({within!r}, {options})", impacts=EVERY)
        done.add(variant._replace(theme=theme), name, "axe", found, of=of)
    await page.emulate_media(color_scheme="light")


async def check_reflow(done: Findings, page: Page, variant: Variant, name: str) -> None:
    """Check the page at 200 and 400 %."""
    for check, size in (("zoom 200 %", ZOOMED), ("zoom 400 %", NARROW)):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        done.add(variant, name, check, await page.evaluate("() => sweep.overflow()"))
    await page.set_viewport_size(VIEWPORTS[variant.size])  # type: ignore[arg-type]


async def _zoom(done: Findings, page: Page, variant: Variant, name: str) -> None:
    if name in TELEVISION:
        return
    await page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
    share = await page.evaluate("() => sweep.visibleShare()")
    done.add(variant, name, "zoom 200 %", [f"the content keeps {share:.0%}"] if share < LEAST_SHARE else [])
    await check_reflow(done, page, variant, name)
