"""Many clients at once who ask a pool while its servers die: what became of each request,
read from the bytes that came. A request without a whole answer counts as `none`."""

import asyncio
from collections import Counter

from .patience import PATIENCE

NONE = "none"


class Storm:
    """So many requests from so many clients; each `post_every`th is a POST."""

    def __init__(self, port, requests, clients, target="/home", post_every=5):
        self.port = port
        self.left = requests
        self.clients = clients
        self.target = target
        self.post_every = post_every
        self.outcomes = Counter()       # (method, status) or (method, NONE)
        self.bodies = Counter()         # of good answers to GET
        self.ended = False

    def run(self):
        """Until all are answered, or are not."""
        try:
            asyncio.run(self.everybody())
        finally:
            self.ended = True
        return self

    async def everybody(self):
        await asyncio.gather(*(self.client() for _ in range(self.clients)))

    async def client(self):
        streams = None
        while self.left > 0:
            self.left -= 1
            method = "POST" if self.left % self.post_every == 0 else "GET"
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", self.port)
                status, body, stays = await asyncio.wait_for(
                    self.exchange(method, *streams), 6 * PATIENCE)
            except (OSError, EOFError, ValueError, asyncio.TimeoutError):
                status, body, stays = NONE, b"", False
            self.outcomes[method, status] += 1
            if (method, status) == ("GET", 200):
                self.bodies[body] += 1
            if not stays and streams:
                streams[1].close()
                streams = None
        if streams:
            streams[1].close()

    async def exchange(self, method, reader, writer):
        target, body = (self.target, "") if method == "GET" else (
            self.target.replace("/home", "/echo"), "said")
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: test\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        if lines.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = await reader.readexactly(int(lines["content-length"]))
        return status, body, lines.get("connection") != "close"

    def count(self, method, *statuses):
        return sum(self.outcomes[method, status] for status in statuses)

    def total(self, method):
        return sum(n for (one, _), n in self.outcomes.items() if one == method)
