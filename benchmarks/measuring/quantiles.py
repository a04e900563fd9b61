"""Quantiles of measured values."""

from collections.abc import Collection


def quantile(values: Collection[float], share: float) -> float:
    """The value below which `share` of `values` are: one of them, not interpolated. NaN for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def in_ms(name: str, seconds: Collection[float], *, worst: bool = False) -> dict[str, float]:
    found = {f"{name} p50 ms": quantile(seconds, 0.5) * 1e3, f"{name} p99 ms": quantile(seconds, 0.99) * 1e3}
    return found | ({f"{name} max ms": max(seconds, default=float("nan")) * 1e3} if worst else {})
