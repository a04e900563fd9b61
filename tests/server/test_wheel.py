from tms.server.timer_wheel import Wheel


class Item:
    pass


def test_an_item_is_due_in_its_slot_and_only_once():
    wheel: Wheel[Item] = Wheel(100.0)
    item = Item()
    wheel.watch(item, 101.0)

    assert list(wheel.turn(100.9)) == []
    assert list(wheel.turn(101.0)) == [item]
    assert list(wheel.turn(200.0)) == []


def test_a_late_turn_skips_no_item():
    wheel: Wheel[Item] = Wheel(0.0)
    items = [Item() for _ in range(5)]
    for second, item in enumerate(items):
        wheel.watch(item, float(second))

    assert list(wheel.turn(60.0)) == items


def test_an_item_with_a_past_time_is_due_at_the_next_turn():
    wheel: Wheel[Item] = Wheel(100.0)
    item = Item()

    wheel.watch(item, 5.0)

    assert list(wheel.turn(100.1)) == [item]


def test_an_item_may_be_added_again_while_the_wheel_turns():
    wheel: Wheel[Item] = Wheel(0.0)
    item = Item()
    wheel.watch(item, 1.0)

    for due in wheel.turn(1.0):
        wheel.watch(due, 2.0)

    assert list(wheel.turn(2.0)) == [item]


def test_the_wheel_holds_only_weak_references():
    wheel: Wheel[Item] = Wheel(0.0)

    wheel.watch(Item(), 1.0)

    assert list(wheel.turn(1.0)) == []
