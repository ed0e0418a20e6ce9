"""What a stand-in for a worker holds, and how it answers out of it."""

import threading

from . import kv_wire as wire
from .kv_connection import now_ms
from .kv_wire import Message


class Entries:
    """{key: (version, expires, value)}; value None: a tombstone. Several stand-ins may
    share one, as if they replicated in no time."""

    def __init__(self, pairs=()):
        self.lock = threading.Lock()
        self.held = {key: (0, 0, value) for key, value in dict(pairs).items()}

    def __getitem__(self, key):
        """The value, None where there is none."""
        entry = self.held.get(key)
        return entry[2] if entry and not past(entry) else None

    def __len__(self):
        return len(self.pairs())

    def pairs(self):
        with self.lock:
            return {key: entry[2] for key, entry in self.held.items()
                    if entry[2] is not None and not past(entry)}

    def write(self, key, version, expires, value):
        """Of two writes the one with the higher version stays; one without replaces."""
        with self.lock:
            if version and self.held.get(key, (0,))[0] > version:
                return
            self.held[key] = (version, expires, value)

    def answer(self, request):
        """What an honest worker says to STORE_REQUEST, RETRIEVE_REQUEST or OP."""
        if request.name == "STORE_REQUEST":
            self.write(request.key, 0, 0, request.value)
            return Message("STORE_RESPONSE", result=wire.FINE, id=request.id,
                           key=request.key)
        if request.name == "RETRIEVE_REQUEST":
            value = self[request.key]
            return Message("RETRIEVE_RESPONSE", id=request.id, key=request.key,
                           result=wire.NOT_FOUND if value is None else wire.FINE,
                           value=value or b"")
        result, entry = self.do(request)
        version, expires, value = entry
        return Message("REPLY", tag=request.tag, result=result, flags=0, version=version,
                       expires=expires, value=value or b"")

    def do(self, op):
        """The result of an OP, and (version, expires, value) of what it found or left."""
        none = (0, 0, b"")
        if op.verb == wire.COUNT:
            return wire.FINE, (0, 0, b"%d" % len(self))
        if op.verb == wire.STATS:
            return wire.FINE, (0, 0, b"entries %d\n" % len(self))
        there = self[op.key] is not None
        unwanted = wire.IF_ABSENT if there else wire.IF_PRESENT
        if op.flags & unwanted:
            return wire.NOT_MET, none
        if op.verb == wire.SET:
            self.write(op.key, op.version, op.expires, op.value)
            return wire.FINE, (op.version, op.expires, b"")
        if op.verb == wire.DELETE:
            self.write(op.key, op.version, 0, None)
            return wire.FINE if there else wire.NOT_FOUND, (op.version, 0, b"")
        if not there:
            return wire.NOT_FOUND, none
        if op.verb == wire.EXPIRE:
            self.write(op.key, op.version, op.expires, self[op.key])
            return wire.FINE, (op.version, op.expires, b"")
        version, expires, value = self.held[op.key]
        return wire.FINE, (version, expires, b"" if op.verb == wire.HEAD else value)


def past(entry):
    return 0 < entry[1] <= now_ms()
