"""The bare limit of event streams: an asyncio server that writes blocks to open connections and does nothing else.

Prints its port, takes connections until the wanted number is there, writes at a steady rate to a few of them at a
time, and prints the CPU in microseconds for each block.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time


async def main(streams: int, size: int, receivers: int, rate: float, seconds: float) -> None:
    """Serve, write, report."""
    writers: list[asyncio.StreamWriter] = []
    full = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if len(writers) == streams:
            full.set()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await full.wait()
    block = b"x" * size
    before, written = time.process_time(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for writer in random.sample(writers, receivers):
            writer.write(block)
            written += 1
        await asyncio.sleep(1 / rate)
    print(round((time.process_time() - before) / written * 1e6), flush=True)


if __name__ == "__main__":
    numbers = [float(value) for value in sys.argv[1:]]
    asyncio.run(main(int(numbers[0]), int(numbers[1]), int(numbers[2]), numbers[3], numbers[4]))
