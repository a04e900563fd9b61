"""`python -m tms.demo`: the simulator, a process of its own without Django."""

import argparse
import asyncio
import base64
import logging
import signal
from pathlib import Path

from tms.demo import seed_file
from tms.demo.simulator import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="tms.demo", description=__doc__)
    parser.add_argument("--url", required=True, help="ws://HOST:PORT/ws/terminal/")
    parser.add_argument("--fleet", required=True, type=Path, help="the file that the seed left")
    parser.add_argument("--terminals", type=int, default=200)
    parser.add_argument("--control", type=Path, help="Unix socket for requests to break something")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(run(options.url, options.fleet, options.terminals, options.control))


async def run(url: str, fleet: Path, terminals: int, control: Path | None) -> None:
    seeded = seed_file.read(fleet)
    simulator = Simulator(
        seeded.terminals[:terminals],
        url,
        start_conditions=seeded.start_conditions,
        control=control,
        state=fleet.with_name("devices"),
        keys={name: base64.b64decode(key) for name, key in seeded.update_keys.items()},
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, simulator.stop)
    await simulator.run()


if __name__ == "__main__":
    main()
