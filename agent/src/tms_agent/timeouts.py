"""`asyncio.timeout`, also for Python 3.10. Raises the built-in TimeoutError."""

import sys

if sys.version_info >= (3, 11):
    from asyncio import Timeout, timeout
else:
    from tms_agent.timeouts_of_3_10 import Timeout, timeout

__all__ = ["Timeout", "timeout"]
