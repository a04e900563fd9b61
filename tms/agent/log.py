"""Log lines of an agent: each names its terminal, for one process may hold thousands."""

import logging
from collections.abc import MutableMapping
from typing import Any


class Log(logging.LoggerAdapter[logging.Logger]):
    def __init__(self, uid: str) -> None:
        super().__init__(logging.getLogger("tms.agent"), {"terminal": uid})
        self._uid = uid

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        message, options = super().process(msg, kwargs)
        return f"{self._uid}: {message}", options
