from tms.server.timer_wheel import Wheel


class Item:
    """Notes the times at which it was called; due again at `again`, once."""

    def __init__(self, again: float | None = None) -> None:
        self.called: list[float] = []
        self.again = again

    def due(self, now: float) -> float | None:
        self.called.append(now)
        again, self.again = self.again, None
        return again


class Broken(Item):
    def due(self, now: float) -> float | None:
        raise RuntimeError("boom")


def test_an_item_is_due_in_its_slot_and_only_once():
    wheel, item = Wheel(100.0), Item()
    wheel.watch(item, 101.0)

    for now in (100.9, 101.0, 200.0):
        wheel.turn(now)

    assert item.called == [101.0]


def test_a_late_turn_skips_no_item():
    wheel, items = Wheel(0.0), [Item() for _ in range(5)]
    for second, item in enumerate(items):
        wheel.watch(item, float(second))

    wheel.turn(60.0)

    assert [item.called for item in items] == [[60.0]] * 5


def test_an_item_with_a_past_time_is_due_at_the_next_turn():
    wheel, item = Wheel(100.0), Item()

    wheel.watch(item, 5.0)
    wheel.turn(100.1)

    assert item.called == [100.1]


def test_an_item_is_called_again_at_the_time_that_it_returns():
    wheel, item = Wheel(0.0), Item(again=2.0)
    wheel.watch(item, 1.0)

    for now in (1.0, 1.9, 2.0, 3.0):
        wheel.turn(now)

    assert item.called == [1.0, 2.0]


def test_an_item_that_fails_does_not_stop_the_others(caplog):
    wheel, broken, item = Wheel(0.0), Broken(), Item()
    wheel.watch(broken, 1.0)
    wheel.watch(item, 1.0)

    wheel.turn(1.0)

    assert item.called == [1.0]
    assert "boom" in caplog.text


def test_the_wheel_holds_only_weak_references():
    wheel, called = Wheel(0.0), []
    item = Item()
    item.called = called
    wheel.watch(item, 1.0)

    del item
    wheel.turn(1.0)

    assert called == []
