"""Rows that the tests of a module share: created once, and rolled back after the last of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def shared_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around the tests of a module, each of which has a savepoint in it.

    For a fixture of the scope "module" that depends on `django_db_setup`. No test of the module may have real
    transactions, since those empty the tables.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
