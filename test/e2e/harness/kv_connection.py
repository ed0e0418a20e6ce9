"""One connection of the key-value protocol, from either end: messages sent and read, and
HELLO with its proof."""

import hashlib
import hmac
import os
import socket
import struct
import time

from . import kv_wire as wire
from .message import Cut, Ended
from .patience import PATIENCE
from .ports import bind_source

READ = 1 << 18


def dial(port, host="127.0.0.1", source=None, receive_buffer=None):
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(PATIENCE)
    if source is not None:
        bind_source(sock, source)
    sock.connect((host, port))
    return sock


class Connection:
    """Owns its socket. `heard` is all that was read, in order."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(PATIENCE)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = bytearray()
        self.at = 0             # how much of `waiting` has been read already
        self.was_reset = False
        self.heard = []
        self.hello = None       # the other side's

    # What goes out

    def send(self, data):
        """Exactly these bytes, as far as the other side takes them: one that has answered
        and closed already is no error here, what comes back tells."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def say(self, name, **fields):
        self.send(wire.pack(name, **fields))

    def say_all(self, *messages):
        """All of them in one piece."""
        self.send(b"".join(message.encode() for message in messages))

    # What comes in

    def fill(self):
        """Reads once; False at the end."""
        try:
            piece = self.sock.recv(READ)
        except ConnectionResetError:
            self.was_reset = True
            return False
        if self.at > READ:
            del self.waiting[:self.at]
            self.at = 0
        self.waiting += piece
        return bool(piece)

    def fill_within(self, seconds):
        """The same, if anything comes in time."""
        self.sock.settimeout(seconds)
        try:
            return self.fill()
        except (TimeoutError, BlockingIOError):
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    def next(self, *names):
        """The next message, which must be one of these if there are any. Raises Ended
        where the other side closed between two messages, Cut where in the middle."""
        while (message := self.parse()) is None:
            try:
                more = self.fill()
            except TimeoutError:
                raise AssertionError(f"no {' or '.join(names) or 'message'} came; before:"
                                     f" {self.heard[-3:]}") from None
            if not more:
                if self.at < len(self.waiting):
                    raise Cut(f"within {bytes(self.waiting[self.at:self.at + 40])!r}")
                raise Ended()
        assert not names or message.name in names, f"{message} came instead of {names}"
        return message

    def next_of(self, *names):
        """The next message of these; others before it stay in `heard` alone."""
        while (message := self.next()).name not in names:
            pass
        return message

    def parse(self):
        """The next message if all of it has been read."""
        have = len(self.waiting) - self.at
        if have < 3:
            return None
        number, length = wire.HEADER.unpack_from(self.waiting, self.at)
        if have < 3 + length:
            return None
        begin = self.at + 3
        payload = bytes(self.waiting[begin:begin + length])
        self.at = begin + length
        if self.at == len(self.waiting):
            self.waiting.clear()
            self.at = 0
        message = wire.unpack(number, payload)
        self.heard.append(message)
        return message

    def take(self, count, *names):
        """The next so many messages."""
        return [self.next(*names) for _ in range(count)]

    def sees_the_end(self):
        """Nothing more may come, and the other side must end the connection."""
        try:
            message = self.next()
        except Ended:
            return
        raise AssertionError(f"{message} came instead of the end")

    def is_told(self, code, text=None):
        """The next message is an ERROR of this code that holds this text."""
        error = self.next("ERROR")
        assert error.code == code, error
        assert text is None or text in error.message.decode(), error
        return error

    def is_refused(self, code, text=None):
        """Told why, and the end."""
        error = self.is_told(code, text)
        self.sees_the_end()
        return error

    def says_goodbye(self):
        """SHUTDOWN, and the end; we close as well."""
        self.next("SHUTDOWN")
        self.sees_the_end()
        self.close()

    def silent(self, seconds):
        """Nothing comes, and the connection stays, for so long."""
        if self.at < len(self.waiting):
            return False
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    # Getting to know each other, version 2

    def greet(self, role, *, acceptor=False, secret=None, take=None, **about):
        """HELLO both ways, and PROOF where a secret is given; `about` is what HELLO says
        of this side. `take`: the other's HELLO, if it was read already. Returns it."""
        nonce = os.urandom(16)
        mine = dict(speaks=2, role=role, flags=wire.WANTS_PROOF if secret else 0, lane=0,
                    lanes=1, id=0, nonce=nonce) | about
        if acceptor:
            self.hello = take or self.next("HELLO")
        self.say("HELLO", **mine)
        if not acceptor:
            self.hello = self.next("HELLO")
        if secret:
            theirs, nonce = self.hello, mine["nonce"]
            ours = prove(secret, mine["role"], mine["id"], theirs.nonce, nonce)
            theirs = prove(secret, theirs.role, theirs.id, nonce, theirs.nonce)
            if acceptor:
                assert self.next("PROOF").mac == theirs, "a wrong proof"
            self.say("PROOF", mac=ours)
            if not acceptor:
                assert self.next("PROOF").mac == theirs, "a wrong proof"
        return self.hello

    # Ends

    def finish(self):
        """Says that nothing more will be sent (half-close)."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wake(self):
        """Ends what another thread may be waiting for."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.sock.close()


def prove(secret, role, identity, other_nonce, own_nonce):
    """What PROOF holds."""
    secret = secret if isinstance(secret, bytes) else secret.encode()
    who = struct.pack("!BI", role, identity)
    text = b"balancerd kv 2" + who + other_nonce + own_nonce
    return hmac.new(secret, text, hashlib.sha256).digest()


def now_ms():
    """Since 1970, as `expires` has it."""
    return int(time.time() * 1000)
