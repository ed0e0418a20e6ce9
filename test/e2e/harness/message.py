"""HTTP/1.1 messages, read as strictly as RFC 9112 allows.

Both ends of every test read with this, so whatever balancerd sends to a client or
to a server is held to the grammar: a bare LF, a folded line, two framings or a
missing CRLF fail the test, whatever it is about.
"""

import hashlib
import re

KEPT = 1 << 20  # bytes of a body that are kept; all of it is counted and hashed
READ = 1 << 18

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.([01])\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) ([\t -~\x80-\xff]*)\Z")
NEVER_REPEATED = ("content-length", "transfer-encoding", "host")


class Malformed(AssertionError):
    """What came is no HTTP/1.1 message."""


class Cut(AssertionError):
    """The connection ended in the middle of a message; `message` is what came of
    it, or None when not even its head did."""

    def __init__(self, where, message=None):
        super().__init__(f"the connection ended {where}")
        self.message = message


class Ended(Exception):
    """The connection ended between two messages."""


class Fields:
    """The fields of a head or a trailer section, in order."""

    def __init__(self, lines=()):
        self.items = []
        for line in lines:
            name, colon, value = line.partition(b":")
            value = value.strip(b" \t")
            if not colon or not TOKEN.match(name) or not VALUE.match(value):
                raise Malformed(f"field line {line!r}")
            self.items.append((name.decode("latin-1"), value.decode("latin-1")))

    def all(self, name):
        return [v for n, v in self.items if n.lower() == name.lower()]

    def get(self, name):
        """The value, None when there is no such field; there must not be two."""
        values = self.all(name)
        assert len(values) < 2, f"more than one {name}: {values}"
        return values[0] if values else None

    def names(self):
        return [n.lower() for n, _ in self.items]

    def __contains__(self, name):
        return name.lower() in self.names()


class Message:
    """A request or a response: its head as it came, and what its body amounts to."""

    def __init__(self, head):
        lines = head[:-4].split(b"\r\n")
        if any(b"\n" in line or b"\r" in line for line in lines):
            raise Malformed(f"bare CR or LF in {head!r}")
        self.head = bytes(head)
        self.line = lines[0]
        self.fields = Fields(lines[1:])
        for name in NEVER_REPEATED:
            if len(self.fields.all(name)) > 1:
                raise Malformed(f"{name} twice in {head!r}")
        self.trailers = Fields()
        self.framing = "none"  # or "length", "chunked", "close"
        self.chunks = []  # their sizes
        self.kept = bytearray()
        self.length = 0
        self.sum = hashlib.sha256()

    @property
    def body(self):
        assert self.length <= KEPT, "too large to be kept: compare length and digest"
        return bytes(self.kept)

    @property
    def digest(self):
        return self.sum.hexdigest()

    def take(self, piece):
        self.kept += piece[:KEPT - len(self.kept)]
        self.length += len(piece)
        self.sum.update(piece)


class Request(Message):
    def __init__(self, head):
        super().__init__(head)
        match = REQUEST_LINE.match(self.line)
        if match is None:
            raise Malformed(f"request line {self.line!r}")
        self.method = match[1].decode()
        self.target = match[2].decode()
        self.minor = int(match[3])

    def __repr__(self):
        return f"<{self.method} {self.target} {self.framing} {self.length}>"


class Response(Message):
    def __init__(self, head):
        super().__init__(head)
        match = STATUS_LINE.match(self.line)
        if match is None:
            raise Malformed(f"status line {self.line!r}")
        self.minor = int(match[1])
        self.status = int(match[2])
        self.reason = match[3].decode("latin-1")

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.framing} {self.length}>"


class Reader:
    """Messages from a socket. `received` keeps the first KEPT bytes as they came."""

    def __init__(self, sock):
        self.sock = sock
        self.waiting = bytearray()
        self.received = bytearray()
        self.ended = False
        self.reset = False

    def fill(self):
        """One recv. False when the other side has ended the connection."""
        try:
            piece = self.sock.recv(READ)
        except ConnectionResetError:
            self.reset = True
            piece = b""
        if not piece:
            self.ended = True
            return False
        self.received += piece[:KEPT - len(self.received)]
        self.waiting += piece
        return True

    def until(self, mark, where, message=None):
        """All up to and with the mark."""
        seen = 0
        while True:
            at = self.waiting.find(mark, seen)
            if at >= 0:
                found = self.waiting[:at + len(mark)]
                del self.waiting[:at + len(mark)]
                return found
            seen = max(0, len(self.waiting) - len(mark) + 1)
            if not self.fill():
                if message is None and not self.waiting:
                    raise Ended()
                raise Cut(where, message)

    def pieces(self, length, where, message):
        while length > 0:
            if not self.waiting and not self.fill():
                raise Cut(where, message)
            piece = self.waiting[:length]
            del self.waiting[:length]
            length -= len(piece)
            yield piece

    def request(self, on_head=None):
        """The next request. on_head(request), if given, is called before the body."""
        message = Request(self.until(b"\r\n\r\n", "in a head"))
        if on_head is not None:
            on_head(message)
        self.body(message, "none")
        return message

    def response(self, method="GET"):
        """The next response to such a request; 1xx ones count."""
        message = Response(self.until(b"\r\n\r\n", "in a head"))
        if message.status < 200 or message.status in (204, 304) or method == "HEAD":
            if "transfer-encoding" in message.fields and message.status < 205:
                if method != "HEAD" or message.status < 200 or message.status == 204:
                    raise Malformed(f"a coding with status {message.status}")
            return message
        self.body(message, "close")
        return message

    def body(self, message, otherwise):
        coding = message.fields.get("transfer-encoding")
        length = message.fields.get("content-length")
        if coding is not None:
            if length is not None or coding.lower() != "chunked" or message.minor == 0:
                raise Malformed(f"framing of {message.head!r}")
            message.framing = "chunked"
            self.chunked(message)
        elif length is not None:
            if not re.fullmatch("[0-9]+", length):
                raise Malformed(f"Content-Length {length!r}")
            message.framing = "length"
            for piece in self.pieces(int(length), "in a body", message):
                message.take(piece)
        elif otherwise == "close":
            message.framing = "close"
            while self.waiting or self.fill():
                message.take(self.waiting)
                self.waiting = bytearray()

    def chunked(self, message):
        while True:
            line = self.until(b"\r\n", "in a chunk's line", message)
            match = re.fullmatch(rb"([0-9A-Fa-f]+)((?:;[^\r\n]*)?)\r\n", line)
            if match is None:
                raise Malformed(f"chunk line {line!r}")
            size = int(match[1], 16)
            if size == 0:
                break
            message.chunks.append(size)
            for piece in self.pieces(size, "in a chunk", message):
                message.take(piece)
            end = self.until(b"\n", "after a chunk", message)
            if end != b"\r\n":
                raise Malformed(f"{end!r} after a chunk")
        lines = []
        while (line := self.until(b"\r\n", "in trailers", message)) != b"\r\n":
            lines.append(bytes(line[:-2]))
        message.trailers = Fields(lines)
