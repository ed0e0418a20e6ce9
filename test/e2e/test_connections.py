"""Connections on both sides: kept, pipelined, closed at the wrong moment."""

import os
import threading
import time

import pytest

from harness.patience import PATIENCE
from harness.requests import GET, get, post, post_chunked
from harness.server import response

BLOCK = os.urandom(1 << 20)


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
    fast = stage.server(lambda request, peer: response(request.target))
    servers = [stage.server(slow), fast]
    client = stage.client(stage.balancer(servers))
    client.send(b"".join(get(f"/{i}") for i in range(10)))
    for i in range(10):
        assert client.response().body == f"/{i}".encode()


def test_pipelined_requests_with_bodies(one):
    bodies = [b"a" * 10, b"", b"b" * 100_000, b"c"]
    pairs = [post(body) + post_chunked(body or b"x") for body in bodies]
    one.client.send(b"".join(pairs) + GET)
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
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
    client.send(b"x" * 1000)
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


def test_an_answer_is_not_kept_back_by_a_slow_one_behind_it(stage):
    """Answers of pipelined requests may share a packet, but do not wait for it."""
    slow = threading.Event()

    def answers(request, peer):
        if request.target == "/slow":
            slow.wait(PATIENCE)
        return response(request.target)

    client = stage.client(stage.balancer([stage.server(answers)]))
    client.send(get("/quick") + get("/slow"))
    assert client.response().body == b"/quick"
    slow.set()
    assert client.response().body == b"/slow"
