"""Log lines of an agent. Each names its terminal, because one process may run thousands."""

import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Adapter = logging.LoggerAdapter[logging.Logger]
else:
    Adapter = logging.LoggerAdapter  # Python 3.10 has no index for it


class Log(Adapter):
    def __init__(self, uid: str) -> None:
        super().__init__(logging.getLogger("tms_agent"), {"terminal": uid})
        self._uid = uid

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        message, options = super().process(msg, kwargs)
        return f"{self._uid}: {message}", options
