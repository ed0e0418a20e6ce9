"""Pictures of pages made smaller: PNG with 256 colours in place of all (PNG specification,
third edition, sections 9 and 11). Text has more only in the soft edges of letters."""

import struct
import zlib
from collections import Counter

COLOURS = 256
BYTES = 3               # of a pixel: red, green, blue


def chunks(data):
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + length]
        at += 12 + length


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(
        ">I", zlib.crc32(kind + data))


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def rows_of(data):
    """Width, and rows of pixels, of a picture as browsers write it."""
    parts = {}
    for kind, part in chunks(data):
        parts[kind] = parts.get(kind, b"") + part
    width, height, *shape = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert shape == [8, 2, 0, 0, 0], f"not 24 bits a pixel: {shape}"
    raw, length = zlib.decompress(parts[b"IDAT"]), width * BYTES
    rows, above = [], bytes(length)
    for y in range(height):
        start = y * (length + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + length])
        for i in range(length if how else 0):
            left, corner = (row[i - BYTES], above[i - BYTES]) if i >= BYTES else (0, 0)
            row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2,
                                how == 4 and paeth(left, above[i], corner))[how]) & 255
        rows.append([bytes(row[x:x + BYTES]) for x in range(0, length, BYTES)])
        above = bytes(row)
    return width, rows


def smaller(data):
    """The same with the colours that most pixels have; others become their nearest."""
    width, rows = rows_of(data)
    counts = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in counts.most_common(COLOURS)]
    place = {colour: i for i, colour in enumerate(palette)}
    for colour in counts.keys() - place.keys():
        place[colour] = min(range(len(palette)), key=lambda i, one=colour: sum(
            (a - b) ** 2 for a, b in zip(palette[i], one)))
    body = b"".join(b"\0" + bytes(place[pixel] for pixel in row) for row in rows)
    return data[:8] + b"".join([
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)),
        chunk(b"PLTE", b"".join(palette)), chunk(b"IDAT", zlib.compress(body, 9)),
        chunk(b"IEND", b"")])
