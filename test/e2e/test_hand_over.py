"""A listener with `admin legacy` hands connections over that ask for /rep, /add or /rm: as
the first request that is not answered yet, with what has been read of it, and as nobody's
place any more. What they are answered is in test_owned_calls.py."""

import json
import socket
import threading

import pytest

from harness.message import Ended
from harness.requests import get, post
from harness.server import response

NONE = {"message": {"N": 0, "replicas": []}, "status": "successful"}
BODY = b'{"n":1,"hostnames":["a","b"]}'


@pytest.fixture
def legacy(stage):
    """Makes a balancer in front of a server, and of a pool of which nothing is started."""
    def make(answer=None, listen="", threads=1):
        server = stage.server(answer)
        port = stage.port()
        text = "\n".join([
            f"threads {threads}", "drain 5s", f"listen http 127.0.0.1:{port} {{",
            "admin legacy own", "to web", *listen.split(";"), "}",
            "pool web {", "check off", f"server {server}", "}",
            "pool own {", "own process {", "command /bin/true", "min 0", "}", "}", ""])
        balancer = stage.run(text, port)
        balancer.server = server
        return balancer
    return make


def is_rep(answer):
    return (answer.status == 200 and json.loads(answer.body) == NONE
            and answer.fields.get("connection") == "close")


def about(balancer):
    return balancer.control.get("/v1/listeners")["listeners"][0]


@pytest.mark.parametrize("target", ["/rep", "/rep?x=1", "http://some.where/rep",
                                    "http://some.where/rep?"])
def test_it_is_known_by_its_path(stage, legacy, target):
    client = stage.client(balancer := legacy())
    assert is_rep(client.get(target))
    client.sees_the_end()
    assert not balancer.server.requests


@pytest.mark.parametrize("target", ["/", "/rep/", "/repa", "/Rep", "//rep", "/%72ep", "/re",
                                    "/x/rep", "/?/rep", "http://rep/", "http://rep"])
def test_all_other_paths_are_the_server_s(stage, legacy, target):
    client = stage.client(balancer := legacy())
    assert client.get(target).body == b"hello"
    assert len(balancer.server.requests) == 1


def test_without_the_word_they_are_the_server_s_too(stage):
    server = stage.server()
    client = stage.client(stage.balancer([server]))
    for target in ("/rep", "/add", "/rm"):
        assert client.get(target).body == b"hello"


def test_earlier_answers_come_first(stage, legacy):
    """However many are pipelined, those that are held to leave together among them."""
    client = stage.client(legacy())
    client.send(b"".join(get(f"/{i}") for i in range(40)) + get("/rep"))
    for _ in range(40):
        assert client.response().body == b"hello"
    assert is_rep(client.response())
    client.sees_the_end()


def test_an_earlier_request_that_is_under_way_is_answered_first(stage, legacy):
    def waits(request, peer):
        peer.server.asked.set()
        assert peer.server.may_go.wait(10)
        return response("late")
    balancer = legacy(waits)
    balancer.server.asked, balancer.server.may_go = threading.Event(), threading.Event()
    client = stage.client(balancer)
    client.send(get("/slow") + get("/rep"))
    assert balancer.server.asked.wait(10)
    assert client.silent(0.05)
    balancer.server.may_go.set()
    assert client.response().body == b"late"
    assert is_rep(client.response())


def test_earlier_answers_that_the_client_does_not_take_come_first(stage, legacy):
    size = 4 << 20
    client = stage.client(legacy(response(b"x" * size)), receive_buffer=4096)
    client.send(get("/large") + get("/rep"))
    assert client.response().length == size
    assert is_rep(client.response())


def test_what_follows_is_not_read(stage, legacy):
    balancer = legacy()
    client = stage.client(balancer)
    client.send(get("/rep") + get("/never"))
    assert is_rep(client.response())
    client.sees_the_end()
    assert not balancer.server.requests


@pytest.mark.parametrize("cut", [0, 1, 10, len(BODY) - 1, len(BODY)])
def test_a_body_is_read_wherever_it_was_cut(stage, legacy, cut):
    data = post(BODY).replace(b"POST /", b"POST /add", 1)
    whole = len(data) - len(BODY)
    client = stage.client(legacy())
    client.send(data[:whole + cut])
    stage.until(lambda: about(stage.balancers[0])["connections"] == 0, "it is handed over")
    client.send(data[whole + cut:])
    answer = client.response()
    assert answer.status == 400 and b"more than newly added instances" in answer.body


def test_a_head_that_comes_byte_by_byte(stage, legacy):
    client = stage.client(legacy())
    client.send_bytewise(get("/rep"))
    assert is_rep(client.response())


def test_behind_a_proxy_header(stage, legacy):
    client = stage.client(legacy(listen="proxy-protocol from 127.0.0.1"))
    client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get("/rep"))
    assert is_rep(client.response())


def test_the_place_is_given_back(stage, legacy):
    balancer = legacy(listen="connections 1")
    for _ in range(5):
        client = stage.client(balancer)
        assert is_rep(client.get("/rep"))
        other = stage.client(balancer)
        assert other.get("/", "Connection: close").body == b"hello"
    stage.until(lambda: about(balancer)["connections"] == 0, "no place is kept")


def test_many_at_once_have_an_end(stage, legacy):
    """Who finds the interface busy is told so, or closed; nothing is left open."""
    def status_of(client):
        try:
            return client.response().status
        except Ended:
            return None
    balancer = legacy(threads=2)
    before = balancer.descriptors()
    clients = [stage.client(balancer) for _ in range(400)]
    for client in clients:
        client.send(get("/rep"))
    statuses = [status_of(client) for client in clients]
    assert set(statuses) <= {200, 503, None} and statuses.count(200) >= 16
    for client in clients:
        client.close()
    # What the balancer opens for itself in between is no matter.
    stage.until(lambda: balancer.descriptors() <= before + 20, "all are closed")


def test_a_client_that_has_gone_is_no_trouble(stage, legacy):
    balancer = legacy()
    for _ in range(20):
        client = stage.client(balancer)
        client.send(get("/rep"))
        client.reset()
    assert is_rep(stage.client(balancer).get("/rep"))


def test_a_client_that_has_said_all_is_answered(stage, legacy):
    client = stage.client(legacy())
    client.send(get("/rep"))
    client.finish()
    assert is_rep(client.response())


def test_an_old_client_is_answered(stage, legacy):
    client = stage.client(legacy())
    client.sock.sendall(b"GET /rep HTTP/1.0\r\n\r\n")
    assert json.loads(client.response().body) == NONE


def test_the_connection_is_no_longer_the_loop_s(stage, legacy):
    """Its descriptor's number is soon another one's: no event may reach that."""
    balancer = legacy()
    for _ in range(50):
        client = stage.client(balancer)
        client.send(get("/") + get("/rep"))
        assert client.response().body == b"hello"
        assert is_rep(client.response())
        client.sock.shutdown(socket.SHUT_RDWR)
        other = stage.client(balancer)
        assert other.get("/").body == b"hello"
        assert other.get("/").body == b"hello"
        other.close()
