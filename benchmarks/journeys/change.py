"""Software signed, uploaded and rolled out; a rollout that TMS stops, and its way back; one value for a region."""

import secrets
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.journeys.change_elements import Change
from benchmarks.journeys.common import sign_in, without_tour
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import Walker, step
from tms_agent import signing

PRODUCT, VERSION, MODELS = "kiosk-firmware", "4.8.4", ("KX-20", "KX-21")
CONTENT = "{}"
"""A simulated device that behaves well."""
KEY_FILE = "demo-release.key"
EXPIRES = "2036-01-01"
UNTIL_STOPPED_MS = 1_200_000
"""The stop comes within ten minutes, if no line of a site is cut meanwhile."""
REGION, BRIGHTNESS = "Kanto", "70"


async def sign(walker: Walker) -> None:
    """`tms-sign` runs on a machine apart, with the key that the demo keeps for its visitors."""
    folder = Path(mkdtemp(prefix="tms-sign-"))
    walker.notes["version"] = f"{VERSION}.{secrets.randbelow(10_000)}"
    file = folder / f"{PRODUCT}-{walker.notes['version']}.swu"
    file.write_text(CONTENT)
    facts = {"name": PRODUCT, "version": walker.notes["version"], "format": "swu", "expires": EXPIRES}
    options = [f"--{name}={value}" for name, value in facts.items()] + [f"--model={model}" for model in MODELS]
    if signing.main(["sign", str(file), *options, "--replaces-from=4.6.0", f"--key={walker.demo.folder / KEY_FILE}"]):
        raise AssertionError("tms-sign failed")
    walker.notes["file"] = str(file)


@step("Upload the signed file, and add it once it has passed its checks")
async def upload(walker: Walker) -> None:
    file = Path(walker.notes["file"])
    await walker.click(Change.TO_ROLLOUTS)
    await walker.click(Change.TO_ARTIFACTS)
    await walker.upload(Change.FILES, file, file.with_name(f"{file.name}{signing.MANIFEST}"))
    await walker.click(Change.ADD_ARTIFACT, name=file.name)
    await walker.see(Change.ARTIFACT, name=f"{PRODUCT} {walker.notes['version']}")


@step("Preview a rollout of it, at any hour")
async def preview(walker: Walker) -> None:
    await walker.press("n")
    await walker.choose(Change.HOURS, value="any")
    await walker.see(Change.PREVIEW)


@step("Start it, until the first terminals install it")
async def start(walker: Walker) -> None:
    await walker.press("Control+Enter")
    await walker.see(Change.ROLLOUT)
    await walker.see(Change.WORKING)


@step("Roll out the firmware that leaks")
async def start_leak(walker: Walker) -> None:
    await walker.click(Element.TO_BREAK)
    await walker.click(Change.LEAK)
    await walker.see(Change.ROLLOUT)


@step("See TMS stop it, and why")
async def see_stop(walker: Walker) -> None:
    await walker.see(Change.STOPPED, within_ms=UNTIL_STOPPED_MS)
    await walker.see(Change.EFFECT)


@step("Roll it back, until the terminals have their version again")
async def roll_back(walker: Walker) -> None:
    await walker.press("b")
    await walker.see(Change.ROLLS_BACK)
    await walker.see(Change.FINISHED)


@step("Set the brightness of the screens of a region")
async def set_value(walker: Walker) -> None:
    await walker.click(Change.TO_CONFIGURATION)
    await walker.click(Change.KEY)
    await walker.choose(Change.LAYER, value="region")
    await walker.fill(Change.PLACE, REGION)
    await walker.fill(Change.VALUE, BRIGHTNESS)
    await walker.press("Enter")
    await walker.click(Change.DRAFT)
    await walker.see(Change.TITLE)


@step("Say why, and make it ready")
async def make_ready(walker: Walker) -> None:
    await walker.fill(Change.TITLE, "Darker screens")
    await walker.fill(Change.REASON, "Too bright at night")
    await walker.click(Change.MAKE_READY)
    await walker.see(Change.ROLL_OUT)


@step("Roll it out, until the first terminals get it")
async def roll_out(walker: Walker) -> None:
    await walker.click(Change.ROLL_OUT)
    await walker.see(Change.PREVIEW)
    await walker.choose(Change.HOURS, value="any")
    await walker.press("Control+Enter")
    await walker.see(Change.ROLLOUT)
    await walker.see(Change.WORKING)


STEPS = (
    without_tour,
    sign,
    sign_in,
    upload,
    preview,
    start,
    start_leak,
    see_stop,
    roll_back,
    set_value,
    make_ready,
    roll_out,
)
