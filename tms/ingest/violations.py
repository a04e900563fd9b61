class Strikes:
    """Counts what a link may not do: `most` within one minute are too many.

    A list, for nearly every link has none: an empty one takes 56 bytes, a deque 760.
    """

    __slots__ = ("_at", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._at: list[float] = []

    def add(self, at: float) -> bool:
        """Whether the one at `at` (`time.monotonic()`) is one too many."""
        self._at = [*(earlier for earlier in self._at if at - earlier < 60), at]
        return len(self._at) >= self._most
