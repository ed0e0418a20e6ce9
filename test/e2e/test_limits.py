"""Every limit and every time limit, with values short enough to meet them."""

import threading
import time

import psutil
import pytest

from harness.message import Cut
from harness.patience import PATIENCE, seconds_of
from harness.server import response

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def put(length, body=b""):
    head = b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n"
    return head % length + body


class Gate:
    """A server's script that holds requests until they are let go, and counts how
    many were inside at once."""

    def __init__(self):
        self.open = threading.Event()
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, request, peer):
        return self.around(lambda request, peer: response(request.target))(request, peer)

    def around(self, answer):
        def counted(request, peer):
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            self.open.wait(PATIENCE)
            result = answer(request, peer)
            with self.lock:
                self.inside -= 1
            return result
        return counted


# Sizes


def test_head_size(stage):
    balancer = stage.balancer([stage.server()], listen="head-size 1k")
    client = stage.client(balancer)
    assert client.get("/", "Name: " + "a" * 800).status == 200
    assert client.get("/", "Name: " + "a" * 1200).status == 431
    client.sees_the_end()


def test_head_size_holds_without_an_end_in_sight(stage):
    balancer = stage.balancer([stage.server()], listen="head-size 1k")
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: test\r\nName: " + b"a" * 2000)
    assert client.response().status == 431
    client.sees_the_end()


def test_target_size(stage):
    balancer = stage.balancer([stage.server()], listen="target-size 100")
    client = stage.client(balancer)
    assert client.get("/" + "a" * 99).status == 200
    assert client.get("/" + "a" * 100).status == 414


def test_head_fields(stage):
    balancer = stage.balancer([stage.server()], listen="head-fields 5")
    client = stage.client(balancer)
    assert client.get("/", *["Name: value"] * 4).status == 200
    assert client.get("/", *["Name: value"] * 5).status == 431


def test_body_size_by_its_length_is_refused_before_a_server_is_asked(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="body-size 1k")
    client = stage.client(balancer)
    assert client.ask(put(1024, b"x" * 1024)).status == 200
    client.send(put(1025, b"x" * 1025))
    assert client.response().status == 413
    assert len(server.requests) == 1


def test_body_size_of_a_chunked_body_cuts_the_server_off(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="body-size 1k")
    client = stage.client(balancer)
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        client.send(b"200\r\n" + b"x" * 512 + b"\r\n")
    assert client.response().status == 413
    client.sees_the_end()
    assert server.requests == []


def test_the_answer_reaches_a_client_that_is_still_sending(stage):
    """Read on for a while after an early answer: a reset would destroy it."""
    balancer = stage.balancer([stage.server()], listen="body-size 1k; timeout linger 2s")
    client = stage.client(balancer)
    client.send(put(4 << 20, b"x" * (4 << 20)))
    assert client.response().status == 413


def test_linger_ends(stage):
    balancer = stage.balancer([stage.server()],
                              listen="body-size 1k; timeout linger 300ms")
    client = stage.client(balancer)
    assert client.ask(put(1 << 30)).status == 413
    took, _ = seconds_of(client.sees_the_end)
    assert took < 3


def test_requests_of_one_connection(stage):
    balancer = stage.balancer([stage.server()], listen="requests 3")
    client = stage.client(balancer)
    for _ in range(2):
        assert "connection" not in client.get("/").fields
    assert client.get("/").fields.get("connection") == "close"
    client.sees_the_end()


# Numbers at once


def test_connections_beyond_the_limit_wait_and_are_not_refused(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], listen="connections 2")
    clients = [stage.client(balancer) for _ in range(3)]
    for client in clients:
        client.send(GET)
    server.waits_for(2)
    assert clients[2].silent(0.2), "it waits"
    assert len(server.requests) == 2
    gate.open.set()
    for client in clients:
        assert client.response().status == 200


@pytest.mark.parametrize("threads", [1, 2])
def test_an_idle_connection_gives_its_place_to_one_that_waits(stage, threads):
    """Whichever thread the two belong to: of ten in a row some meet another's."""
    balancer = stage.balancer([stage.server()], listen="connections 1", threads=threads)
    clients = [stage.client(balancer)]
    assert clients[0].get("/").status == 200
    for _ in range(10):
        clients.append(stage.client(balancer))
        assert clients[-1].get("/").status == 200
        clients[-2].sees_the_end()


def test_a_connection_that_has_asked_nothing_yet_keeps_its_place(stage):
    """To end it would be to refuse it."""
    balancer = stage.balancer([stage.server()], listen="connections 1", threads=1)
    first = stage.client(balancer)
    first.send(b"G")
    second = stage.client(balancer)
    second.send(GET)
    assert second.silent(0.2), "it waits"
    first.send(GET[1:])
    assert first.response().status == second.response().status == 200


def test_a_listeners_parallel_requests_wait_in_line(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], listen="parallel 1 queue 1 wait 5s")
    first, second, third = (stage.client(balancer) for _ in range(3))
    first.send(GET)
    server.waits_for(1)
    second.send(GET)
    assert second.silent(0.1), "it waits"
    took, answer = seconds_of(lambda: third.ask(GET))
    assert answer.status == 503 and took < 1, "the queue is full: refused at once"
    gate.open.set()
    assert first.response().status == second.response().status == 200
    assert gate.most == 1


def test_waiting_for_a_listener_ends(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], listen="parallel 1 queue 9 wait 200ms")
    first, second = stage.client(balancer), stage.client(balancer)
    first.send(GET)
    server.waits_for(1)
    assert second.ask(GET).status == 503
    gate.open.set()
    assert first.response().status == 200
    assert second.ask(GET).status == 200


@pytest.mark.parametrize("setting", ["pool", "server"])
def test_a_server_is_never_given_more_than_it_takes(stage, setting):
    """Twelve at once, two at a time, and nobody is refused."""
    gate = Gate()
    gate.open.set()

    def takes_a_while(request, peer):
        time.sleep(0.02)
        return response()

    server = stage.server(gate.around(takes_a_while))
    if setting == "pool":
        balancer = stage.balancer([server], pool="parallel 2; queue 100 wait 5s")
    else:
        balancer = stage.balancer([f"{server} parallel 2"], pool="queue 100 wait 5s")
    asking = [stage.aside(lambda: stage.get(balancer).status) for _ in range(12)]
    assert [answer.result() for answer in asking] == [200] * 12
    assert gate.most == 2


def test_a_pools_queue_is_bounded(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], pool="parallel 1; queue 1 wait 5s")
    first, second, third = (stage.client(balancer) for _ in range(3))
    first.send(GET)
    server.waits_for(1)
    second.send(GET)
    assert second.silent(0.1)
    took, answer = seconds_of(lambda: third.ask(GET))
    assert answer.status == 503 and took < 1
    gate.open.set()
    assert first.response().status == second.response().status == 200


def test_waiting_in_a_pools_queue_ends(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], pool="parallel 1; queue 9 wait 200ms")
    first, second = stage.client(balancer), stage.client(balancer)
    first.send(GET)
    server.waits_for(1)
    assert second.ask(GET).status == 503
    gate.open.set()
    assert first.response().status == 200


def test_a_client_that_leaves_the_queue_leaves_no_trace(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], pool="parallel 1; queue 9 wait 5s")
    first, second, third = (stage.client(balancer) for _ in range(3))
    first.send(GET)
    server.waits_for(1)
    second.send(b"GET /gone HTTP/1.1\r\nHost: test\r\n\r\n")
    assert second.silent(0.1)
    second.reset()
    third.send(GET)
    assert third.silent(0.1)
    gate.open.set()
    assert first.response().status == third.response().status == 200
    assert "/gone" not in server.targets


def test_idle_connections_kept_per_server(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server], pool="keep 2; timeout idle 60s", threads=1)
    clients = [stage.client(balancer) for _ in range(5)]
    for client in clients:
        client.send(GET)
    server.waits_for(5)
    gate.open.set()
    for client in clients:
        assert client.response().status == 200
    stage.until(lambda: sum(not peer.done for peer in server.peers) == 2,
                "two connections stay")


# Time


def test_a_head_that_does_not_end_is_a_408(stage):
    balancer = stage.balancer([stage.server()], listen="timeout head 300ms")
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: te")
    took, answer = seconds_of(client.response)
    assert answer.status == 408 and 0.2 < took < 3
    client.sees_the_end()


def test_a_head_that_drips_is_a_408_all_the_same(stage):
    balancer = stage.balancer([stage.server()], listen="timeout head 300ms")
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: test\r\n")
    stop = threading.Event()

    def drip():
        while not stop.wait(0.05):
            client.send(b"a")

    stage.aside(drip)
    try:
        assert client.response().status == 408
    finally:
        stop.set()


def test_a_connection_without_a_request_is_closed_without_a_word(stage):
    balancer = stage.balancer([stage.server()],
                              listen="timeout keep-alive 300ms head 300ms")
    client = stage.client(balancer)
    took, _ = seconds_of(client.sees_the_end)
    assert took < 3
    client = stage.client(balancer)
    assert client.get("/").status == 200
    took, _ = seconds_of(client.sees_the_end)
    assert 0.2 < took < 3


def test_a_request_body_that_stops_ends_the_request(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="timeout body 300ms")
    client = stage.client(balancer)
    client.send(put(10, b"hello"))
    took, answer = seconds_of(client.response)
    assert answer.status == 408 and 0.2 < took < 3
    client.sees_the_end()
    assert server.requests == []
    stage.until(lambda: server.peers[0].cut, "the server is cut off")


def test_a_request_body_that_drips_is_taken(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="timeout body 400ms")
    client = stage.client(balancer)
    client.send(put(10))
    for _ in range(10):
        time.sleep(0.08)
        client.send(b"x")
    assert client.response().status == 200


def test_no_response_in_time_is_a_504(stage):
    gate = Gate()
    server = stage.server(gate)
    balancer = stage.balancer([server],
                              pool="timeout response 300ms; passive off; retry off")
    client = stage.client(balancer)
    took, answer = seconds_of(lambda: client.ask(GET))
    assert answer.status == 504 and 0.2 < took < 3
    gate.open.set()
    assert client.ask(GET).status == 200, "the client's connection goes on"
    assert len(server.peers) == 2, "the server's connection is not used again"


def test_a_response_head_that_drips_is_a_504(stage):
    def drips(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nName: ")
        for _ in range(100):
            peer.send(b"a")
            time.sleep(0.05)
    balancer = stage.balancer([stage.server(drips)],
                              pool="timeout response 300ms; passive off; retry off")
    took, answer = seconds_of(lambda: stage.get(balancer))
    assert answer.status == 504 and 0.2 < took < 2


def test_a_response_body_that_stops_is_cut(stage):
    def stops(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.reader.fill()
    server = stage.server(stops)
    balancer = stage.balancer([server], pool="timeout body 300ms")
    client = stage.client(balancer)

    def asks():
        with pytest.raises(Cut):
            client.ask(GET)

    took, _ = seconds_of(asks)
    assert 0.2 < took < 3


def test_a_response_body_that_drips_is_passed_on_as_it_comes(stage):
    def drips(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.08)
            peer.send(b"x")
    balancer = stage.balancer([stage.server(drips)], pool="timeout body 400ms")
    assert stage.get(balancer).body == b"x" * 10


def test_a_client_that_reads_nothing_is_cut(stage):
    block = b"x" * (1 << 20)

    def pours(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        while True:
            peer.send(block)

    server = stage.server(pours)
    balancer = stage.balancer([server], listen="timeout body 300ms")
    client = stage.client(balancer, receive_buffer=65536)
    client.send(GET)
    stage.until(lambda: server.peers and server.peers[0].done, "the server is let go")


def test_an_idle_connection_to_a_server_is_closed(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool="timeout idle 300ms")
    client = stage.client(balancer)
    assert client.get("/").status == 200
    took, _ = seconds_of(
        lambda: stage.until(lambda: server.peers[0].done, "it is closed"))
    assert took < 3
    assert client.get("/").status == 200
    assert len(server.peers) == 2


def test_a_silent_tunnel_is_closed(stage):
    def tunnel(peer):
        peer.next_request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                  b"Upgrade: echo\r\n\r\n")
        peer.reader.fill()
    server = stage.server(on_connection=tunnel)
    balancer = stage.balancer([server], listen="timeout tunnel 300ms")
    client = stage.client(balancer)
    answer = client.get("/", "Connection: upgrade", "Upgrade: echo")
    assert answer.status == 101
    took, _ = seconds_of(client.sees_the_end)
    assert 0.2 < took < 3


# Descriptors


def test_without_descriptors_accepting_pauses_and_goes_on(stage):
    """Nothing spins, nothing is lost: who waits is served when others have left."""
    server = stage.server()
    balancer = stage.balancer([server], threads=1)
    stage.until(lambda: "listening on" in balancer.log, "the start is over")
    limit = balancer.descriptors() + 10
    psutil.Process(balancer.pid).rlimit(psutil.RLIMIT_NOFILE, (limit, limit))
    clients = [stage.client(balancer) for _ in range(40)]
    for client in clients:
        client.send(GET)
    before = balancer.cpu_seconds()
    time.sleep(0.5)
    assert balancer.cpu_seconds() - before < 0.2, "it does not spin"
    assert balancer.descriptors() <= limit
    for client in clients:
        assert client.response().status in (200, 502, 503)
        client.close()
    stage.until(lambda: stage.get(balancer).status == 200, "all is well again")
