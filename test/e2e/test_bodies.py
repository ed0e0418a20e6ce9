"""Bodies of every framing, whole, large, cut into pieces, or not there (RFC 9112, 6)."""

import hashlib
import os
import threading
import time

import pytest

from harness.patience import PATIENCE
from harness.requests import GET, chunks_of, post, post_chunked
from harness.server import response

MIB = 1 << 20
LARGE = 64 * MIB
BLOCK = os.urandom(MIB)


# Bodies


def body_of(pieces):
    """What pieces blocks of a large body amount to."""
    sum = hashlib.sha256()
    for _ in range(pieces):
        sum.update(BLOCK)
    return sum.hexdigest()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_body_reaches_the_server_in_constant_memory(stage, framing):
    server = stage.server()
    balancer = stage.balancer([server], listen="body-size 1g")
    client = stage.client(balancer)
    client.get("/warm")
    before = balancer.rss()
    if framing == "length":
        client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % LARGE)
    else:
        client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
    peak = before
    for i in range(LARGE // MIB):
        client.send(BLOCK if framing == "length" else b"%x\r\n%s\r\n" % (MIB, BLOCK))
        peak = max(peak, balancer.rss()) if i % 8 == 0 else peak
    if framing == "chunked":
        client.send(b"0\r\n\r\n")
    assert client.response().status == 200
    assert server.requests[1].length == LARGE
    assert server.requests[1].digest == body_of(LARGE // MIB)
    assert peak - before < 4 * MIB


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_large_body_reaches_the_client_in_constant_memory(stage, framing):
    def large(request, peer):
        if request.target != "/large":
            return response()
        head = {"length": b"Content-Length: %d" % LARGE,
                "chunked": b"Transfer-Encoding: chunked", "close": b"Connection: close"}
        peer.send(b"HTTP/1.1 200 OK\r\n" + head[framing] + b"\r\n\r\n")
        for i in range(LARGE // MIB):
            peer.send(BLOCK if framing != "chunked" else b"%x\r\n%s\r\n" % (MIB, BLOCK))
            memory.append(balancer.rss()) if i % 8 == 0 else None
        if framing == "chunked":
            peer.send(b"0\r\n\r\n")
        if framing == "close":
            peer.close()

    memory = []
    server = stage.server(large)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.get("/warm")
    memory.append(balancer.rss())
    answer = client.get("/large")
    assert answer.framing == ("length" if framing == "length" else "chunked")
    assert answer.length == LARGE
    assert answer.digest == body_of(LARGE // MIB)
    assert max(memory) - memory[0] < 4 * MIB
    assert client.get("/again").status == 200


def test_a_client_that_reads_nothing_stops_the_server_and_not_the_others(stage):
    """Backpressure: what is on its way stays bounded by buffers, not by the body."""
    sent = []

    def endless(request, peer):
        if request.target == "/small":
            return response()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        while True:
            peer.send(BLOCK)
            sent.append(MIB)

    server = stage.server(endless)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer, receive_buffer=64 * 1024)
    client.send(GET)
    stage.until(lambda: stopped_growing(sent), "the server has to wait")
    assert sum(sent) < 64 * MIB
    assert stage.get(balancer, "/small").status == 200
    client.reset()
    stage.until(lambda: server.peers[0].done, "the server's connection ends too")


def stopped_growing(sent):
    before = len(sent)
    time.sleep(0.2)
    return before > 0 and len(sent) == before


def test_a_server_that_reads_nothing_stops_the_client(stage):
    release = threading.Event()

    def reads_nothing(peer):
        release.wait(PATIENCE)
        peer.next_request()
        peer.send(response())

    server = stage.server(on_connection=reads_nothing)
    balancer = stage.balancer([server], listen="body-size 1g")
    client = stage.client(balancer)
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % (1 << 28))
    client.sock.settimeout(0.5)
    taken = 0
    with pytest.raises(TimeoutError):
        while taken < 1 << 28:
            taken += client.sock.send(BLOCK)
    assert taken < 64 * MIB
    assert balancer.rss() < 64 * MIB
    client.reset()
    release.set()


CUTS = {
    "head-and-body-together": [len(post(b"hello world"))],
    "head-then-body": [-11],
    "in-the-middle-of-the-head": [20],
    "between-cr-and-lf-of-the-empty-line": [-12],
    "head-and-one-byte": [-10],
    "all-but-one-byte": [-1],
    "byte-by-byte": range(1, len(post(b"hello world"))),
}


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS.keys())
def test_a_request_however_it_was_cut(one, cuts):
    for round in range(2):
        whole = post(b"hello world")
        places = [0, *sorted(c if c >= 0 else len(whole) + c for c in cuts), len(whole)]
        for start, end in zip(places, places[1:]):
            one.client.send(whole[start:end])
            time.sleep(0.002 if len(places) < 10 else 0)
        assert one.client.response().status == 200
        assert one.server.requests[round].body == b"hello world"


CHUNKED = chunks_of(b"hello", b" ", b"world" * 100)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("way", ["request", "response"])
def test_a_chunked_body_however_it_was_cut(stage, way, step):
    pieces = [CHUNKED[i:i + step] for i in range(0, len(CHUNKED), step)]

    def answer(request, peer):
        if way == "request":
            return response()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            peer.send(piece)

    server = stage.server(answer)
    client = stage.client(stage.balancer([server], threads=1))
    if way == "request":
        client.send(b"POST / HTTP/1.1\r\nHost: test\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            client.send(piece)
        assert client.response().status == 200
        body = server.requests[0].body
    else:
        body = client.get("/").body
    assert body == b"hello " + b"world" * 100
    assert client.get("/after").status == 200, "the connection goes on"


def test_chunked_in_any_case_is_chunked(one):
    one.client.ask(b"POST / HTTP/1.1\r\nHost: test\r\n"
                   b"transfer-encoding:  ChUnKeD \r\n\r\n"
                   + CHUNKED)
    assert one.server.requests[0].body == b"hello " + b"world" * 100


def test_trailers_and_chunk_extensions_do_no_harm(one):
    body = (b'5;name=value;other="quoted"\r\nhello\r\n0;last\r\n'
            b"X-Sum: 1\r\nX-More: 2\r\n\r\n")
    one.client.ask(b"POST / HTTP/1.1\r\nHost: test\r\nTrailer: X-Sum\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n" + body)
    request = one.server.requests[0]
    assert request.body == b"hello"
    assert request.trailers.get("x-sum") == "1" and request.trailers.get("x-more") == "2"
    assert one.client.get("/").status == 200


def test_trailers_reach_the_client(stage):
    server = stage.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                          b"Trailer: X-Sum\r\n\r\n"
                          + chunks_of(b"hi", trailers=b"X-Sum: 1\r\n"))
    answer = stage.get(stage.balancer([server]), "/", "TE: trailers")
    assert answer.body == b"hi" and answer.trailers.get("x-sum") == "1"


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_a_body_where_it_means_nothing_is_passed_on_all_the_same(one, method):
    request = post(b"hello").replace(b"POST", method.encode(), 1)
    assert one.client.ask(request).status == 200
    assert one.server.requests[0].body == b"hello"


def test_an_empty_body(one):
    assert one.client.ask(post(b"")).status == 200
    assert one.server.requests[0].framing == "length"
    assert one.client.ask(post_chunked()).status == 200
    assert one.server.requests[1].length == 0


# Responses without a body


@pytest.mark.parametrize("fields, framing", [
    (["Content-Length: 5"], "length"), (["Transfer-Encoding: chunked"], "chunked")])
def test_head_has_the_fields_and_no_body(stage, fields, framing):
    server = stage.server("\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode())
    client = stage.client(stage.balancer([server]))
    for _ in range(2):
        answer = client.ask(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert answer.status == 200
        if framing == "length":
            assert answer.fields.get("content-length") == "5"
    assert client.silent(0.05), "no body follows"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_status_without_a_body(stage, status):
    fields = "ETag: x\r\n" + ("Content-Length: 5\r\n" if status[:3] == "304" else "")
    server = stage.server(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode())
    client = stage.client(stage.balancer([server]))
    for _ in range(2):
        answer = client.get("/")
        assert answer.status == int(status[:3]) and answer.fields.get("etag") == "x"
    assert client.silent(0.05), "no body follows"


def test_large_chunks_pass_unchanged_and_the_connection_goes_on(stage):
    """Chunks of which most is never looked at, and small ones between them."""
    sizes = [1 << 20, 5, 200_000, 32 << 10, 1, 3 << 20]
    chunks = [os.urandom(size) for size in sizes]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = stage.server(head + framed + b"0\r\nSum: 1\r\n\r\n")
    client = stage.client(stage.balancer([server]))
    for _ in range(3):
        answer = client.get("/")
        assert answer.length == sum(sizes)
        assert answer.digest == hashlib.sha256(b"".join(chunks)).hexdigest()
    assert len(server.peers) == 1
