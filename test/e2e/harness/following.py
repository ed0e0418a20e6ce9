"""Answers of the control interface that go on: events, and the log's lines."""

import json
import os
import re
import select
import time

from .control import UnixConnection
from .patience import PATIENCE


class Stream:
    """An answer that is read line by line; a line that does not come is an error."""

    def __init__(self, path, target, **fields):
        self.connection = UnixConnection(path)
        self.connection.request("GET", target, headers=fields)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def line(self):
        """The next one, "" at the end."""
        return self.answer.readline().decode()

    def close(self):
        self.answer.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Events(Stream):
    def __init__(self, balancer, query="", **fields):
        super().__init__(balancer.socket_path, f"/v1/events{query}", **fields)
        self.ids = []
        self.beats = 0
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        """The next event as an object; None at the end."""
        while line := self.line():
            if line.startswith("id: "):
                self.ids.append(int(line[4:]))
            elif line == ":\n":
                self.beats += 1
            elif line.startswith("data: "):
                return json.loads(line[6:])
        return None

    def until(self, kind, **what):
        """Skips those before the next one of this kind about this."""
        while event := self.next():
            if event["kind"] == kind and what.items() <= event.items():
                return event
        raise AssertionError(f"no {kind} {what} before the end")

    def rest(self):
        """The kinds of all until the end."""
        kinds = []
        while event := self.next():
            kinds.append(event["kind"])
        return kinds


class Output:
    """What a running program writes on a pipe, as it comes."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.text = ""

    def until(self, pattern):
        """Waits until a line fits the regular expression; returns it."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(f"^.*(?:{pattern}).*$", self.text, re.M)):
            left = end - time.monotonic()
            assert left > 0, f"{pattern!r} is not in:\n{self.text}"
            if select.select([self.pipe], [], [], left)[0]:
                piece = os.read(self.pipe.fileno(), 65536)
                assert piece, f"{pattern!r} is not in, to the end:\n{self.text}"
                self.text += piece.decode()
        return found[0]
