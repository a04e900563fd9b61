"""Every dialog and menu that a control of a page opens: opened, used and closed with the keyboard."""

import re
from collections.abc import AsyncIterator

from playwright.async_api import ElementHandle, Error, Locator, Page, expect

from tests.e2e.sweep.findings import Findings, Variant
from tests.e2e.sweep.keyboard import walk_dialog
from tests.e2e.sweep.pages import check_barriers, check_reflow

SUBMITTERS = "button:not([hx-get], [hx-disable], [type=reset], [type=button], [formaction])"
OPENERS = f"[data-opens], [hx-get][hx-target='#dialog']:not(form), form[hx-target='#dialog'] {SUBMITTERS}"
MENUS = "details.menu > summary"
TICK = "[data-row] .pick input[type=checkbox]"
KIND = """(element) => {
  if (element.matches("summary")) return `menu ${element.parentElement.className}`;
  return element.dataset.opens ?? element.getAttribute("hx-get") ?? element.form?.getAttribute("hx-get") ?? "";
}"""
NUMBER = re.compile(r"\d+|\?.*")
OPENS_MS, RETURNS_MS = 10_000, 2_000
IS_BACK = """(opener) => {
  const now = document.activeElement;
  return opener.isConnected ? opener === now : now !== document.body && now.checkVisibility();
}"""


async def check_dialogs(done: Findings, page: Page, variant: Variant, name: str, known: set[str]) -> None:
    """Check the dialogs and menus of kinds that are not `known` yet."""
    async for kind, opener in _openers(page, known):
        where = f"{name}, {kind}"
        try:
            if kind.startswith("menu"):
                await _check_menu(done, page, variant, where, opener)
            else:
                await _check_dialog(done, page, variant, where, opener)
        except (AssertionError, Error) as error:
            done.add(variant, where, "opens and closes", [str(error).strip().partition("\n")[0]], of="dialogs")
            await page.reload()


async def _openers(page: Page, known: set[str]) -> AsyncIterator[tuple[str, ElementHandle]]:
    """The openers on the page as it is, then with a ticked row, then for a command that asks first."""
    async for found in _shown(page, known):
        yield found
    tick = page.locator(TICK).first
    if await tick.count() and await tick.is_visible():
        await tick.focus()
        await page.keyboard.press("Space")
        async for found in _shown(page, known):
            yield found
        if await tick.count() and await tick.is_checked():
            await tick.uncheck(force=True)
    command = page.locator("#command-name")
    if await command.count() and "reboot" not in known:
        known.add("reboot")
        await command.select_option("reboot")
        yield "reboot", await page.locator("#ask button").element_handle()


async def _shown(page: Page, known: set[str]) -> AsyncIterator[tuple[str, ElementHandle]]:
    for opener in await page.query_selector_all(f"{OPENERS}, {MENUS}"):
        kind = NUMBER.sub("", await opener.evaluate(KIND))
        if not kind or kind in known or not await opener.is_visible():
            continue
        known.add(kind)
        yield kind, opener


async def _check_dialog(done: Findings, page: Page, variant: Variant, where: str, opener: ElementHandle) -> None:
    dialog = page.locator("dialog:modal")
    await _open(page, opener, dialog)
    await check_barriers(done, page, variant, where, of="dialogs")
    done.add(variant, where, "fits", await page.evaluate("() => sweep.overflow()"), of="dialogs")
    if variant.size == "phone":
        targets = await page.evaluate("() => sweep.smallTargets()")
        done.add(variant, where, "touch targets", targets, of="dialogs")
    else:
        await check_reflow(done, page, variant, where)
    walked = await walk_dialog(page)
    done.add(variant, where, "keyboard", walked.problems, of="dialogs")
    done.count(variant, "controls", walked.reached)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    done.add(variant, where, "Esc returns the focus", await _lost_focus(page, opener), of="dialogs")
    await _open(page, opener, dialog)
    await dialog.locator("[data-close]").first.focus()
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    done.add(variant, where, "its button returns the focus", await _lost_focus(page, opener), of="dialogs")


async def _open(page: Page, opener: ElementHandle, dialog: Locator) -> None:
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_visible(timeout=OPENS_MS)
    await expect(page.locator(".htmx-request")).to_have_count(0)


async def _check_menu(done: Findings, page: Page, variant: Variant, where: str, opener: ElementHandle) -> None:
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("details.menu[open]")).to_have_count(1)
    await check_barriers(done, page, variant, where, of="menus", within="details.menu[open]")
    done.add(variant, where, "fits", await page.evaluate("() => sweep.overflow()"), of="menus")
    problems: list[str] = []
    for _ in await page.locator("details.menu[open] > div :is(a, button, input, select)").all():
        await page.keyboard.press("Tab")
        problems += (await page.evaluate("() => sweep.step()"))["problems"]
        if not await page.locator("details.menu[open]").count():
            break
    done.add(variant, where, "keyboard", problems, of="menus")
    if not await page.locator("details.menu[open]").count():
        await opener.focus()
        await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.locator("details.menu[open]")).to_have_count(0)
    done.add(variant, where, "Esc returns the focus", await _lost_focus(page, opener), of="menus")


async def _lost_focus(page: Page, opener: ElementHandle) -> list[str]:
    """Where the focus went, if not back to the opener. If its row was replaced meanwhile, any control may have it."""
    try:
        await page.wait_for_function(IS_BACK, arg=opener, timeout=RETURNS_MS)
    except Error:
        return [await page.evaluate("() => document.activeElement.outerHTML.slice(0, 120)")]
    return []
