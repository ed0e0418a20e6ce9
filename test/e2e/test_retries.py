"""A failed server is noticed by nobody, as far as a request may be sent again.

May be: nothing of a response has reached the client, and the method is idempotent or
not a byte of the request has reached a server (RFC 9110, section 9.2.2).
"""

import socket
import time

import pytest

from harness.message import Cut
from harness.server import response

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def with_body(method, body):
    return b"%s / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (
        method, len(body), body)


POST = with_body(b"POST", b"hello")
PUT = with_body(b"PUT", b"hello")


def resets(request, peer):
    peer.reset()


def closes(request, peer):
    peer.close()


@pytest.mark.parametrize("request_bytes", [GET, POST, PUT], ids=["get", "post", "put"])
def test_a_refused_connection_leads_to_another_server(stage, request_bytes):
    good = stage.server()
    balancer = stage.balancer([stage.port(), good], pool="passive off")
    client = stage.client(balancer)
    for _ in range(6):
        assert client.ask(request_bytes).status == 200
    assert len(good.requests) == 6


@pytest.mark.parametrize("fails", [resets, closes])
@pytest.mark.parametrize("request_bytes", [GET, PUT], ids=["get", "put"])
def test_an_idempotent_request_that_is_lost_goes_to_another_server(
        stage, request_bytes, fails):
    bad, good = stage.server(fails), stage.server()
    client = stage.client(stage.balancer([bad, good], pool="passive off"))
    for _ in range(6):
        assert client.ask(request_bytes).status == 200
    assert len(bad.requests) >= 1, "it was tried"
    assert len(good.requests) == 6, "and nothing was sent there twice"
    assert {r.body for r in good.requests} == {request_bytes.partition(b"\r\n\r\n")[2]}


@pytest.mark.parametrize("fails", [resets, closes])
def test_a_post_that_is_lost_is_not_sent_twice(stage, fails):
    bad, good = stage.server(fails), stage.server()
    client = stage.client(stage.balancer([bad, good], pool="passive off"))
    statuses = [client.ask(POST).status for _ in range(6)]
    assert sorted(statuses) == [200] * 3 + [502] * 3
    assert len(bad.requests) == 3 and len(good.requests) == 3


def test_no_server_is_tried_twice(stage):
    servers = [stage.server(resets) for _ in range(3)]
    balancer = stage.balancer(servers, pool="retry 10; passive off")
    assert stage.get(balancer).status == 502
    assert [len(server.requests) for server in servers] == [1, 1, 1]


@pytest.mark.parametrize("retries", ["off", 1, 2])
def test_no_more_retries_than_allowed(stage, retries):
    servers = [stage.server(resets) for _ in range(4)]
    balancer = stage.balancer(servers, pool=f"retry {retries}; passive off")
    assert stage.get(balancer).status == 502
    allowed = 0 if retries == "off" else retries
    assert sum(len(server.requests) for server in servers) == 1 + allowed


def test_connections_refused_everywhere_are_a_502(stage):
    balancer = stage.balancer([stage.port(), stage.port()], pool="passive off")
    client = stage.client(balancer)
    answer = client.ask(POST)
    assert answer.status == 502 and len(answer.body) > 10
    assert client.ask(GET).status == 502, "the client's connection goes on"


def test_connections_late_everywhere_are_a_504(stage):
    balancer = stage.balancer([stage.blackhole()],
                              pool="timeout connect 200ms; passive off; retry off")
    assert stage.get(balancer).status == 504


def test_a_late_connection_leads_to_another_server(stage):
    good = stage.server()
    balancer = stage.balancer([stage.blackhole(), good],
                              pool="timeout connect 200ms; passive off")
    client = stage.client(balancer)
    for _ in range(2):
        assert client.ask(POST).status == 200


def test_nothing_is_sent_again_once_the_response_has_begun(stage):
    def dies_in_the_body(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.reset()
    bad, good = stage.server(dies_in_the_body), stage.server()
    client = stage.client(stage.balancer([bad, good], pool="passive off"))
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(client.ask(GET).status)
        except (Cut, ConnectionError):
            outcomes.append("cut")
            client = stage.client(stage.balancers[0])
    assert outcomes.count("cut") == 2 and outcomes.count(200) == 2
    assert len(good.requests) == 2


def test_a_body_that_is_no_longer_at_hand_is_not_sent_again(stage):
    """A body larger than any buffer is not kept for a second try."""
    def reads_a_part(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        read = 0
        while read < 1 << 20 and peer.reader.fill():
            read += len(peer.reader.waiting)
            peer.reader.waiting.clear()
        peer.reset()
    bad = stage.server(on_connection=reads_a_part)
    good = stage.server()
    balancer = stage.balancer([bad, good], pool="passive off", listen="body-size 1g")
    statuses = []
    for _ in range(2):
        client = stage.client(balancer)
        statuses.append(client.ask(with_body(b"PUT", b"x" * (8 << 20))).status)
    assert sorted(statuses) == [200, 502]
    assert [r.length for r in good.requests] == [8 << 20]


def test_a_body_that_comes_late_reaches_the_second_server_whole(stage):
    good = stage.server()
    client = stage.client(stage.balancer([stage.port(), good], pool="passive off"))
    for _ in range(2):
        client.send(POST[:-5])
        time.sleep(0.05)
        client.send(POST[-5:])
        assert client.response().status == 200
    assert [r.body for r in good.requests] == [b"hello"] * 2


def test_the_budget_bounds_what_retries_add(stage):
    """Retries are at most a share of the requests, beyond a small reserve: a pool that
    fails altogether is not asked twice as much."""
    bad = [stage.server(resets) for _ in range(2)]
    balancer = stage.balancer(bad, pool="retry 1 budget 20% reserve 5; passive off",
                              threads=1)
    client = stage.client(balancer)
    for _ in range(100):
        assert client.ask(GET).status == 502
    tries = sum(len(server.requests) for server in bad)
    assert 100 + 15 <= tries <= 100 + 26


def test_one_dead_server_of_three_fails_no_request(stage):
    servers = stage.origins(3)
    balancer = stage.balancer(servers)
    client = stage.client(balancer)
    for i in range(60):
        if i == 20:
            servers[1].die()
        if i == 40:
            servers[1].listen()
        assert client.ask(GET).status == 200


def test_a_server_dying_in_mid_load_fails_no_request(stage):
    servers = stage.origins(3)
    balancer = stage.balancer(servers)

    def asks():
        client = stage.client(balancer)
        return [client.ask(GET).status for _ in range(200)]

    running = [stage.aside(asks) for _ in range(8)]
    servers[0].waits_for(50)
    servers[0].die()
    for statuses in running:
        assert set(statuses.result()) == {200}


def test_a_response_that_broke_off_in_its_head_is_no_response(stage):
    def half_a_head(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        peer.reset()
    bad, good = stage.server(half_a_head), stage.server()
    client = stage.client(stage.balancer([bad, good], pool="passive off"))
    for _ in range(4):
        answer = client.ask(GET)
        assert answer.status == 502 or answer.body == b"hello"


def test_a_name_that_does_not_resolve_is_a_server_that_is_down(stage):
    good = stage.server()
    balancer = stage.balancer(["no-such-host.invalid:80", good])
    client = stage.client(balancer)
    for _ in range(4):
        assert client.ask(GET).status == 200


def test_a_server_may_be_a_name(stage):
    server = stage.server()
    balancer = stage.balancer([f"localhost:{server.port}"])
    stage.until(lambda: stage.get(balancer).status == 200, "localhost is found")


def test_a_server_may_be_a_unix_socket(stage, tmp_path):
    path = tmp_path / "app.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve():
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.sendall(response("from a unix socket"))
        sock.recv(65536)
        sock.close()

    served = stage.aside(serve)
    balancer = stage.balancer([f"unix:{path}"])
    assert stage.get(balancer).body == b"from a unix socket"
    balancer.terminate()
    served.result()
    listener.close()
