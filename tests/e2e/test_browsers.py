"""Notifications in browsers in a real browser.

The headless Chromium of the tests has neither a push service nor notifications of the system. So the real worker runs,
its events have the shape of the browser's, and the list of notifications is kept in the worker. The subscription itself
is not tested here.
"""

import json
from typing import Any

from playwright.async_api import Page, Worker, expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS

MESSAGE: dict[str, Any] = {
    "uid": "u-1",
    "tag": "alert-7",
    "title": "Critical: Shinjuku: CPU too hot",
    "path": "/alerts/",
    "open": "Open",
    "acknowledge": {"path": "/act/nothing/", "label": "Acknowledge", "failed": "Not acknowledged"},
}
NOTIFICATIONS = """() => {
    const shown = new Map();
    self.sounds = 0;
    self.registration.getNotifications = async ({tag} = {}) =>
        [...shown.values()].filter((one) => tag === undefined || one.tag === tag);
    self.registration.showNotification = async (title, options) => {
        self.sounds += options.renotify ? 1 : 0;
        shown.set(options.tag, {title, ...options, close: () => shown.delete(options.tag)});
    };
}"""
DISPATCH = """async ({type, text, action}) => {
    const work = [];
    const [notification] = await self.registration.getNotifications();
    const data = {json: () => JSON.parse(text)};
    const waitUntil = (one) => work.push(one);
    self.dispatchEvent(Object.assign(new Event(type), {data, notification, action, waitUntil}));
    await Promise.all(work);
    const found = await self.registration.getNotifications();
    return found.map(({title, tag, actions}) => ({title, tag, actions: actions.map(({title}) => title)}));
}"""


SILENT_PUSH_SERVICE = """if (isSecureContext) {
    Object.defineProperty(Notification, "permission", {get: () => "granted"});
    const never = () => new Promise(() => {});
    const pushManager = {getSubscription: async () => ({endpoint: "https://push.example/1", unsubscribe: never})};
    ServiceWorkerContainer.prototype.getRegistration = async () => ({pushManager});
}"""


async def worker_of(page: Page) -> Worker:
    async with page.context.expect_event("serviceworker") as started:
        await page.evaluate("navigator.serviceWorker.register('/worker.js', {scope: '/'}).then(() => null)")
    worker: Worker = await started.value
    await worker.evaluate(NOTIFICATIONS)
    return worker


async def push(worker: Worker, text: str) -> Any:
    """Deliver a message; returns what is shown then."""
    return await worker.evaluate(DISPATCH, {"type": "push", "text": text})


async def test_the_worker_shows_each_message_once_and_acknowledges(tms: SeededTMS, person: Enter):
    worker = await worker_of(await (await person("tanaka")).open("/help/"))

    [first] = await push(worker, json.dumps(MESSAGE))
    await push(worker, json.dumps(MESSAGE))  # delivered twice
    sounds = await worker.evaluate("self.sounds")
    [result] = await worker.evaluate(DISPATCH, {"type": "notificationclick", "action": "acknowledge"})
    after = await push(worker, json.dumps({**MESSAGE, "uid": "u-2", "title": "Resolved", "isSilent": True}))
    broken = await push(worker, "not json")

    assert (first["title"], first["tag"]) == (MESSAGE["title"], "alert-7")
    assert first["actions"] == ["Acknowledge", "Open"]
    assert sounds == 1
    assert (result["title"], result["actions"]) == ("This link is not valid", ["Open"])
    assert [each["title"] for each in after] == ["Resolved"]
    assert [each["title"] for each in broken] == ["Resolved", "TMS"]


async def test_the_panel_says_that_the_browser_blocks_notifications(tms: SeededTMS, person: Enter):
    """This browser always blocks notifications."""
    page = await (await person("tanaka")).open("/me/")

    await expect(page.locator("#browsers")).to_have_attribute("data-state", "denied")
    await expect(page.get_by_text("This browser blocks notifications of TMS")).to_be_visible()
    await expect(page.get_by_role("button", name="Add this browser")).to_be_hidden()


async def test_signing_out_does_not_wait_for_a_push_service_that_does_not_answer(tms: SeededTMS, person: Enter):
    tms.signed_in.pop("tanaka", None)  # this session ends, so no other test may have it
    tanaka = await person("tanaka")
    del tms.signed_in["tanaka"]
    await tanaka.context.add_init_script(SILENT_PUSH_SERVICE)
    page = await tanaka.open("/help/")

    await page.locator("form[action$='/sign-out/']").first.evaluate("form => form.requestSubmit()")

    await expect(page.locator("input[name=password]")).to_be_visible()
