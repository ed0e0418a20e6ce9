"""A server that follows a script and remembers what it was told.

What it answers is given as bytes, or as a function that plays one request:

    def slow_then_gone(request, peer):
        time.sleep(0.1)
        peer.reset()

It returns the bytes to be sent, or does itself what has to be done, through peer.
A server that speaks without being asked, or looks at a request's head before its
body has come, replaces the whole life of a connection: `on_connection(peer)`.
"""

import socket
import struct
import threading

from .message import Cut, Ended, Malformed, Reader
from .patience import PATIENCE, until
from .ports import Port, share


def response(body=b"hello", status="200 OK", *fields):
    """Canned bytes of a complete response."""
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class Peer:
    """One connection that balancerd made to a server."""

    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.reader = Reader(sock)
        self.requests = []  # complete ones
        self.cut = None  # a request that was cut: how far it came
        self.done = False
        self.thread = None

    @property
    def received(self):
        return bytes(self.reader.received)

    def next_request(self, on_head=None):
        request = self.reader.request(on_head)
        self.requests.append(request)
        with self.server.lock:
            self.server.requests.append(request)
        return request

    def send(self, data):
        self.sock.sendall(data)

    def reset(self):
        """Ends the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def finish(self):
        """Half-close: nothing more will be sent."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.done = True
        self.sock.close()

    def wake(self):
        """Ends what the thread may be waiting for."""
        self.done = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class ScriptedServer:
    def __init__(self, answer=None, on_connection=None):
        self.answer = answer if answer is not None else response()
        self.on_connection = on_connection or self.serve
        self.reserved = Port()
        self.port = self.reserved.number
        self.lock = threading.Lock()
        self.peers = []
        self.requests = []
        self.complaints = []  # what balancerd sent and should not have
        self.listener = None
        self.listen()

    def __str__(self):
        return f"127.0.0.1:{self.port}"

    def listen(self, backlog=128):
        self.listener = socket.socket()
        share(self.listener)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(backlog)
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def refuse(self):
        """From now on connections are refused; those that stand go on."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def die(self):
        """As if the process had been killed."""
        self.refuse()
        for peer in list(self.peers):
            peer.wake()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock)
            peer.thread = threading.Thread(target=self.play, args=[peer], daemon=True)
            with self.lock:
                peer.thread.start()
                self.peers.append(peer)

    def play(self, peer):
        try:
            self.on_connection(peer)
        except Ended:
            pass
        except Cut as cut:
            peer.cut = cut
        except Malformed as malformed:
            self.complaints.append(str(malformed))
        except OSError:
            pass  # balancerd, or the script itself, has ended the connection
        finally:
            peer.close()

    def serve(self, peer):
        """The usual life of a connection: a request, an answer, the next request."""
        while not peer.done:
            request = peer.next_request()
            answer = self.answer
            if callable(answer):
                answer = answer(request, peer)
            if answer and not peer.done:
                peer.send(answer)

    @property
    def received(self):
        """Every byte that came, over all connections."""
        return b"".join(peer.received for peer in self.peers)

    @property
    def targets(self):
        return [request.target for request in self.requests]

    def waits_for(self, count):
        """Until so many requests have come completely; returns them."""
        until(lambda: len(self.requests) >= count,
              f"{count} requests at {self}, {len(self.requests)} have come")
        return self.requests

    def close(self):
        try:
            self.refuse()
        except OSError:
            pass
        with self.lock:
            peers = list(self.peers)
        for peer in peers:
            peer.wake()
        for peer in peers:
            peer.thread.join(PATIENCE)
            if peer.thread.is_alive():
                self.complaints.append("a script did not end")
        self.reserved.release()
