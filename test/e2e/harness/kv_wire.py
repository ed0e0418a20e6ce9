"""Messages of the key-value protocol, versions 1 and 2, as bytes and back.

Written from doc/kv-protocol.md alone and sharing nothing with the programs, so that a
mistake of theirs is not made here as well. It is as strict as it asks them to be: a
message whose length does not agree with its fields is Malformed, whoever sent it.
"""

import struct

HEADER = struct.Struct("!BH")
PAYLOAD_MAX = 65535

# Results, and codes of ERROR.
(FINE, INVALID_KEY, INVALID_VALUE, NOT_FOUND, BUSY, NETWORK, PROTOCOL, UNAUTHORISED,
 MEMORY_FULL, NOT_MET) = range(10)

CLIENT, WORKER, PEER, BALANCER = 1, 2, 3, 4                         # roles
GET, SET, DELETE, EXPIRE, HEAD, COUNT, STATS = range(1, 8)          # verbs
IF_ABSENT, IF_PRESENT, ACK_ONE, ACK_ALL, RELATIVE = 1, 2, 4, 8, 16  # flags of OP
KIND_SET, KIND_DELETED = 1, 2
NOTHING, EVERYTHING, BY_DIGEST = range(3)                           # SYNC_ASK's how
WANTS_PROOF = 1

# name: (type, fields in their order). A field is its name and what it is: a format of
# struct, "bytes" for bytes16, "16s" and so on for fixed lengths, "rest" for what is left.
MESSAGES = {
    "PUT": (1, "key:bytes value:bytes"),
    "PUT_RESPONSE": (2, "result:B key:bytes"),
    "GET": (3, "key:bytes"),
    "GET_RESPONSE": (4, "result:B key:bytes value:bytes"),
    "STORE_REQUEST": (10, "id:I key:bytes value:bytes"),
    "STORE_RESPONSE": (11, "result:B id:I key:bytes"),
    "RETRIEVE_REQUEST": (12, "id:I key:bytes"),
    "RETRIEVE_RESPONSE": (13, "result:B id:I key:bytes value:bytes"),
    "WORKER_REGISTRY_START": (14, "total:I"),
    "WORKER_ENTRY": (15, "id:I address:bytes port:H exports:B"),
    "WORKER_REGISTRY_END": (16, ""),
    "DATA_EXPORT_START": (17, "total:I"),
    "DATA_ENTRY": (18, "key:bytes value:bytes"),
    "DATA_EXPORT_END": (19, ""),
    "WORKER_READY": (20, "id:I port:H"),
    "WORKER_NOT_READY": (21, "id:I"),
    "PEER_NOTIFY": (30, "key:bytes value:bytes"),
    "HELLO": (40, "speaks:B role:B flags:B lane:B lanes:B id:I port:H newest:Q entries:Q"
                  " pool_key:16s nonce:16s"),
    "PROOF": (41, "mac:32s"),
    "OP": (42, "tag:I verb:B flags:B version:Q expires:Q key:bytes value:bytes"),
    "REPLY": (43, "tag:I result:B flags:B version:Q expires:Q value:bytes"),
    "REPLICATE": (44, "seq:Q kind:B version:Q expires:Q key:bytes value:bytes"),
    "REPLICATED": (45, "seq:Q"),
    "SYNC_OFFER": (46, "entries:Q newest:Q purged:Q"),
    "SYNC_ASK": (47, "how:B digests:rest"),
    "SYNC_SUMMARY": (48, "bucket:H last:B items:rest"),
    "SYNC_WANT": (49, "bucket:H hashes:rest"),
    "SYNC_SUMMARIES_END": (50, ""),
    "SYNC_WANTS_END": (51, ""),
    "SYNC_END": (52, "entries:Q"),
    "PEER": (53, "id:I speaks:B address:bytes port:H fills:B"),
    "PEER_GONE": (54, "id:I"),
    "PEER_LOST": (55, "id:I"),
    "SHUTDOWN": (90, ""),
    "ERROR": (91, "code:B message:bytes"),
}
MESSAGES = {name: (number, [field.split(":") for field in fields.split()])
            for name, (number, fields) in MESSAGES.items()}
NAMES = {number: name for name, (number, _) in MESSAGES.items()}


class Malformed(AssertionError):
    """What came is no message of the protocol."""


class Message:
    """One message; its fields are attributes. Two are equal if all their fields are."""

    def __init__(self, name, **fields):
        self.name = name
        self.fields = fields

    def __getattr__(self, field):
        try:
            return self.__dict__["fields"][field]
        except KeyError:
            raise AttributeError(f"{self!r} has no {field}") from None

    def __eq__(self, other):
        return (isinstance(other, Message) and self.name == other.name
                and self.fields == other.fields)

    def __hash__(self):
        return hash((self.name, *self.fields.items()))

    def __repr__(self):
        shown = (f"{name}={short(value)}" for name, value in self.fields.items())
        return f"<{' '.join([self.name, *shown])}>"

    def encode(self):
        return pack(self.name, **self.fields)


def short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}... ({len(value)} bytes)"


def raw(number, payload=b"", length=None):
    """A message of this type with this payload, whether that makes sense or not; `length`
    is a lie about how long it is."""
    return HEADER.pack(number, len(payload) if length is None else length) + payload


def bytes16(data, length=None):
    return struct.pack("!H", len(data) if length is None else length) + data


def pack(name, **fields):
    """A message as bytes. Fields that are left out are zero or empty."""
    number, layout = MESSAGES[name]
    payload = b""
    for field, kind in layout:
        value = fields.pop(field, None)
        if kind == "rest":
            payload += value or b""
        elif kind == "bytes":
            payload += bytes16(value or b"")
        elif kind.endswith("s"):
            payload += struct.pack(f"!{kind}", value or b"")
        else:
            payload += struct.pack(f"!{kind}", value or 0)
    assert not fields, f"{name} has no {', '.join(fields)}"
    return raw(number, payload)


def unpack(number, payload):
    """The message of this type that has this payload."""
    if number not in NAMES:
        raise Malformed(f"type {number}")
    name = NAMES[number]
    fields, at = {}, 0
    try:
        for field, kind in MESSAGES[name][1]:
            if kind == "rest":
                fields[field], at = payload[at:], len(payload)
                continue
            if kind == "bytes":
                size, = struct.unpack_from("!H", payload, at)
                at += 2
                kind = f"{size}s"
            fields[field], = struct.unpack_from(f"!{kind}", payload, at)
            at += struct.calcsize(f"!{kind}")
    except struct.error:
        raise Malformed(f"{name} cut at {field}: {payload[:80]!r}") from None
    if at != len(payload):
        raise Malformed(f"{name} with {len(payload) - at} bytes too many")
    return Message(name, **fields)
