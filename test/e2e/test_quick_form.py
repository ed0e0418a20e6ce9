"""balancerd http [-N parallel] [-R requests] PORT SERVER...: what it promises."""

import subprocess
import threading
import time

import pytest

from harness.balancer import BALANCERD
from harness.patience import PATIENCE
from harness.server import response

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class Origin:
    """A server with /healthcheck: what it reports is what the test says."""

    def __init__(self, name="hello", errors=0, total=0):
        self.name = name
        self.report = f"{errors}\n{total}\n"
        self.probes = 0

    def __call__(self, request, peer):
        if request.target == "/healthcheck":
            self.probes += 1
            return response(self.report)
        return response(self.name)


def all_probed(stage, servers, origins):
    """Until the first probes of all have been answered and their answers read: a
    probe that is over has closed its connection, or its successor says so."""
    stage.until(lambda: all(o.probes >= 1 for o in origins), "all are probed")
    time.sleep(0.1)


def quick(stage, *options, reports):
    origins = [Origin(str(i), *report) for i, report in enumerate(reports)]
    servers = [stage.server(origin) for origin in origins]
    balancer = stage.quick(servers, *options)
    all_probed(stage, servers, origins)
    return origins, servers, balancer


def test_it_serves_with_no_more_than_ports(stage):
    origin = Origin()
    server = stage.server(origin)
    balancer = stage.quick([server.port])
    assert stage.get(balancer).body == b"hello"
    assert server.waits_for(1)


@pytest.mark.parametrize("place", ["before", "between", "after"])
def test_options_may_stand_anywhere(stage, place):
    server = stage.server(Origin())
    port = stage.port()
    words = {"before": ["-N", 3, "-R", 7, port, server],
             "between": [port, "-N", 3, server, "-R", 7],
             "after": [port, server, "-R", 7, "-N", 3]}[place]
    from harness.balancer import Balancer
    balancer = stage.start(Balancer(port, ["http", *words], stage.directory_of_next()))
    assert stage.get(balancer).status == 200


def test_all_servers_are_probed_at_once_at_the_start(stage):
    origins, servers, _ = quick(stage, reports=[(0, 0)] * 3)
    for server in servers:
        probe = next(r for r in server.requests if r.target == "/healthcheck")
        assert probe.method == "GET"


def test_all_servers_are_probed_after_every_r_requests(stage):
    origins, _, balancer = quick(stage, "-R", 2, reports=[(0, 0)] * 2)
    client = stage.client(balancer)
    began = time.monotonic()
    for expected in (2, 3):
        for _ in range(2):
            assert client.get("/").status == 200
        stage.until(lambda: all(o.probes >= expected for o in origins), "probed again")
    assert time.monotonic() - began < 2, "sooner than by time"


def test_all_servers_are_probed_every_three_seconds_without_a_request(stage):
    origins, _, _ = quick(stage, reports=[(0, 0)] * 2)
    began = time.monotonic()
    stage.until(lambda: all(o.probes >= 2 for o in origins), "probed again")
    assert 1.5 < time.monotonic() - began < 4.5


def test_the_least_loaded_serves_and_each_request_counts(stage):
    """0 has 5, 1 has 3: two requests to 1, then a tie, which the one with more errors
    gets; then turn by turn."""
    _, _, balancer = quick(stage, "-R", 1000, reports=[(1, 5), (0, 3)])
    client = stage.client(balancer)
    assert [client.get("/").body for _ in range(5)] == [b"1", b"1", b"0", b"1", b"0"]


def test_on_a_full_tie_the_first_given_serves(stage):
    _, _, balancer = quick(stage, "-R", 1000, reports=[(0, 3), (0, 3), (0, 3)])
    client = stage.client(balancer)
    assert [client.get("/").body for _ in range(4)] == [b"0", b"1", b"2", b"0"]


def test_a_probe_replaces_both_numbers(stage):
    origins, _, balancer = quick(stage, "-R", 4, reports=[(0, 100), (0, 0)])
    client = stage.client(balancer)
    origins[0].report, origins[1].report = "0\n0\n", "0\n100\n"
    assert [client.get("/").body for _ in range(4)] == [b"1"] * 4
    stage.until(lambda: all(o.probes >= 2 for o in origins), "probed again")
    stage.until(lambda: client.get("/").body == b"0", "the new numbers count")


@pytest.mark.parametrize("report, up", [
    (response("1\n2\n"), True), (response("1\n2"), True), (response("0\n0"), True),
    (response("1\n2\n\n"), False), (response("1 2"), False), (response("1"), False),
    (response(""), False), (response("a\nb\n"), False), (response("-1\n2\n"), False),
    (response("1\n2\n3\n"), False), (response("1\r\n2\r\n"), False),
    (response("1\n2\n", "201 Created"), False), (response("1\n2\n", "500 Oops"), False),
    (response("9" * 30 + "\n1\n"), False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"4\r\n1\n2\n\r\n0\r\n\r\n", True),
    (b"HTTP/1.0 200 OK\r\n\r\n1\n2\n", True),
], ids=lambda v: repr(v)[2:60] if isinstance(v, bytes) else None)
def test_up_is_who_answers_200_with_two_numbers(stage, report, up):
    def answer(request, peer):
        if request.target != "/healthcheck":
            return response("served")
        peer.send(report)
        if b"HTTP/1.0" in report:
            peer.close()
    server = stage.server(answer)
    balancer = stage.quick([server])
    server.waits_for(1)
    if not up:
        balancer.logs("server is down")
    else:
        time.sleep(0.1)
    assert stage.get(balancer).status == (200 if up else 500)


def assert_plain_500(answer):
    assert (answer.status, answer.reason) == (500, "Internal Server Error")
    assert answer.fields.get("content-length") == "0" and answer.body == b""


def test_nobody_up_is_an_empty_500(stage):
    balancer = stage.quick([stage.port(), stage.port()])
    assert_plain_500(stage.get(balancer))
    balancer.logs("server is down", times=2)
    client = stage.client(balancer)
    assert_plain_500(client.ask(GET))
    assert_plain_500(client.ask(GET))


def test_a_failure_without_another_server_is_an_empty_500(stage):
    def answer(request, peer):
        if request.target == "/healthcheck":
            return response("0\n0\n")
        peer.reset()
    balancer = stage.quick([stage.server(answer)])
    assert_plain_500(stage.get(balancer))


def test_a_bad_request_is_a_400_here_too(stage):
    balancer = stage.quick([stage.server(Origin())])
    assert stage.client(balancer).ask(b"GET / HTTP/1.1\r\n\r\n").status == 400


def test_a_server_that_dies_is_missed_by_nobody_and_taken_back(stage):
    origins, servers, balancer = quick(stage, "-R", 1, reports=[(0, 0), (0, 0)])
    client = stage.client(balancer)
    assert client.get("/").status == 200
    servers[0].die()
    for _ in range(20):
        assert client.get("/").status == 200
    balancer.logs(f"server is down.*{servers[0]}")
    servers[0].listen()
    stage.until(lambda: client.get("/").body == b"0", "it serves again")


@pytest.mark.parametrize("option, parallel", [(["-N", 2], 2), ([], 4)])
def test_connections_beyond_n_wait_and_are_not_refused(stage, option, parallel):
    release = threading.Event()

    def answer(request, peer):
        if request.target == "/healthcheck":
            return response("0\n0\n")
        release.wait(PATIENCE)
        return response()

    server = stage.server(answer)
    balancer = stage.quick([server], *option)
    clients = [stage.client(balancer) for _ in range(parallel + 2)]
    for client in clients:
        client.send(GET)
    stage.until(lambda: serving(server) == parallel, f"{parallel} are served")
    assert clients[-1].silent(0.2)
    assert serving(server) == parallel
    release.set()
    waiting = set(clients)
    while waiting:
        for client in list(waiting):
            if not client.silent(0.05):
                assert client.response().status == 200
                client.close()
                waiting.remove(client)


def serving(server):
    return sum(target == "/" for target in server.targets)


def test_waiting_connections_cost_no_time_of_the_processor(stage):
    balancer = stage.quick([stage.server(Origin())], "-N", 1)
    holder = stage.client(balancer)
    assert holder.get("/").status == 200
    others = [stage.client(balancer) for _ in range(5)]
    before = balancer.cpu_seconds()
    time.sleep(0.5)
    assert balancer.cpu_seconds() - before < 0.1
    holder.close()
    for answer in [stage.aside(client.get, "/") for client in others]:
        assert answer.result().status == 200


WRONG = {
    "nothing": [], "no-server": ["8080"], "a-port-that-is-none": ["http", "8081"],
    "port-zero": ["0", "8081"], "a-port-too-large": ["65536", "8081"],
    "a-server-that-is-none": ["8080", "a:b:c"], "n-zero": ["-N", "0", "8080", "8081"],
    "n-negative": ["-N", "-1", "8080", "8081"], "n-a-word": ["-N", "x", "8080", "8081"],
    "n-missing": ["8080", "8081", "-N"], "r-zero": ["-R", "0", "8080", "8081"],
    "r-a-word": ["8080", "-R", "y", "8081"], "an-unknown-option": ["-X", "8080", "8081"],
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_told_and_ends_with_2(words):
    done = subprocess.run([BALANCERD, "http", *words], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith("balancerd:") and done.stdout == ""


def test_a_port_that_is_taken_is_told_and_ends_with_1(stage):
    import socket
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    done = subprocess.run([BALANCERD, "http", str(taken.getsockname()[1]), "8081"],
                          capture_output=True, text=True, timeout=PATIENCE)
    taken.close()
    assert done.returncode == 1
    assert "in use" in done.stderr
