"""Bytes both ways at once through many TCP connections, each checked where it arrives.

What a connection carries in each direction follows from its number, so both ends know
every byte: a random block, repeated, begun at another place for each stream. The client
opens with an order: its number, how much goes up and down, whether the server reads
slowly. Either side closes its sending half after its last byte, so half-closes come at
all times. The server tells what came of each connection on a pipe.
"""

import hashlib
import random
import resource
import socket
import struct
import threading
import time
from multiprocessing import Process, SimpleQueue

from .patience import until
from .ports import accepts, share

MIB = 1 << 20
BLOCK = random.Random(20260101).randbytes(MIB)
TWICE = BLOCK + BLOCK
ORDER = struct.Struct("!IQQ?")
PIECE = 256 * 1024


class Stream:
    """What one direction of a connection carries."""

    def __init__(self, number, size):
        self.shift = number * 7919 % MIB
        self.size = size
        self.offset = 0

    def next(self):
        """The next piece to send."""
        size = min(PIECE, self.size - self.offset)
        piece = self.slice(self.offset, size)
        self.offset += size
        return piece

    def slice(self, offset, size):
        at = (self.shift + offset) % MIB
        return memoryview(TWICE)[at:at + size]

    def takes(self, piece):
        """Whether this is what comes next."""
        fits = self.slice(self.offset, len(piece)).tobytes() == piece
        self.offset += len(piece)
        return fits and self.offset <= self.size

    def digest(self):
        """SHA-256 of the whole of it."""
        sum = hashlib.sha256()
        for offset in range(0, self.size, PIECE):
            sum.update(self.slice(offset, min(PIECE, self.size - offset)))
        return sum.hexdigest()


def send_all(sock, stream):
    """False: the other side has gone."""
    try:
        while stream.offset < stream.size:
            sock.sendall(stream.next())
        sock.shutdown(socket.SHUT_WR)
        return True
    except OSError:
        return False


def receive_all(sock, stream, slowly=False):
    """What came: "whole", "cut" (a true beginning of it), or what is wrong."""
    sum = hashlib.sha256()
    try:
        while True:
            piece = sock.recv(PIECE)
            if not piece:
                break
            if not stream.takes(piece):
                return f"wrong bytes before offset {stream.offset}"
            sum.update(piece)
            if slowly:
                time.sleep(0.002)
    except OSError:
        return "cut"
    if stream.offset < stream.size:
        return "cut"
    return "whole" if sum.hexdigest() == stream.digest() else "wrong hash"


def serve_one(sock, verdicts):
    try:
        head = sock.recv(ORDER.size, socket.MSG_WAITALL)
        if len(head) < ORDER.size:
            return
        number, up, down, slowly = ORDER.unpack(head)
        sender = threading.Thread(target=send_all, args=(sock, Stream(number + 1, down)))
        sender.start()
        verdicts.put((number, receive_all(sock, Stream(number, up), slowly)))
        sender.join()
    except OSError:
        pass
    finally:
        sock.close()


def serve(port, verdicts):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    listener = socket.socket()
    share(listener)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve_one, args=(sock, verdicts), daemon=True).start()


class FloodServer:
    def __init__(self, port):
        self.port = port
        self.verdicts = SimpleQueue()
        self.process = Process(target=serve, args=(port, self.verdicts), daemon=True)
        self.process.start()
        until(lambda: accepts(port), f"the flood server accepts on {port}")

    def kill(self):
        self.process.kill()
        self.process.join()

    def heard(self):
        """What it said of its connections so far, by their number."""
        verdicts = {}
        while not self.verdicts.empty():
            number, verdict = self.verdicts.get()
            verdicts[number] = verdict
        return verdicts

    def close(self):
        self.kill()

    def __str__(self):
        return f"127.0.0.1:{self.port}"


class Flow:
    """A client's connection under way, on a thread for each direction."""

    def __init__(self, port, number, up, down, slow_server=False, slow_client=False):
        self.number, self.sent, self.received = number, None, None
        self.sock = socket.socket()
        if slow_client:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(ORDER.pack(number, up, down, slow_server))
        self.up, self.down = Stream(number, up), Stream(number + 1, down)
        self.slowly = slow_client
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.receive)]
        for thread in self.threads:
            thread.start()

    def send(self):
        self.sent = send_all(self.sock, self.up)

    def receive(self):
        self.received = receive_all(self.sock, self.down, self.slowly)

    def join(self):
        for thread in self.threads:
            thread.join()
        self.sock.close()


def sizes(total, flows, seed):
    """So many random sizes that make about this total."""
    rng = random.Random(seed)
    shares = [rng.uniform(0.2, 1.8) for _ in range(flows)]
    return [int(total * share / sum(shares)) for share in shares]

