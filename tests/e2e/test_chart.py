"""Charts of a terminal: live, and with gaps where data is missing."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.e2e.scripted_board import ScriptedBoard

SERIES = "/terminals/T-1/series/"
METRICS = json.dumps(
    {"temperature_c": {"label": "Temperature", "unit": " °C"}, "paper_pct": {"label": "Paper", "unit": "%"}}
)
PRESENCES = json.dumps({"online": "Online", "offline": "Offline"})


def series(*, end: float, **metrics: list[float | None]) -> dict[str, Any]:
    """Half an hour of readings every 10 s; a gap of two minutes that is filled late in its second half."""
    at = [end - 1800 + 10 * n for n in range(180) if not 100 <= n < 106]
    late = [1 if end - 740 <= instant < end - 680 else 0 for instant in at]
    return {
        "at": at,
        "metrics": {name: values * (len(at) // len(values)) for name, values in metrics.items()},
        "late": late,
        "presence": [
            {"from": end - 1800, "to": end - 800, "presence": "online"},
            {"from": end - 800, "to": end - 740, "presence": "offline"},
            {"from": end - 740, "to": None, "presence": "online"},
        ],
        "limits": {"temperature_c": [{"comparison": "above", "limit": 75, "severity": "warning"}]},
    }


def rollups(*, end: float, lowest: float) -> dict[str, Any]:
    """One roll-up half an hour ago, and one for each hour before."""
    at = [end - 1800 - 3600 * n for n in range(24)][::-1]
    return {
        "at": at,
        "metrics": {"temperature_c": [60.0] * 23 + [61.0]},
        "lowest": {"temperature_c": [lowest] * 24},
        "highest": {"temperature_c": [80.0] * 24},
        "step": 3600,
        "late": [0] * 24,
        "presence": [{"from": at[0], "to": None, "presence": "online"}],
        "limits": {},
    }


async def rolled_up(board: ScriptedBoard, page: Page) -> Locator:
    return await drawn(board, page, rollups(end=time.time(), lowest=40.0), span_s=86_400)


async def charted(board: ScriptedBoard, page: Page, **metrics: list[float | None]) -> Locator:
    return await drawn(board, page, series(end=time.time(), **metrics), span_s=1800)


async def drawn(board: ScriptedBoard, page: Page, result: dict[str, Any], *, span_s: int) -> Locator:
    board.answers[SERIES] = result
    board.extra = (
        f'<div id="state" data-presence="online"><div id="reading-latest" data-at="" data-values="{{}}"></div></div>'
        f"<div id='chart' data-series='{SERIES}' data-span='{span_s}'"
        f" data-metrics='{METRICS}' data-presences='{PRESENCES}'"
        ' data-text-limit="threshold {limit}" data-text-late="sent late" data-text-presence="Presence"'
        ' data-text-empty="No readings" data-text-failed="Could not be read"'
        ' data-text-summary="{metric}: {low} to {high}, now {now}"></div>'
    )
    await page.goto(board.url)
    return page.locator("#chart")


def latest(temperature: float, *, at: float | None = None) -> str:
    instant = datetime.fromtimestamp(at or time.time(), UTC).isoformat()
    values = json.dumps({"temperature_c": temperature, "paper_pct": 9})
    return f"<div id='reading-latest' data-at='{instant}' data-values='{values}'></div>"


async def test_each_metric_has_a_plot_with_a_text_description(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, paper_pct=[31.0, 30.0], temperature_c=[60.0, 88.0])

    await expect(chart.get_by_role("img")).to_have_count(3)
    await expect(chart.get_by_role("img", name="Temperature: 60 °C to 88 °C, now 88 °C")).to_be_visible()
    await expect(chart.get_by_role("img", name="Paper: 30% to 31%, now 30%")).to_be_visible()
    await expect(chart.get_by_role("img", name="Presence, Online, Offline, Online")).to_be_visible()
    await expect(chart.locator(".plot-head").first).to_have_text("88 °CTemperaturethreshold 75 °C")
    await expect(chart.locator(".plot-head").last).to_contain_text("sent late")


RECORD_LABELS = """(() => {
  const write = CanvasRenderingContext2D.prototype.fillText;
  globalThis.labels = new Map();
  CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    labels.set(this.canvas, [...(labels.get(this.canvas) ?? []), text]);
    return write.call(this, text, ...at);
  };
})()"""


async def test_the_axis_of_a_percentage_is_always_0_to_100(board: ScriptedBoard, page: Page):
    await page.add_init_script(RECORD_LABELS)
    chart = await charted(board, page, temperature_c=[60.0, 61.0], paper_pct=[31.0, 30.0])
    await pixels(chart)

    temperature, paper = await page.evaluate(
        "() => [...document.querySelectorAll('#chart canvas')].slice(0, 2).map((canvas) => labels.get(canvas))"
    )

    assert {"0", "100"} <= set(paper)
    assert not {"0", "100"} & set(temperature)


async def test_a_pushed_reading_continues_the_line(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0], paper_pct=[31.0])
    socket = await board.painted()
    await expect(chart.locator("b").first).to_have_text("60 °C")

    await socket.push(latest(91))

    await expect(chart.locator("b").first).to_have_text("91 °C")
    await expect(chart.get_by_role("img", name="Temperature: 60 °C to 91 °C, now 91 °C")).to_be_visible()


async def test_a_late_reading_does_not_become_the_newest_value(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0], paper_pct=[31.0])
    socket = await board.painted()
    await expect(chart.locator("b").first).to_have_text("60 °C")

    await socket.push(latest(20, at=time.time() - 600))
    await socket.push(latest(61))

    await expect(chart.get_by_role("img", name="Temperature: 60 °C to 61 °C, now 61 °C")).to_be_visible()


async def test_hovering_shows_the_reading_under_the_pointer_on_every_plot(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0, 70.0], paper_pct=[31.0, 30.0])
    plots = chart.locator(".u-over")

    await plots.first.hover(position={"x": 200, "y": 20})

    await expect(chart.locator(".plot-head").nth(0)).to_contain_text(":")
    await expect(chart.locator(".plot-head").nth(1)).to_contain_text(":")
    await page.mouse.move(0, 0)
    await expect(chart.locator(".plot-head").nth(0)).to_contain_text("threshold 75 °C")


async def test_dragging_zooms_every_plot_and_a_double_click_resets_the_zoom(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0], paper_pct=[31.0])
    whole = await span_of(chart, 1)

    await drag(chart.locator(".u-over").first, 100, 300)

    zoomed = await span_of(chart, 1)
    assert zoomed < 0.3 * whole
    await chart.locator(".u-over").first.dblclick(position={"x": 150, "y": 20})
    assert await span_of(chart, 1) > 0.9 * whole


async def test_the_line_has_gaps_where_readings_are_missing_and_is_dashed_where_they_were_late(
    page: Page, board: ScriptedBoard
):
    await page.goto(board.url)

    trace = await page.evaluate(
        """async () => (await import("/sources/js/chart/series.js")).traceOf({
          at: [0, 10, 20, 30, 90, 100, 110, 120], metrics: { m: [1, 2, null, 4, 5, 6, 7, 8] },
          late: [0, 0, 0, 0, 1, 1, 0, 0], presence: [], limits: {},
        }, "m")"""
    )

    assert trace == [
        [0, 10, 30, 60, 90, 100, 110, 120],
        [1, 2, 4, None, None, None, 7, 8],
        [None, None, 4, None, 5, 6, 7, None],
        [None] * 8,
        [None] * 8,
    ]


async def test_roll_ups_show_the_range_around_their_means(board: ScriptedBoard, page: Page):
    chart = await rolled_up(board, page)

    await expect(chart.get_by_role("img", name="Temperature: 40 °C to 80 °C, now 61 °C")).to_be_visible()
    await chart.locator(".u-over").first.hover(position={"x": 200, "y": 20})
    await expect(chart.locator(".plot-head").first).to_contain_text("40–80 °C")


async def test_after_roll_ups_only_the_newest_reading_is_drawn(board: ScriptedBoard, page: Page):
    await page.goto(board.url)

    trace = await page.evaluate(
        """async () => {
          const { append, traceOf } = await import("/sources/js/chart/series.js");
          const series = { at: [0, 3600], metrics: { m: [1, 2] }, lowest: { m: [0, 1] }, highest: { m: [2, 3] },
            step: 3600, late: [0, 0], presence: [], limits: {} };
          for (const at of [3700, 3730, 3760]) append(series, at, { m: at }, 0);
          return traceOf(series, "m");
        }"""
    )

    assert trace == [[0, 3600, 3760], [1, 2, 3760], [None] * 3, [0, 1, 3760], [2, 3, 3760]]


async def test_the_first_reading_of_an_hour_adds_the_roll_up_of_the_previous_one(board: ScriptedBoard, page: Page):
    chart = await rolled_up(board, page)
    socket = await board.painted()
    await expect(chart.locator("b").first).to_have_text("61 °C")
    board.answers[SERIES] = rollups(end=time.time() + 3600, lowest=30.0)

    await socket.push(latest(91, at=time.time() + 3600))

    await expect(chart.get_by_role("img", name="Temperature: 30 °C to 91 °C, now 91 °C")).to_be_visible()


async def test_colours_follow_the_theme(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0], paper_pct=[31.0])
    await expect(chart.get_by_role("img")).to_have_count(3)
    await page.evaluate("() => document.documentElement.style.setProperty('--trace', 'light-dark(red, lime)')")
    before = await pixels(chart)

    await page.evaluate("() => { document.documentElement.dataset.theme = 'light'; }")

    assert (await pixels(chart))[0] != before[0]


async def test_readings_missed_during_a_lost_link_are_loaded_again(board: ScriptedBoard, page: Page):
    chart = await charted(board, page, temperature_c=[60.0], paper_pct=[31.0])
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await expect(chart.locator("b").first).to_have_text("60 °C")
    board.answers[SERIES] = series(end=time.time(), temperature_c=[44.0], paper_pct=[31.0])

    socket.cut()
    await board.painted()

    await expect(chart.locator("b").first).to_have_text("44 °C")


async def test_missing_readings_and_a_failed_request_are_reported(board: ScriptedBoard, page: Page):
    chart = await charted(board, page)
    await expect(chart).to_have_text("No readings")

    for address in ("/static/missing.json", board.url):  # as after the end of a session, which is a page
        board.extra = board.extra.replace(SERIES, address)
        await page.reload()
        await expect(chart).to_have_text("Could not be read")
        board.extra = board.extra.replace(address, SERIES)


async def test_the_first_reading_of_a_terminal_draws_its_chart(board: ScriptedBoard, page: Page):
    chart = await charted(board, page)
    socket = await board.painted()
    await expect(chart).to_have_text("No readings")
    board.answers[SERIES] = series(end=time.time() - 10, temperature_c=[60.0], paper_pct=[31.0])

    await socket.push(latest(91))

    await expect(chart.get_by_role("img", name="Temperature: 60 °C to 91 °C, now 91 °C")).to_be_visible()


async def drag(plot: Locator, start: int, end: int) -> None:
    await plot.hover(position={"x": start, "y": 20})
    await plot.page.mouse.down()
    await plot.hover(position={"x": end, "y": 20})
    await plot.page.mouse.up()


async def span_of(chart: Locator, number: int) -> float:
    """Seconds between two positions on a plot, from its header."""
    instants = []
    for x in (20, 520):
        await chart.locator(".u-over").nth(number).hover(position={"x": x, "y": 20})
        head = chart.locator(".plot-head").nth(number).locator("span").last
        await expect(head).to_contain_text(":")
        instants.append(datetime.strptime(await head.inner_text(), "%H:%M:%S").replace(tzinfo=UTC))
    return (instants[1] - instants[0]).total_seconds() % 86_400


async def pixels(chart: Locator) -> list[str]:
    """The pixels of each plot, once it is drawn."""
    await expect(chart.locator("canvas")).to_have_count(3)
    return await chart.page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
          done([...document.querySelectorAll("#chart canvas")].map((canvas) => canvas.toDataURL())))))"""
    )
