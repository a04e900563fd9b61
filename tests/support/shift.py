"""People who have a board open."""

from tms.accounts.models import User
from tms.accounts.scope import EVERYTHING
from tms.boards.overview import on_shift
from tms.boards.overview.on_shift import OpenBoard


def open_boards(*people: User) -> None:
    on_shift.report({person.pk: OpenBoard("alerts", EVERYTHING) for person in people}, [])
