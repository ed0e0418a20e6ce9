"""HTTP/1.0 on either side, interim responses, and upgrades to something else."""

import os

import pytest

from harness.requests import GET, chunks_of, get
from harness.server import response

BLOCK = os.urandom(1 << 20)


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


EXPECT = (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n"
          b"Expect: 100-continue\r\n\r\n")


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
