"""Stand-ins for the balancer, for tests of kv-worker and kv-client: the test says every
word of the registry and asks every question itself, on its own thread.

    balancer = FakeBalancer()
    worker = stage.worker(balancer)
    link = balancer.worker()            # it has connected, and HELLO is done
    link.lists()                        # nobody else is there
    link.next("WORKER_READY")
    assert link.do(wire.SET, b"k", b"v").result == wire.FINE
"""

import itertools
import os
import socket
import threading
import time

from . import kv_wire as wire
from .kv_client import read_stats
from .kv_connection import Connection, now_ms
from .kv_entries import Entries
from .message import Cut, Ended
from .patience import PATIENCE
from .ports import Port, share
from .kv_wire import Malformed, Message


def new_version():
    """As the balancer gives them to writes: they only grow."""
    return time.time_ns() // 1000 * 256


class WorkerLink(Connection):
    """One of a worker's connections to the balancer."""

    tags = itertools.count(1)

    def lists(self, *peers, total=None):
        """Tells it of other workers. Each is (id, peer port), or a dict of PEER's fields
        (of WORKER_ENTRY's, for a worker of version 1)."""
        self.say("WORKER_REGISTRY_START", total=total or len(peers) + 1)
        for peer in peers:
            fields = peer if isinstance(peer, dict) else dict(id=peer[0], port=peer[1])
            fields = dict(address=b"127.0.0.1") | fields
            if self.hello:
                self.say("PEER", **dict(speaks=2) | fields)
            else:
                self.say("WORKER_ENTRY", **fields)
        self.say("WORKER_REGISTRY_END")

    def ask(self, verb, key=b"", value=b"", **more):
        """Sends an OP, with a new version if it writes; returns its tag."""
        tag = next(self.tags)
        if verb in (wire.SET, wire.DELETE, wire.EXPIRE):
            more.setdefault("version", new_version())
        self.say("OP", tag=tag, verb=verb, key=key, value=value, **more)
        return tag

    def do(self, verb, key=b"", value=b"", **more):
        """Asks, and returns the REPLY to it."""
        tag = self.ask(verb, key, value, **more)
        reply = self.next_of("REPLY")
        assert reply.tag == tag, reply
        return reply

    def value(self, key):
        """What it holds under this key, None: nothing."""
        reply = self.do(wire.GET, key)
        assert reply.result in (wire.FINE, wire.NOT_FOUND), reply
        return reply.value if reply.result == wire.FINE else None

    def count(self):
        return int(self.do(wire.COUNT).value)

    def stats(self):
        return read_stats(self.do(wire.STATS, b"%d" % self.hello.id).value)

    def store(self, key, value, tag=1):
        """The same by version 1; the response."""
        self.say("STORE_REQUEST", id=tag, key=key, value=value)
        return self.next_of("STORE_RESPONSE")

    def retrieve(self, key, tag=1):
        self.say("RETRIEVE_REQUEST", id=tag, key=key)
        return self.next_of("RETRIEVE_RESPONSE")


class ClientLink(Connection):
    """A client's connection to the balancer. `first`: what it said when it did not begin
    with HELLO."""

    first = None

    def question(self):
        """The client's next message."""
        first, self.first = self.first, None
        return first or self.next()

    def reply(self, op, result=wire.FINE, **more):
        self.say("REPLY", tag=op.tag, result=result, **more)


class FakeBalancer:
    """Listens at both ports, of which that for workers may be given. The pool's key is
    the one given here, or else what the first worker proposes, or else a random one."""

    def __init__(self, secret=None, pool_key=None, workers_port=None):
        self.secret, self.pool_key = secret, pool_key
        self.links, self.ports = [], []
        self.workers_listener, self.workers_port = self.listen(workers_port)
        self.clients_listener, self.port = self.listen()

    def listen(self, port=None):
        if port is None:
            self.ports.append(Port())
            port = self.ports[-1].number
        listener = socket.socket()
        share(listener)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        listener.settimeout(PATIENCE)
        return listener, port

    def worker_raw(self):
        """The next worker's connection, before a word was said."""
        sock, _ = self.workers_listener.accept()
        self.links.append(WorkerLink(sock))
        return self.links[-1]

    def worker(self, **about):
        """The next worker's connection, HELLO done; `about` changes what ours says."""
        link = self.worker_raw()
        hello = link.next("HELLO")
        if self.pool_key is None:
            self.pool_key = hello.pool_key if any(hello.pool_key) else os.urandom(16)
        link.greet(wire.BALANCER, acceptor=True, take=hello, secret=self.secret,
                   **dict(pool_key=self.pool_key) | about)
        return link

    def lone_worker(self):
        """The next worker, which learns that it is alone and is ready."""
        link = self.worker()
        link.lists()
        link.next("WORKER_READY")
        return link

    def all_workers(self, count):
        """So many workers with all their lanes; the first lane of each, which learns that
        it is alone and is ready."""
        firsts, lanes = [], 0
        while len(firsts) < count or lanes < sum(link.hello.lanes for link in firsts):
            link = self.worker()
            lanes += 1
            firsts += [link] if link.hello.lane == 0 else []
        for link in firsts:
            link.lists()
            link.next("WORKER_READY")
        return firsts

    def client(self):
        """The next client's connection, HELLO done if it began with one."""
        sock, _ = self.clients_listener.accept()
        link = ClientLink(sock)
        self.links.append(link)
        first = link.next()
        if first.name == "HELLO":
            link.greet(wire.BALANCER, acceptor=True, take=first, secret=self.secret)
        else:
            link.first = first
        return link

    def serve_clients(self, answer=None, entries=None):
        """From now on clients are answered by a thread each, out of `entries`, in order.
        `answer(op or PUT or GET, link)` may return the bytes to send instead, b"" for
        silence; None leaves it to the entries. Returns the entries."""
        entries = Entries() if entries is None else entries
        threading.Thread(target=self.accept_clients, args=(answer, entries),
                         daemon=True).start()
        return entries

    def accept_clients(self, answer, entries):
        self.clients_listener.settimeout(None)
        while True:
            try:
                link = self.client()
            except (Ended, Cut, Malformed):
                continue
            except OSError:
                return
            threading.Thread(target=serve, args=(link, answer, entries),
                             daemon=True).start()

    def stop_listening(self):
        """As if the balancer had gone; connections that stand go on."""
        for listener in (self.workers_listener, self.clients_listener):
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()

    def listen_again(self):
        self.workers_listener, _ = self.listen(self.workers_port)
        self.clients_listener, _ = self.listen(self.port)

    def close(self):
        self.stop_listening()
        for link in self.links:
            link.wake()
            link.close()
        for port in self.ports:
            port.release()


def serve(link, answer, entries):
    """The life of a client's connection."""
    try:
        link.sock.settimeout(None)
        while True:
            question = link.question()
            said = answer(question, link) if answer else None
            link.send(honest(question, entries) if said is None else said)
    except (Ended, Cut, Malformed, OSError):
        link.close()


def honest(question, entries):
    """The bytes that answer it."""
    if question.name == "OP":
        if question.verb in (wire.SET, wire.DELETE, wire.EXPIRE):
            question.fields["version"] = new_version()
        if question.flags & wire.RELATIVE:
            question.fields["expires"] += now_ms()
        return entries.answer(question).encode()
    if question.name == "PUT":
        entries.write(question.key, new_version(), 0, question.value)
        return wire.pack("PUT_RESPONSE", key=question.key)
    value = entries[question.key]
    return Message("GET_RESPONSE", key=question.key, value=value or b"",
                   result=wire.NOT_FOUND if value is None else wire.FINE).encode()
