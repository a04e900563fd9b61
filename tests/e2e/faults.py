"""Errors in a page."""

from playwright.async_api import BrowserContext, ConsoleMessage

WAIT_MS = 30_000


def watch(context: BrowserContext, faults: list[str]) -> None:
    def console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def thrown(error: object) -> None:
        faults.append(str(getattr(error, "error", error)))

    context.set_default_timeout(WAIT_MS)
    context.on("console", console)
    context.on("weberror", thrown)
