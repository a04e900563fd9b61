"""Draws the curve over fleet size, for the docs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

INK, QUIET, GRID = "#1c2733", "#5b6875", "#e3e8ed"
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#8250df")
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "grid.color": GRID,
    "svg.hashsalt": "tms",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}

type Points = Sequence[Mapping[str, float | None]]


def draw(points: Points, folder: Path, *, name: str = "fleet-curve") -> None:
    """Draw the curve as SVG and as PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 4), layout="constrained")
        cost, memory, latency = figure.subplots(1, 3)
        _panel(cost, points, "CPU per terminal, µs a second", {"servers": "server µs per terminal and s"})
        _panel(
            memory,
            points,
            "Memory, GiB",
            {
                "in all": "in all GiB",
                "servers": "server GiB",
                "PostgreSQL": "PostgreSQL GiB",
                "kernel sockets": "kernel sockets GiB",
            },
        )
        _panel(
            latency,
            points,
            "Latency, ms",
            {
                "acknowledged, 99 of 100": "ack p99 ms",
                "acknowledged, median": "ack p50 ms",
                "on a board, 99 of 100": "board p99 ms",
                "on a board, median": "board p50 ms",
            },
        )
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(folder / f"{name}.png", dpi=160, metadata={"Software": None})


def _panel(axes: Axes, points: Points, title: str, lines: Mapping[str, str]) -> None:
    """One quantity over the number of terminals; `lines` are its series, by label."""
    sizes = [point["terminals"] for point in points]
    for (label, key), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(sizes, [point[key] for point in points], color=colour, marker="o", markersize=4, label=label)
    axes.set_title(title)
    axes.set_xscale("log")
    axes.set_xlabel("terminals, one report per 30 s each")
    axes.set_xticks(_apart(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number / 1000:g}k"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    if len(lines) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def _apart(sizes: Sequence[float]) -> Sequence[float]:
    """The sizes without those whose labels would overlap the previous one."""
    ticks = list(sizes[:1])
    for size in sizes[1:]:
        if size >= 1.7 * ticks[-1]:
            ticks.append(size)
    return ticks
