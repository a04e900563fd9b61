"""Parents of terminals: the router or gateway that a terminal is connected via. Never circular."""

from tms.fleet.models import Terminal


class Cycle(Exception):
    """A terminal cannot be connected via itself, nor via one that is connected via it."""

    code = "tms:circle"


def check_no_cycle(terminal_id: int | None, parent_id: int | None) -> None:
    """Follow `parent_id` upwards and lock the rows, so that concurrent edits cannot make a cycle either.

    Call it in a transaction. Raises Cycle if it leads to the terminal itself.
    """
    passed: set[int] = set()
    while parent_id is not None and parent_id not in passed:
        if parent_id == terminal_id:
            raise Cycle(f"terminal {terminal_id} would be linked through itself")
        passed.add(parent_id)
        way = Terminal.objects.select_for_update(no_key=True).filter(pk=parent_id)
        parent_id = way.values_list("parent", flat=True).first()
