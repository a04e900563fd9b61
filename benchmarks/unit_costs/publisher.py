"""`python -m benchmarks.unit_costs.publisher NUMBER`: publishes readings at a steady rate, as many nodes would."""

import asyncio
import sys
import time

import django

from benchmarks.unit_costs.plan import UnitPlan


async def publish(plan: UnitPlan) -> None:
    from channels.layers import get_channel_layer

    from benchmarks.unit_costs.feed import message
    from tms.feed.change import pack
    from tms.feed.publisher import GROUP

    layer, began = get_channel_layer(), time.monotonic()
    for number in range(1, plan.messages + 1):
        await asyncio.sleep(max(0.0, began + number / plan.messages_per_s - time.monotonic()))
        await layer.group_send(GROUP, {"type": "feed", "message": pack(message(plan, number))})
    await layer.flush()


if __name__ == "__main__":
    django.setup()
    asyncio.run(publish(UnitPlan(messages=int(sys.argv[1]))))
