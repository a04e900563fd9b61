import asyncio
from urllib.parse import urlsplit

from tests.faults.network.route import Route


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def test_what_is_sent_into_a_cut_route_arrives_once_it_is_repaired() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Route(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws/terminal/") as route:
        address = urlsplit(route.link)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"before")
        before = await reader.read(100)
        route.cut()
        writer.write(b"meanwhile")
        answer = asyncio.create_task(reader.read(100))
        _, waiting = await asyncio.wait([answer], timeout=0.05)
        route.repair()

        assert (before, waiting, await answer) == (b"before", {answer}, b"meanwhile")
        assert address.path == "/ws/terminal/"
        writer.close()
