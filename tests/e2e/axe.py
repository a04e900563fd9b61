"""Accessibility violations, found by axe."""

from playwright.async_api import Page

from tests.support.servers.tms import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def search(within: str = "html", options: str = "") -> str:
    """A search in an element; later rows of a list are like the first ones."""
    where = f"{{ include: [['{within}']], exclude: [['[data-row]:nth-child(n + 21)']] }}"
    return (
        f"() => axe.run({where}, {{ resultTypes: ['violations'], reporter: 'no-passes', preload: false, {options} }})"
    )


ALL_RULES = search()
COLOUR_RULES = search(options="runOnly: ['color-contrast', 'link-in-text-block']")
GRAVE = ("serious", "critical")
EVERY = ("minor", "moderate", *GRAVE)


async def barriers(page: Page, search: str = ALL_RULES, *, impacts: tuple[str, ...] = GRAVE) -> list[str]:
    """Violations of these impacts. Axe is injected through the debugger, because of the content policy."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text())
    found = (await page.evaluate(search))["violations"]
    return [
        f"{violation['id']} {[node['html'][:160] for node in violation['nodes']][:5]}"
        for violation in found
        if violation["impact"] in impacts
    ]
