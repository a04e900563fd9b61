"""What a customer gets after each month: the availability of a region, as PDF and CSV."""

import asyncio
from urllib.parse import urlencode

from benchmarks.journeys.common import sign_in, without_tour
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import PATIENCE_MS, Walker, step

REGION = "region:Kanto"


async def days_are_computed(walker: Walker) -> None:
    """Wait for the figures of the demo's week: they are computed soon after its start, and the page does not change
    by itself.
    """
    page = await walker.page_of("waiting")
    await page.context.add_cookies(await walker.page.context.cookies())
    async with asyncio.timeout(PATIENCE_MS / 1000):
        await page.goto(f"{walker.demo.url}/availability/")
        while not await page.locator(f"xpath={Element.FIGURES.xpath()}").count():
            await page.reload()


@step("Open availability: the last month that is over")
async def open_report(walker: Walker) -> None:
    await walker.click(Element.TO_AVAILABILITY)
    await walker.see(Element.FIGURES)


@step("Choose the customer's region")
async def choose_region(walker: Walker) -> None:
    await walker.choose(Element.REGION, value=REGION)
    await walker.see(Element.PDF, query=urlencode({"where": REGION}))


@step("Download the PDF")
async def download_pdf(walker: Walker) -> None:
    await walker.download(Element.PDF, query="")


@step("Download the figures as CSV")
async def download_csv(walker: Walker) -> None:
    await walker.download(Element.CSV)


@step("Open the monthly mail")
async def open_mail(walker: Walker) -> None:
    await walker.click(Element.MONTHLY_MAIL)
    await walker.see(Element.MAIL_PLANS)


STEPS = (without_tour, sign_in, days_are_computed, open_report, choose_region, download_pdf, download_csv, open_mail)
