"""Many clients of an echo service at once, in one thread: each keeps its connection and
notes who answers it."""

import selectors
import socket
import time

from .echo import allow_descriptors
from .patience import PATIENCE
from .ports import bind_source

FROM_EACH_ADDRESS = 20_000      # connections; the kernel has some 28,000 ports for them


class Client:
    def __init__(self, number, sock):
        self.number = number
        self.sock = sock
        self.said = 0           # words so far
        self.waiting = False    # for the answer to the last one
        self.answer = b""
        self.server = None      # who answered last
        self.servers = []       # all who ever did, without repetitions in a row
        self.ended = None       # how, when it is no longer connected

    @property
    def word(self):
        return b"%d-%d\n" % (self.number, self.said)

    def speak(self):
        self.said += 1
        self.answer, self.waiting = b"", True
        self.sock.send(self.word)

    def hear(self):
        """Reads; True when the answer is whole and right."""
        try:
            piece = self.sock.recv(4096)
        except BlockingIOError:
            return False
        except OSError as error:
            self.ended = type(error).__name__
            return False
        if not piece:
            self.ended = "closed"
            return False
        self.answer += piece
        if not self.answer.endswith(b"\n"):
            return False
        self.server, _, word = self.answer.partition(b" ")
        assert self.waiting and word == self.word, (self.answer, self.word)
        self.waiting = False
        if self.servers[-1:] != [self.server]:
            self.servers.append(self.server)
        return True


class Crowd:
    """With `apart` each client has an address of its own, that of its number."""

    def __init__(self, port, count, apart=False):
        allow_descriptors()
        self.apart = apart
        self.selector = selectors.DefaultSelector()
        self.clients = []
        for number in range(count):
            self.join(port, number)

    def source(self, number):
        if self.apart:
            return f"127.1.{number // 250}.{1 + number % 250}"
        return f"127.0.1.{1 + number // FROM_EACH_ADDRESS}"

    def greet(self, sock):
        """What has to be said before the first word."""

    def join(self, port, number):
        sock = socket.socket()
        bind_source(sock, self.source(number))
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.greet(sock)
        sock.setblocking(False)
        client = Client(number, sock)
        self.selector.register(sock, selectors.EVENT_READ, client)
        self.clients.append(client)
        return client

    def take_in(self, wait=0.0):
        """Hears whoever is answered."""
        for key, _ in self.selector.select(wait):
            client = key.data
            client.hear()
            if client.ended:
                self.selector.unregister(client.sock)
                client.sock.close()

    def round(self, clients=None, within=6 * PATIENCE, meanwhile=None):
        """Everybody who is connected says a word and is answered, or loses the connection."""
        clients = [c for c in clients or self.clients if not c.ended]
        for begin in range(0, len(clients), 500):
            for client in clients[begin:begin + 500]:
                if not client.ended:
                    try:
                        client.speak()
                    except OSError as error:
                        client.ended = type(error).__name__
            self.take_in()
        deadline = time.monotonic() + within
        while any(c.waiting and not c.ended for c in clients):
            assert time.monotonic() < deadline, (
                f"{sum(c.waiting and not c.ended for c in clients)} of {len(clients)} "
                f"clients got no answer")
            self.take_in(0.05)
            if meanwhile:
                meanwhile()

    def ended(self):
        return [c for c in self.clients if c.ended]

    def close(self):
        for client in self.clients:
            client.sock.close()
        self.selector.close()


class TunnelCrowd(Crowd):
    """The same behind an HTTP listener, each through a tunnel as WebSocket has it."""

    def greet(self, sock):
        sock.settimeout(PATIENCE)
        sock.sendall(b"GET /tunnel HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
                     b"Upgrade: words\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = sock.recv(1)
            assert piece, f"no tunnel: {head}"
            head += piece
        assert head.startswith(b"HTTP/1.1 101 "), head
