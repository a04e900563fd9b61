"""The end of a shift: one person leaves notes, the next one reads the digest and signs it off."""

from benchmarks.journeys.common import becoming, colleague_signs_in, sign_in, without_tour
from benchmarks.journeys.demo import COLLEAGUE, COLLEAGUES_NAME
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import Walker, step

NOTE = "Haneda: the carrier works on the line until 06:00."


@step("Open the shift digest")
async def open_digest(walker: Walker) -> None:
    await walker.click(Element.TO_DIGEST)
    await walker.see(Element.NOTE_FIELD)


@step("Check what is unresolved, and who is responsible")
async def check(walker: Walker) -> None:
    await walker.read(Element.STILL_OPEN)


@step("Write a note for the next shift")
async def write_note(walker: Walker) -> None:
    await walker.click(Element.NOTE_FIELD)
    await walker.type(NOTE)
    await walker.click(Element.ADD_NOTE)
    await walker.see(Element.NOTE, text=NOTE)


@step("The colleague opens the digest and reads the note")
async def read_note(walker: Walker) -> None:
    await walker.click(Element.TO_DIGEST)
    await walker.see(Element.NOTE, text=NOTE)


@step("Sign it off")
async def sign_off(walker: Walker) -> None:
    await walker.click(Element.SIGN_OFF)
    await walker.see(Element.SIGNED_OFF, person=COLLEAGUES_NAME)


@step("Download it as Markdown")
async def download(walker: Walker) -> None:
    await walker.download(Element.DIGEST_AS_MARKDOWN)


STEPS = (
    without_tour,
    sign_in,
    open_digest,
    check,
    write_note,
    becoming(COLLEAGUE),
    colleague_signs_in,
    read_note,
    sign_off,
    download,
)
