"""A client of the key-value protocol that says exactly what it is told to, in either
version, and believes nothing that it was not told."""

from . import kv_wire as wire
from .kv_connection import Connection, dial
from .patience import until


def put(key, value):
    return wire.Message("PUT", key=key, value=value)


def get(key):
    return wire.Message("GET", key=key)


class KvClient(Connection):
    """A connection to a client port. Of version 2 it has said HELLO (and PROOF, with a
    secret) already; PUT and GET are there in both versions."""

    def __init__(self, port, version=1, secret=None, **dialing):
        super().__init__(dial(port, **dialing))
        self.version = version
        self.tag = 0
        if version == 2:
            self.greet(wire.CLIENT, secret=secret)

    # Version 1: one question, and its answer

    def ask_put(self, key, value):
        """The response to it, which is about this key."""
        self.send(put(key, value).encode())
        response = self.next("PUT_RESPONSE")
        assert response.key == key, response
        return response

    def ask_get(self, key):
        self.send(get(key).encode())
        response = self.next("GET_RESPONSE")
        assert response.key == key, response
        return response

    def put(self, key, value):
        """Stores it; anything but success fails the test."""
        response = self.ask_put(key, value)
        assert response.result == wire.FINE, response

    def get(self, key):
        """The value; None where there is none."""
        response = self.ask_get(key)
        if response.result == wire.NOT_FOUND:
            assert response.value == b"", response
            return None
        assert response.result == wire.FINE, response
        return response.value

    def reaches(self, workers):
        """Gets a key until each of these stand-ins has been asked, so that the balancer
        counts all of them as ready; they forget it then."""
        def asked():
            self.get(b"any")
            return all(worker.requests for worker in workers)
        until(asked, "every worker is asked")
        for worker in workers:
            worker.requests.clear()

    # Version 2

    def op(self, verb, key=b"", value=b"", flags=0, expires=0):
        """The bytes of an OP under a tag of its own, which becomes self.tag."""
        self.tag += 1
        return wire.pack("OP", tag=self.tag, verb=verb, flags=flags, expires=expires,
                         key=key, value=value)

    def ask(self, verb, key=b"", value=b"", flags=0, expires=0):
        """Asks, and returns the REPLY."""
        self.send(self.op(verb, key, value, flags, expires))
        reply = self.next("REPLY")
        assert reply.tag == self.tag, reply
        return reply

    def done(self, verb, *what, **more):
        """The same; anything but success fails the test."""
        reply = self.ask(verb, *what, **more)
        assert reply.result == wire.FINE, reply
        return reply

    def count(self):
        return int(self.done(wire.COUNT).value)

    def stats(self, worker=None):
        """Of the balancer, or of the worker with this id: {name: value}."""
        key = b"" if worker is None else b"%d" % worker
        return read_stats(self.done(wire.STATS, key).value)


def read_stats(text):
    """Lines `name value`; numbers become numbers."""
    figures = {}
    for line in text.decode().splitlines():
        name, value = line.split(" ", 1)
        figures[name] = int(value) if value.isdigit() else value
    return figures
