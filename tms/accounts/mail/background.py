"""Work that a page does not wait for: the mail server may take ten seconds."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

WAITING = 100
"""Mails that wait for the mail server; further ones are dropped."""


def run(work: Callable[[], None]) -> None:
    """Run `work` in the thread of mails, unless too many wait."""
    if slots().acquire(blocking=False):
        thread().submit(_run_guarded, work).add_done_callback(lambda _: slots().release())
    else:
        log.warning("account_mail_dropped", waiting=WAITING)


def _run_guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("account_mail_failed")
    finally:
        with contextlib.suppress(Exception):
            connection.close()


@cache
def thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "account-mail")


@cache
def slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(WAITING)
