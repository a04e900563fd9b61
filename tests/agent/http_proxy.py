"""An HTTP proxy."""

import asyncio
import base64

USER, PASSWORD = "shop 7", "a/b@c:d"


class Proxy:
    """An HTTP proxy that wants a password."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if f"Basic {expected}" not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            self.targets.append(head.split()[1])
            host, _, port = self.targets[-1].rpartition(":")
            there_reader, there_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(pipe(reader, there_writer), pipe(there_reader, writer))
        finally:
            writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()
