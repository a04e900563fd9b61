import threading

import pytest

from tms.replay.slots import Busy, ReplaySlots


def test_a_step_waits_for_a_slot_and_gives_up_when_none_becomes_free():
    slots = ReplaySlots(at_once=1, patience_s=0)

    with slots.page(), pytest.raises(Busy), slots.step(person=1):
        pass

    with slots.step(person=1):
        pass


def test_of_one_person_only_the_newest_step_waits():
    slots = ReplaySlots(at_once=1, patience_s=60)
    done: list[str] = []

    def step(name: str, *, person: int) -> threading.Thread:
        def run() -> None:
            try:
                with slots.step(person):
                    done.append(name)
            except Busy:
                done.append(f"{name} gave up")

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with slots.page():
        first = step("first", person=1)
        while slots.waiting < 1:
            pass
        others = [step("second", person=1), step("other person", person=2)]
        first.join()
        assert done == ["first gave up"]
    for thread in others:
        thread.join()

    assert sorted(done) == ["first gave up", "other person", "second"]
