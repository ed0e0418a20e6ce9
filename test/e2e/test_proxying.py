"""What goes through unchanged, and what a proxy has to change (RFC 9110, RFC 9112)."""

import hashlib
import os
import threading
import time

import pytest

from harness.message import Cut
from harness.patience import PATIENCE
from harness.server import response

MIB = 1 << 20
LARGE = 64 * MIB
BLOCK = os.urandom(MIB)

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def get(target, *fields, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post(body, *fields, target="/"):
    lines = [f"POST {target} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}",
             *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def post_chunked(*chunks, trailers=b"", fields=b""):
    head = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n" + fields
    return head + b"\r\n" + chunks_of(*chunks, trailers=trailers)


def chunks_of(*chunks, trailers=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailers + b"\r\n"


@pytest.fixture
def one(stage):
    """A server, balancerd in front of it, a client of that."""
    class One:
        pass
    one = One()
    one.server = stage.server()
    one.balancer = stage.balancer([one.server], threads=1)
    one.client = stage.client(one.balancer)
    return one


# Heads


def test_method_target_and_fields_reach_the_server(one):
    one.client.send(b"PURGE /a%20b;c?d=e&f HTTP/1.1\r\nHost: test\r\n"
                    b"X-One: 1\r\nx-two:  a  b \t\r\nX-One: 3\r\nEmpty:\r\n\r\n")
    assert one.client.response().status == 200
    request = one.server.requests[0]
    assert request.line == b"PURGE /a%20b;c?d=e&f HTTP/1.1"
    assert request.fields.get("host") == "test"
    assert request.fields.all("x-one") == ["1", "3"]
    assert request.fields.get("x-two") == "a  b"
    assert request.fields.get("empty") == ""


@pytest.mark.parametrize("method", ["get", "M" * 32, "A!#$%&'*+-.^_`|~9"])
def test_a_method_nobody_knows_is_passed_on_as_it_is(one, method):
    one.client.send(f"{method} / HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    assert one.client.response().status == 200
    assert one.server.requests[0].method == method


def test_status_reason_and_fields_reach_the_client(stage):
    server = stage.server(response("x", "299 Odd But Fine", "X-One: 1", "X-One: 2",
                                   "Set-Cookie: a=b", "Set-Cookie: c=d"))
    answer = stage.get(stage.balancer([server]))
    assert (answer.status, answer.reason) == (299, "Odd But Fine")
    assert answer.fields.all("x-one") == ["1", "2"]
    assert answer.fields.all("set-cookie") == ["a=b", "c=d"]


@pytest.mark.parametrize("value", ["caf\xe9", "a\tb", '"quoted"', "~!@#$%^&*()"])
def test_any_allowed_byte_of_a_value_goes_both_ways(stage, value):
    server = stage.server(response("x", "200 OK", f"X-Value: {value}"))
    answer = stage.get(stage.balancer([server]), "/", f"X-Value: {value}")
    assert answer.fields.get("x-value") == value
    assert server.requests[0].fields.get("x-value") == value


def test_four_empty_lines_before_a_request_are_skipped(one):
    assert one.client.ask(b"\r\n" * 4 + GET, "GET").status == 200


def test_a_head_byte_by_byte(one):
    one.client.send_bytewise(get("/slowly", "X-Field: value"))
    assert one.client.response().status == 200
    assert one.server.requests[0].fields.get("x-field") == "value"


def test_a_response_byte_by_byte(stage):
    def bytewise(request, peer):
        for byte in response("hello", "200 OK", "X-Field: value"):
            peer.send(bytes([byte]))
    answer = stage.get(stage.balancer([stage.server(bytewise)]))
    assert answer.body == b"hello" and answer.fields.get("x-field") == "value"


# Fields that a proxy removes, sets and adds to


HOP_BY_HOP = ["Connection: keep-alive", "Keep-Alive: timeout=5", "Proxy-Connection: close",
              "TE: trailers, deflate", "Upgrade: websocket", "HTTP2-Settings: AAMAAABk"]


@pytest.mark.parametrize("field", HOP_BY_HOP)
def test_a_hop_by_hop_field_does_not_reach_the_server(one, field):
    one.client.get("/", field)
    name, _, value = field.partition(": ")
    values = one.server.requests[0].fields.all(name)
    assert value not in values
    assert name.lower() in ("connection", "te") or not values


def test_what_connection_names_does_not_reach_the_server(one):
    one.client.get("/", "X-Secret: 1", "Connection: X-Secret, x-other", "X-Other: 2",
                   "X-Kept: 3", "Connection: X-Third", "X-Third: 4")
    fields = one.server.requests[0].fields
    assert fields.get("x-kept") == "3"
    for gone in ("x-secret", "x-other", "x-third"):
        assert gone not in fields
    assert not any("x-" in value.lower() for value in fields.all("connection"))


def test_what_connection_names_does_not_reach_the_client(stage):
    server = stage.server(response("x", "200 OK", "Connection: X-Secret", "X-Secret: 1",
                                   "Keep-Alive: timeout=5", "X-Kept: 2",
                                   "Proxy-Connection: keep-alive"))
    fields = stage.client(stage.balancer([server])).get("/").fields
    assert fields.get("x-kept") == "2"
    for gone in ("x-secret", "keep-alive", "proxy-connection"):
        assert gone not in fields


def test_te_trailers_is_passed_on_only_as_trailers(one):
    one.client.get("/", "TE: trailers, deflate", "Connection: TE")
    values = one.server.requests[0].fields.all("te")
    assert values in ([], ["trailers"])


def test_a_server_that_closes_does_not_close_the_clients_connection(stage):
    def last(request, peer):
        peer.send(response("x", "200 OK", "Connection: close"))
        peer.close()
    server = stage.server(last)
    client = stage.client(stage.balancer([server], threads=1))
    for _ in range(3):
        answer = client.get("/")
        assert answer.status == 200 and "connection" not in answer.fields
    assert len(server.peers) == 3


def test_a_client_that_closes_does_not_close_the_servers_connection(stage):
    server = stage.server()
    balancer = stage.balancer([server], threads=1)
    for _ in range(5):
        client = stage.client(balancer)
        assert client.get("/", "Connection: close").fields.get("connection") == "close"
        client.sees_the_end()
    assert len(server.peers) == 1 and len(server.requests) == 5


def test_via_and_x_forwarded_are_set(one):
    one.client.get("/")
    fields = one.server.requests[0].fields
    assert fields.get("via") == "1.1 balancerd"
    assert fields.get("x-forwarded-for") == "127.0.0.1"
    assert fields.get("x-forwarded-proto") == "http"
    assert fields.get("x-forwarded-host") == "test"


def test_via_and_x_forwarded_for_are_added_to(one):
    one.client.get("/", "Via: 1.0 first", "X-Forwarded-For: 192.0.2.1",
                   "X-Forwarded-Proto: gopher", "X-Forwarded-Host: spoofed")
    fields = one.server.requests[0].fields
    joined = ", ".join(fields.all("via"))
    assert joined == "1.0 first, 1.1 balancerd"
    assert ", ".join(fields.all("x-forwarded-for")) == "192.0.2.1, 127.0.0.1"
    assert fields.get("x-forwarded-proto") == "http", "a client cannot set it"
    assert fields.get("x-forwarded-host") == "test", "a client cannot set it"


def test_via_names_the_version_that_came(one):
    one.client.send(get("/", version="1.0"))
    one.client.response()
    assert one.server.requests[0].fields.get("via") == "1.0 balancerd"
    assert one.server.requests[0].line == b"GET / HTTP/1.1"


def test_forwarded_by_choice(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="headers forwarded")
    stage.get(balancer)
    fields = server.requests[0].fields
    parts = set(fields.get("forwarded").lower().replace('"', "").split(";"))
    assert {"for=127.0.0.1", "proto=http", "host=test"} <= parts
    assert "via" not in fields and "x-forwarded-for" not in fields


def test_no_such_fields_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], listen="headers none"))
    names = server.requests[0].fields.names()
    assert not [n for n in names if "forwarded" in n or n == "via"]


# Host and the forms of a target


@pytest.mark.parametrize("host", ["test", "test:8080", "127.0.0.1:80", "[::1]:80", "TeSt."])
def test_host_is_preserved(one, host):
    one.client.ask(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert one.server.requests[0].fields.get("host") == host


def test_host_of_the_server_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], pool="host server"))
    assert server.requests[0].fields.get("host") == str(server)


def test_a_fixed_host_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], pool="host www.example.com"))
    assert server.requests[0].fields.get("host") == "www.example.com"


@pytest.mark.parametrize("target, line", [
    ("http://other/a?b", b"GET /a?b HTTP/1.1"),
    ("http://other", b"GET / HTTP/1.1"),
    ("http://other?b", b"GET /?b HTTP/1.1"),
    ("HTTP://other/", b"GET / HTTP/1.1"),
])
def test_an_absolute_target_becomes_a_path_and_its_authority_the_host(one, target, line):
    one.client.ask(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    assert one.server.requests[0].line == line
    assert one.server.requests[0].fields.get("host") == "other"


def test_options_of_the_whole_server(one):
    one.client.ask(b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n")
    assert one.server.requests[0].line == b"OPTIONS * HTTP/1.1"


def test_options_of_an_absolute_target_without_a_path_is_of_the_whole_server(one):
    """RFC 9112, section 3.2.4."""
    one.client.ask(b"OPTIONS http://other HTTP/1.1\r\nHost: other\r\n\r\n")
    assert one.server.requests[0].line == b"OPTIONS * HTTP/1.1"


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
        client.send(b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            client.send(piece)
        assert client.response().status == 200
        body = server.requests[0].body
    else:
        body = client.get("/").body
    assert body == b"hello " + b"world" * 100
    assert client.get("/after").status == 200, "the connection goes on"


def test_chunked_in_any_case_is_chunked(one):
    one.client.ask(b"POST / HTTP/1.1\r\nHost: test\r\ntransfer-encoding:  ChUnKeD \r\n\r\n"
                   + CHUNKED)
    assert one.server.requests[0].body == b"hello " + b"world" * 100


def test_trailers_and_chunk_extensions_do_no_harm(one):
    body = b'5;name=value;other="quoted"\r\nhello\r\n0;last\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n'
    one.client.ask(b"POST / HTTP/1.1\r\nHost: test\r\nTrailer: X-Sum\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n" + body)
    request = one.server.requests[0]
    assert request.body == b"hello"
    assert request.trailers.get("x-sum") == "1" and request.trailers.get("x-more") == "2"
    assert one.client.get("/").status == 200


def test_trailers_reach_the_client(stage):
    server = stage.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                          b"Trailer: X-Sum\r\n\r\n" + chunks_of(b"hi", trailers=b"X-Sum: 1\r\n"))
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


# Keep-alive and pipelining


def test_requests_of_one_client_share_one_connection_to_the_server(one):
    for i in range(20):
        assert one.client.get(f"/{i}").status == 200
    assert len(one.server.peers) == 1
    assert one.server.targets == [f"/{i}" for i in range(20)]


def test_requests_of_many_clients_share_one_connection_to_the_server(stage):
    server = stage.server()
    balancer = stage.balancer([server], threads=1)
    for _ in range(20):
        assert stage.get(balancer).status == 200
    assert len(server.peers) == 1


def test_no_idle_connections_are_kept_when_none_are_wanted(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool="keep 0", threads=1)
    client = stage.client(balancer)
    for _ in range(3):
        assert client.get("/").status == 200
    assert len(server.peers) == 3


def test_pipelined_requests_are_answered_in_order(stage):
    server = stage.server(lambda request, peer: response(request.target))
    client = stage.client(stage.balancer([server]))
    client.send(b"".join(get(f"/{i}") for i in range(50)))
    for i in range(50):
        assert client.response().body == f"/{i}".encode()


def test_pipelined_requests_are_answered_in_order_by_servers_of_different_speed(stage):
    def slow(request, peer):
        time.sleep(0.05)
        return response(request.target)
    servers = [stage.server(slow), stage.server(lambda request, peer: response(request.target))]
    client = stage.client(stage.balancer(servers))
    client.send(b"".join(get(f"/{i}") for i in range(10)))
    for i in range(10):
        assert client.response().body == f"/{i}".encode()


def test_pipelined_requests_with_bodies(one):
    bodies = [b"a" * 10, b"", b"b" * 100_000, b"c"]
    one.client.send(b"".join(post(body) + post_chunked(body or b"x") for body in bodies) + GET)
    for _ in range(9):
        assert one.client.response().status == 200
    assert [r.body for r in one.server.requests[:8:2]] == bodies
    assert [r.body for r in one.server.requests[1:8:2]] == [b or b"x" for b in bodies]


def test_what_is_pipelined_behind_close_is_not_served(one):
    one.client.send(get("/1") + get("/2", "Connection: close") + get("/3"))
    assert one.client.response().status == 200
    assert one.client.response().fields.get("connection") == "close"
    one.client.sees_the_end()
    assert one.server.targets == ["/1", "/2"]


def test_a_client_that_says_it_will_send_no_more_gets_its_answers(one):
    one.client.send(get("/1") + get("/2"))
    one.client.finish()
    assert one.client.response().status == 200
    assert one.client.response().status == 200
    one.client.sees_the_end()


# HTTP/1.0


def test_a_version_1_0_client_is_answered_and_closed(one):
    one.client.send(b"GET / HTTP/1.0\r\n\r\n")
    answer = one.client.response()
    assert answer.status == 200 and answer.body == b"hello"
    one.client.sees_the_end()
    assert one.server.requests[0].minor == 1


def test_a_version_1_0_client_may_ask_to_stay(one):
    for _ in range(3):
        answer = one.client.ask(get("/", "Connection: keep-alive", version="1.0"))
        assert answer.status == 200
        assert answer.fields.get("connection").lower() == "keep-alive"
    assert len(one.server.requests) == 3


def test_a_version_1_0_client_gets_no_chunks(stage):
    server = stage.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          + chunks_of(b"hello", b"world", trailers=b"X: y\r\n"))
    client = stage.client(stage.balancer([server]))
    answer = client.ask(get("/", "Connection: keep-alive", version="1.0"))
    assert answer.framing == "close" and answer.body == b"helloworld"
    assert "transfer-encoding" not in answer.fields


def test_a_version_1_0_client_gets_no_interim_response(stage):
    server = stage.server(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + response())
    client = stage.client(stage.balancer([server]))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.reader.response().status == 200


def test_a_version_1_0_server(stage):
    def old(request, peer):
        peer.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
        peer.close()
    server = stage.server(old)
    client = stage.client(stage.balancer([server]))
    for _ in range(2):
        answer = client.get("/")
        assert answer.line == b"HTTP/1.1 200 OK"
        assert answer.framing == "chunked" and answer.body == b"hello"


def test_a_version_1_0_server_that_stays(stage):
    server = stage.server(response("hello", "200 OK", "Connection: keep-alive")
                          .replace(b"HTTP/1.1", b"HTTP/1.0"))
    client = stage.client(stage.balancer([server], threads=1))
    for _ in range(3):
        assert client.get("/").body == b"hello"
    assert len(server.peers) == 1


def test_versions_beyond_1_1_are_understood_as_1_1(one):
    one.client.send(get("/", version="1.2"))
    assert one.client.response().minor == 1
    assert one.client.get("/").status == 200


# 1xx


def test_interim_responses_are_passed_on(stage):
    server = stage.server(b"HTTP/1.1 102 Processing\r\n\r\n"
                          b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + response())
    client = stage.client(stage.balancer([server]))
    client.send(GET)
    assert client.interim().status == 102
    hints = client.interim()
    assert hints.status == 103 and hints.fields.get("link") == "</x>"
    assert client.response().body == b"hello"
    assert client.get("/").status == 200


def expects_continue(says):
    """A server that says something when a head has come, and then reads the body."""
    def life(peer):
        while not peer.done:
            peer.next_request(on_head=lambda request: says(request, peer))
            peer.send(response("done"))
    return life


EXPECT = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"


def test_100_continue_is_asked_of_the_server(stage):
    heads = []

    def go_on(request, peer):
        heads.append(request)
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    server = stage.server(on_connection=expects_continue(go_on))
    client = stage.client(stage.balancer([server], threads=1))
    for _ in range(2):
        client.send(EXPECT)
        assert client.interim().status == 100
        client.send(b"hello")
        assert client.response().body == b"done"
    assert heads[0].fields.get("expect").lower() == "100-continue"
    assert [r.body for r in server.requests] == [b"hello"] * 2


def test_a_client_that_does_not_wait_for_100_is_served(stage):
    def go_on(request, peer):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    server = stage.server(on_connection=expects_continue(go_on))
    client = stage.client(stage.balancer([server]))
    client.send(EXPECT + b"hello")
    assert client.response().body == b"done"
    assert server.requests[0].body == b"hello"


def test_a_server_that_never_says_100_gets_the_body_when_the_client_sends_it(stage):
    server = stage.server(response("done"))
    client = stage.client(stage.balancer([server]))
    client.send(EXPECT)
    assert client.silent(0.1)
    client.send(b"hello")
    assert client.response().body == b"done"


def test_a_server_that_refuses_instead_of_100_is_heard_at_once(stage):
    def refuses(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        peer.send(response("no", "403 Forbidden", "Connection: close"))
        peer.close()
    server = stage.server(on_connection=refuses)
    client = stage.client(stage.balancer([server]))
    client.send(EXPECT)
    answer = client.response()
    assert answer.status == 403 and answer.body == b"no"


def test_a_refusal_leaves_the_connection_in_a_state_both_understand(stage):
    """After a final answer instead of 100 the client may send the body or not: so the
    connection ends, or the body is awaited. The next request is never taken for it."""
    def refuses(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        peer.send(response("no", "417 Expectation Failed"))
        peer.reader.fill()
    server = stage.server(on_connection=refuses)
    client = stage.client(stage.balancer([server]))
    client.send(EXPECT)
    answer = client.response()
    assert answer.status == 417
    if answer.fields.get("connection") == "close":
        client.sees_the_end()


def test_an_expectation_of_a_version_1_0_client_is_not_an_expectation(stage):
    """RFC 9110, section 10.1.1."""
    server = stage.server(response("done"))
    client = stage.client(stage.balancer([server]))
    client.send(EXPECT.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
    assert client.response().body == b"done"


# Early answers and connections that close at the wrong moment


def test_an_answer_before_the_body_has_come_reaches_a_client_that_is_still_sending(stage):
    def impatient(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        peer.send(response("too large", "413 Content Too Large", "Connection: close"))
        peer.finish()
        while peer.reader.fill():
            peer.reader.waiting.clear()
    server = stage.server(on_connection=impatient)
    client = stage.client(stage.balancer([server], listen="body-size 1g"))
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n")
    client.send(BLOCK)
    answer = client.response()
    assert answer.status == 413 and answer.body == b"too large"
    client.send(BLOCK)
    client.sees_the_end()


def test_an_answer_and_a_reset_while_the_client_is_sending(stage):
    """The server answers, closes with unread bytes and so resets the connection."""
    def rude(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        peer.send(response("no", "401 Unauthorized", "Connection: close"))
        time.sleep(0.05)
        peer.close()
    server = stage.server(on_connection=rude)
    client = stage.client(stage.balancer([server]))
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
    answer = client.response()
    assert answer.status == 401 and answer.body == b"no"


def closes_when_idle(closed):
    """A server that serves one request per connection and closes it without a word
    when the second one begins to arrive."""
    def life(peer):
        peer.next_request()
        peer.send(response(f"{len(peer.server.peers)}"))
        peer.reader.fill()
        closed.append(bytes(peer.reader.waiting))
        peer.close()
    return life


@pytest.mark.parametrize("request_bytes", [GET, get("/").replace(b"GET", b"DELETE", 1),
                                           post(b"hello").replace(b"POST", b"PUT", 1)],
                         ids=["get", "delete", "put-with-a-small-body"])
def test_a_request_that_meets_a_closing_connection_is_sent_again(stage, request_bytes):
    """Idempotent, and not a byte of an answer has come: the client notices nothing."""
    closed = []
    server = stage.server(on_connection=closes_when_idle(closed))
    client = stage.client(stage.balancer([server], threads=1))
    assert client.ask(request_bytes).body == b"1"
    assert client.ask(request_bytes).body == b"2"
    assert closed[0].startswith(request_bytes[:3])


def test_post_on_a_connection_that_closes_under_it_is_not_sent_twice(stage):
    """The server may have acted on it. 502, and the next one works."""
    closed = []
    server = stage.server(on_connection=closes_when_idle(closed))
    client = stage.client(stage.balancer([server], threads=1, pool="passive off"))
    assert client.ask(post(b"hello")).status == 200
    assert client.ask(post(b"hello")).status == 502
    assert len(server.requests) == 1, "no second connection has seen it"
    assert closed[0].startswith(b"POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_pooled_connection_that_has_closed_before_is_never_used(stage, method):
    """The end of the idle connection has arrived: it is noticed before a request is
    sent on it, so that even a POST goes through."""
    def once(peer):
        peer.next_request()
        peer.send(response())
        peer.close()
    server = stage.server(on_connection=once)
    client = stage.client(stage.balancer([server], threads=1))
    request = GET if method == "GET" else post(b"hello")
    for _ in range(5):
        assert client.ask(request).status == 200
        stage.until(lambda: all(peer.done for peer in server.peers), "it has closed")
        time.sleep(0.02)
    assert len(server.requests) == 5


def test_a_client_that_goes_away_frees_the_server(stage):
    gone = threading.Event()

    def waits(request, peer):
        if request.target == "/wait":
            gone.set() if not peer.reader.fill() else None
            return None
        return response()

    server = stage.server(waits)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(get("/wait"))
    server.waits_for(1)
    client.reset()
    assert gone.wait(PATIENCE), "the server's connection ends"
    assert stage.get(balancer).status == 200


# Upgrade


UPGRADE = get("/chat", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")
SWITCHING = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
             b"Upgrade: websocket\r\n\r\n")


def test_an_upgrade_becomes_a_tunnel(stage):
    def echo(peer):
        request = peer.next_request()
        heads.append(request)
        peer.send(SWITCHING + b"welcome")
        while peer.reader.waiting or peer.reader.fill():
            peer.send(bytes(peer.reader.waiting))
            peer.reader.waiting.clear()
        peer.send(b"goodbye")
    heads = []
    client = stage.client(stage.balancer([stage.server(on_connection=echo)]))
    answer = client.ask(UPGRADE)
    assert answer.status == 101
    assert answer.fields.get("upgrade") == "websocket"
    assert "upgrade" in answer.fields.get("connection").lower()
    assert heads[0].fields.get("upgrade") == "websocket"
    assert heads[0].fields.get("connection").lower() == "upgrade"
    client.receives(b"welcome")
    for piece in (b"\x81\x05hello", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100_000):
        client.send(piece)
        client.receives(piece)
    client.finish()
    client.receives(b"goodbye")
    client.sees_the_end()


def test_bytes_sent_along_with_an_upgrade_belong_to_the_tunnel(stage):
    def echo(peer):
        peer.next_request()
        peer.send(SWITCHING)
        peer.send(b"".join(bytes(p) for p in peer.reader.pieces(5, "early bytes", None)))
    client = stage.client(stage.balancer([stage.server(on_connection=echo)]))
    assert client.ask(UPGRADE + b"early").status == 101
    client.receives(b"early")
    client.sees_the_end()


def test_the_server_ends_its_half_of_a_tunnel_first(stage):
    received = []

    def half(peer):
        peer.next_request()
        peer.send(SWITCHING + b"last words")
        peer.finish()
        received.append(b"".join(map(bytes, peer.reader.pieces(5, "the rest", None))))

    client = stage.client(stage.balancer([stage.server(on_connection=half)]))
    assert client.ask(UPGRADE).status == 101
    client.receives(b"last words")
    client.sees_the_end()
    client.send(b"still")
    stage.until(lambda: received == [b"still"], "the other half still carries")


def test_a_large_flow_through_a_tunnel(stage):
    def pours(peer):
        peer.next_request()
        peer.send(SWITCHING)
        for _ in range(16):
            peer.send(BLOCK)
    client = stage.client(stage.balancer([stage.server(on_connection=pours)]))
    assert client.ask(UPGRADE).status == 101
    for _ in range(16):
        client.receives(BLOCK)
    client.sees_the_end()


def test_a_refused_upgrade_is_an_ordinary_response(one):
    assert one.client.ask(UPGRADE).status == 200
    assert one.client.get("/").status == 200


@pytest.mark.parametrize("fields", [
    ["Upgrade: websocket"], ["Connection: keep-alive", "Upgrade: websocket"],
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]],
    ids=["not-named", "connection-names-something-else", "h2c"])
def test_an_upgrade_that_is_none_is_not_passed_on(one, fields):
    one.client.get("/", *fields)
    sent = one.server.requests[0].fields
    assert "upgrade" not in sent and "http2-settings" not in sent
    assert "upgrade" not in (sent.get("connection") or "").lower()


# Routes


def test_routes_by_host_and_path(stage):
    api, files, rest = stage.origins(3)
    port = stage.port()
    balancer = stage.run(f"""
        threads 1
        listen http 127.0.0.1:{port} {{
            route host api.example.com path /v1/ to api
            route path /files/ to files
            route host *.example.org to files
            to rest
        }}
        pool api {{ check off; server {api} }}
        pool files {{ check off; server {files} }}
        pool rest {{ check off; server {rest} }}
    """, port)
    client = stage.client(balancer)

    def where(host, path):
        return client.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).body

    assert where("api.example.com", "/v1/users") == b"0"
    assert where("API.Example.COM", "/v1/users") == b"0"
    assert where("api.example.com:8080", "/v1/users") == b"0"
    assert where("api.example.com", "/v2/users") == b"2"
    assert where("any", "/files/x?y") == b"1"
    assert where("www.example.org", "/") == b"1"
    assert where("example.com", "/V1/") == b"2"
    assert where("other", "http://api.example.com/v1/") == b"0", "the authority decides"


def test_no_route_fits(stage):
    server = stage.server()
    port = stage.port()
    balancer = stage.run(f"""
        listen http 127.0.0.1:{port} {{ route host known to web }}
        pool web {{ check off; server {server} }}
    """, port)
    client = stage.client(balancer)
    assert client.get("/").status == 404
    assert client.ask(b"GET / HTTP/1.1\r\nHost: known\r\n\r\n").status == 200
    assert client.ask(post(b"x" * 1000)).status == 404
    assert len(server.requests) == 1


def test_a_body_cut_by_the_server_is_cut_for_the_client(stage):
    def dies(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        peer.reset()
    client = stage.client(stage.balancer([stage.server(dies)], pool="passive off"))
    with pytest.raises(Cut):
        client.get("/")
