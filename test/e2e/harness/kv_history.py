"""What clients did to the keys of a pool, written down as they did it, and whether it can
have been so in a store that loses no acknowledged write.

Every write has a value of its own. A reply tells the version that the write got, or that
was read; so for each key:

- of two writes, one of which had been acknowledged before the other began, the later one
  has the higher version;
- a read finds no lower version than that of any write that had been acknowledged before
  the read began, and the value that was written under it;
- what is there at the end is an acknowledged write that no other acknowledged one
  followed in time, or one that was never acknowledged nor refused, and may have happened or not.
"""

import random
import threading
import time
from collections import defaultdict
from typing import NamedTuple

from . import kv_wire as wire
from .kv_client import KvClient
from .message import Cut, Ended


class Write(NamedTuple):
    key: bytes
    value: bytes
    began: float
    ended: float        # None: never acknowledged
    version: int


class Read(NamedTuple):
    key: bytes
    value: bytes        # None: nothing was there
    began: float
    ended: float
    version: int


class Recorder:
    """So many clients that write and read these keys at random until stop()."""

    def __init__(self, balancer, keys, clients=8, reads=0.3, depth=4):
        self.balancer, self.keys, self.reads, self.depth = balancer, keys, reads, depth
        self.events = [[] for _ in range(clients)]
        self.errors = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.play, args=[name], daemon=True)
                        for name in range(clients)]
        for thread in self.threads:
            thread.start()

    def play(self, name):
        client, rng = KvClient(self.balancer.port, 2), random.Random(name)
        under_way = []      # of the batch: (key, value or None, began)
        try:
            while not self.stopping.is_set():
                self.batch(client, rng, name, under_way)
        except (Ended, Cut, OSError, AssertionError) as error:
            self.errors.append(f"client {name}: {error!r}")
            self.events[name] += [Write(key, value, began, None, 0)
                                  for key, value, began in under_way if value is not None]
        finally:
            client.close()

    def batch(self, client, rng, name, under_way):
        question, first = b"", client.tag + 1
        began = time.monotonic()
        for _ in range(self.depth):
            key, value = rng.choice(self.keys), None
            if rng.random() >= self.reads:
                value = b"%d by %d" % (client.tag, name)
            under_way.append((key, value, began))
            verb = wire.GET if value is None else wire.SET
            question += client.op(verb, key, value or b"")
        client.send(question)
        for tag in range(first, first + self.depth):
            reply = client.next("REPLY")
            assert reply.tag == tag, reply
            self.note(name, reply, *under_way[0])
            del under_way[0]

    def note(self, name, reply, key, value, began):
        now = time.monotonic()
        if value is not None and reply.result == wire.FINE:
            self.events[name].append(Write(key, value, began, now, reply.version))
        elif value is None and reply.result == wire.FINE:
            self.events[name].append(Read(key, reply.value, began, now, reply.version))
        elif value is None and reply.result == wire.NOT_FOUND:
            self.events[name].append(Read(key, None, began, now, 0))
        else:
            self.errors.append(f"client {name}: {reply}")
            if value is not None:
                self.events[name].append(Write(key, value, began, None, 0))

    def count(self):
        return sum(map(len, self.events))

    def stop(self):
        """Ends it; returns all that was done, and what errors there were."""
        self.close()
        return [event for events in self.events for event in events], self.errors

    def close(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def faults(events, final, fresh=True):
    """What cannot have been, in words; an empty list is a good history. `final`: {key:
    (version, value)} at the end. `fresh`: reads see what was acknowledged before."""
    by_key = defaultdict(list)
    for event in events:
        by_key[event.key].append(event)
    wrong = []
    for key, of_key in by_key.items():
        writes = [event for event in of_key if isinstance(event, Write)]
        reads = [event for event in of_key if isinstance(event, Read)]
        wrong += wrong_versions(key, writes)
        if fresh:
            wrong += stale_reads(key, writes, reads)
        wrong += wrong_values(key, writes, reads)
        wrong += lost_at_the_end(key, writes, final.get(key, (0, None)))
    return wrong


class Acknowledged:
    """The highest version that was acknowledged before a moment; moments only grow."""

    def __init__(self, writes):
        self.writes = sorted((w for w in writes if w.ended is not None),
                             key=lambda write: write.ended)
        self.at, self.best = 0, None

    def before(self, moment):
        while self.at < len(self.writes) and self.writes[self.at].ended < moment:
            write = self.writes[self.at]
            if self.best is None or write.version > self.best.version:
                self.best = write
            self.at += 1
        return self.best


def wrong_versions(key, writes):
    acknowledged = Acknowledged(writes)
    for write in sorted(writes, key=lambda write: write.began):
        best = acknowledged.before(write.began)
        if best and write.ended is not None and write.version <= best.version:
            yield f"{key}: {write} has no higher version than {best}, done before"


def stale_reads(key, writes, reads):
    acknowledged = Acknowledged(writes)
    for read in sorted(reads, key=lambda read: read.began):
        best = acknowledged.before(read.began)
        if best and read.version < best.version:
            yield f"{key}: {read} does not see {best}"


def wrong_values(key, writes, reads):
    """A version has one value, which somebody wrote before the read was over."""
    written = {write.version: write for write in writes if write.ended is not None}
    pending = {write.value: write for write in writes if write.ended is None}
    for read in reads:
        write = written.get(read.version) or pending.get(read.value)
        if read.value is None:
            continue
        if write is None or write.value != read.value or write.began > read.ended:
            yield f"{key}: {read} found what was not written: {write}"


def lost_at_the_end(key, writes, final):
    version, value = final
    found = [write for write in writes if write.value == value]
    last = max((write.began for write in writes if write.ended is not None), default=None)
    if not found:
        if value is not None or last is not None:
            yield f"{key}: {value} is left, which nobody wrote"
        return
    write, = found
    if write.ended is not None and write.version != version:
        yield f"{key}: {value} is left under version {version}, not {write}"
    if write.ended is not None:
        later = [other for other in writes
                 if other.ended is not None and other.began > write.ended]
        if later:
            yield f"{key}: {write} is left, though {later[0]} came after it"
