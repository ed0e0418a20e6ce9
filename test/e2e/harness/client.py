"""A client that sends exactly the bytes it is given and reads strictly."""

import socket
import struct

from .message import Ended, Reader
from .patience import PATIENCE
from .ports import bind_source

INTERIM_MAX = 20_000


class RawClient:
    def __init__(self, port, host="127.0.0.1", receive_buffer=None, source=None):
        self.sock = socket.socket()
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        if source is not None:
            bind_source(self.sock, source)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def send(self, data):
        """All of it, as far as the other side takes it: one that has answered and
        closed already is no error here, the answer tells."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_bytewise(self, data):
        for i in range(len(data)):
            self.send(data[i:i + 1])

    def response(self, method="GET"):
        """The final response; 1xx before it are left out."""
        for _ in range(INTERIM_MAX):
            response = self.reader.response(method)
            if response.status >= 200 or response.status == 101:
                return response
        raise AssertionError(f"{INTERIM_MAX} interim responses and no end")

    def interim(self):
        """The next response, which must be 1xx."""
        response = self.reader.response()
        assert response.status < 200, response
        return response

    def ask(self, data, method=None):
        """Sends the bytes and reads the response to them."""
        self.send(data)
        return self.response(method or data.split(b" ", 1)[0].decode("latin-1"))

    def get(self, target, *fields):
        lines = [f"GET {target} HTTP/1.1", "Host: test", *fields, "", ""]
        return self.ask("\r\n".join(lines).encode("latin-1"))

    def finish(self):
        """Says that nothing more will be sent (half-close)."""
        self.sock.shutdown(socket.SHUT_WR)

    def sees_the_end(self):
        """Nothing more may come, and the other side must end the connection."""
        try:
            self.reader.response()
        except Ended:
            return
        raise AssertionError(f"more came: {bytes(self.reader.received)[-400:]!r}")

    def receives(self, data):
        """The next bytes must be these, outside of any message."""
        got = b"".join(self.reader.pieces(len(data), f"before {data!r}", None))
        assert got == data, f"{got!r} came instead of {data!r}"

    def sees_the_next(self, data):
        """Waits for these bytes and leaves them to be read."""
        while len(self.reader.waiting) < len(data) and self.reader.fill():
            pass
        assert self.reader.waiting.startswith(data), bytes(self.reader.waiting)

    @property
    def was_reset(self):
        return self.reader.reset

    def silent(self, seconds):
        """Nothing comes, and the connection stays, for so long."""
        if self.reader.waiting:
            return False
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except (socket.timeout, TimeoutError):
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    def reset(self):
        """Ends the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()
