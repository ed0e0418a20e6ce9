"""A worker that follows a script, of version 1 or 2, and remembers what it was told.

It answers on a thread of its own: honestly out of its entries, or as `answer` says, a
function (request, worker) that returns a message, bytes, or None for silence. While
it is on hold, requests wait until the test answers them.
"""

import threading

from . import kv_wire as wire
from .kv_connection import Connection, dial
from .kv_entries import Entries
from .kv_peer import FakePeer
from .kv_wire import Message
from .message import Cut, Ended
from .patience import until

REQUESTS = ("STORE_REQUEST", "RETRIEVE_REQUEST", "OP")


class Listing:
    """What came from one REGISTRY_START to its END."""

    def __init__(self, total):
        self.total = total
        self.entries = []
        self.complete = False

    @property
    def ids(self):
        return sorted(entry.id for entry in self.entries)

    def __repr__(self):
        return f"<{self.total} in all: {self.entries}>"


class FakeWorker(Connection):
    """Registers at the balancer's worker port, from the address `source`. `ready`: says
    so as soon as it may (version 1: at once; 2: when it has been told of the others).
    `entries` may be shared. `peers`: it behaves as a peer, too: connects to those it is
    told of, exports, notifies, and takes what others send."""

    def __init__(self, port, identity, version=1, *, entries=None, answer=None,
                 ready=True, peers=False, secret=None, peer_port=None, source=None,
                 **about):
        super().__init__(dial(port, source=source))
        self.id, self.version = identity, version
        self.entries = Entries() if entries is None else entries
        self.answer = answer
        self.ready_at_once = ready
        self.behaves = peers
        self.peer = FakePeer(identity, version, secret)
        self.peer_port = self.peer.port if peer_port is None else peer_port
        self.outgoing = {}      # to peers: {id: Connection}
        self.listings = []
        self.told = []          # what is neither a request nor of the registry
        self.requests = []
        self.held = None        # requests on hold, where it is
        self.ended = None       # how: "closed", "reset", "cut"
        self.complaints = []
        self.lock = threading.RLock()
        if version == 2:
            self.greet(wire.WORKER, id=identity, port=self.peer_port, secret=secret,
                       **about)
            self.peer.about["pool_key"] = self.hello.pool_key
        elif ready:
            self.is_ready()
        self.start()

    def start(self):
        self.sock.settimeout(None)
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()
        if self.behaves:
            threading.Thread(target=self.accept_peers, daemon=True).start()

    def say(self, name, **fields):
        with self.lock:
            super().say(name, **fields)

    def send(self, data):
        with self.lock:
            super().send(data)

    def is_ready(self):
        self.say("WORKER_READY", id=self.id, port=self.peer_port)

    def is_not_ready(self):
        self.say("WORKER_NOT_READY", id=self.id)

    # The life of its connection to the balancer

    def live(self):
        try:
            while True:
                self.hear(self.next())
        except Ended:
            self.ended = "reset" if self.was_reset else "closed"
        except Cut:
            self.ended = "cut"
        except wire.Malformed as malformed:
            self.complaints.append(str(malformed))
            self.ended = "malformed"
        except OSError:
            self.ended = "closed"
        finally:
            self.wake()     # it closes as well, as programs do

    def hear(self, message):
        if message.name in REQUESTS:
            self.take_request(message)
        elif message.name == "WORKER_REGISTRY_START":
            self.listings.append(Listing(message.total))
        elif message.name in ("WORKER_ENTRY", "PEER"):
            self.listings[-1].entries.append(message)
        elif message.name == "WORKER_REGISTRY_END":
            self.take_listing()
        else:
            self.told.append(message)

    def take_request(self, request):
        with self.lock:
            self.requests.append(request)
            if self.held is not None:
                self.held.append(request)
                return
        self.reply(request)

    def reply(self, request):
        said = self.answer(request, self) if self.answer else self.serve(request)
        if said is not None:
            self.send(said.encode() if isinstance(said, Message) else said)

    def serve(self, request):
        """The honest answer. A peer hears of what it stores before anybody."""
        said = self.entries.answer(request)
        if self.behaves and request.name == "STORE_REQUEST":
            for peer in list(self.outgoing.values()):
                peer.say("PEER_NOTIFY", key=request.key, value=request.value)
        return said

    def take_listing(self):
        listing = self.listings[-1]
        first = len(self.listings) == 1
        if self.behaves and self.version == 1:
            self.connect_to(listing)
        listing.complete = True
        if self.version == 2 and first and self.ready_at_once:
            self.is_ready()

    # As a peer, version 1

    def connect_to(self, listing):
        """The newcomers among them, and who is to be filled is filled."""
        for entry in listing.entries:
            if entry.id == self.id or entry.id in self.outgoing:
                continue
            try:
                peer = Connection(dial(entry.port, entry.address.decode()))
            except OSError:
                continue
            self.outgoing[entry.id] = peer
            if entry.exports:
                self.export(peer)

    def export(self, peer):
        pairs = self.entries.pairs()
        peer.say("DATA_EXPORT_START", total=len(pairs))
        for key, value in pairs.items():
            peer.say("DATA_ENTRY", key=key, value=value)
        peer.say("DATA_EXPORT_END")

    def accept_peers(self):
        self.peer.listener.settimeout(None)
        while True:
            try:
                connection = self.peer.accept()
            except OSError:
                return
            connection.sock.settimeout(None)
            threading.Thread(target=self.hear_peer, args=[connection],
                             daemon=True).start()

    def hear_peer(self, connection):
        try:
            while True:
                message = connection.next()
                if message.name in ("DATA_ENTRY", "PEER_NOTIFY"):
                    self.entries.write(message.key, 0, 0, message.value)
                elif message.name == "DATA_EXPORT_END":
                    self.told.append(message)
                    self.is_ready()
        except (Ended, Cut, wire.Malformed, OSError):
            pass

    # What the test waits for, and says

    def listed(self, count=1):
        """The listing that came as the so-many-th, complete."""
        until(lambda: len([one for one in self.listings if one.complete]) >= count,
              f"worker {self.id} gets {count} listings; it has {self.listings}")
        return self.listings[count - 1]

    def waits_for(self, count=1):
        """Until so many requests have come; returns them."""
        until(lambda: len(self.requests) >= count,
              f"{count} requests at worker {self.id}, {len(self.requests)} have come")
        return self.requests

    def hears(self, name, count=1):
        """Until so many messages of this kind have come beside requests and the registry;
        returns the last of them."""
        def found():
            return [message for message in self.told if message.name == name]
        until(lambda: len(found()) >= count or self.ended,
              f"worker {self.id} hears {name}; it has heard {self.told}")
        assert len(found()) >= count, f"{self.ended}, having heard {self.told}"
        return found()[count - 1]

    def hold(self):
        """From now on requests wait."""
        self.held = []

    def release(self, backwards=False):
        """Those that wait are answered, and all others at once again."""
        with self.lock:
            held, self.held = self.held, None
            for request in reversed(held) if backwards else held:
                self.reply(request)

    def is_gone(self, how=None):
        """Waits until its connection has ended."""
        until(lambda: self.ended, f"the balancer ends the connection of worker {self.id}")
        assert how is None or self.ended == how, self.ended

    def is_refused(self, code, text=None):
        error = self.hears("ERROR")
        assert error.code == code, error
        assert text is None or text in error.message.decode(), error
        self.is_gone()
        return error

    def keys(self):
        """Of the requests that came, in order."""
        return [request.key for request in self.requests]

    def die(self):
        """As if the process had been killed."""
        self.peer.close()
        self.wake()
        self.thread.join()
        self.reset()

    def __str__(self):
        return f"worker {self.id}"

    def close(self):
        for peer in self.outgoing.values():
            peer.close()
        self.peer.close()
        self.wake()
        self.thread.join()
        super().close()
