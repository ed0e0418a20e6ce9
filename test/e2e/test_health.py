"""Who is down gets no requests, who is back gets them again, and the log says it once."""

import threading
import time

import pytest

from harness.patience import PATIENCE
from harness.server import response

FAST = "every 100ms timeout 1s rise 1 fall 1"


class Patient:
    """A server's script whose health is what the test says."""

    def __init__(self, name="hello"):
        self.name = name
        self.health = response("fine")
        self.probes = 0
        self.served = 0

    def __call__(self, request, peer):
        if request.target == "/health":
            self.probes += 1
            return self.health(request, peer) if callable(self.health) else self.health
        self.served += 1
        return response(self.name)


def two_patients(stage, check=f"http /health {FAST}", **settings):
    patients = [Patient("0"), Patient("1")]
    servers = [stage.server(patient) for patient in patients]
    return patients, servers, stage.balancer(servers, check=check, threads=1, **settings)


SICK = response("sick", "503 Service Unavailable")


def test_a_server_whose_check_fails_gets_no_requests_until_it_is_well(stage):
    (first, second), servers, balancer = two_patients(stage)
    assert stage.spread(balancer, 10) == {0: 5, 1: 5}
    first.health = SICK
    [line] = balancer.logs(f"server is down.*{servers[0]}")
    assert "pool=web" in line and "503" in line
    assert stage.spread(balancer, 10) == {1: 10}
    first.health = response("fine")
    balancer.logs(f"server is up.*{servers[0]}")
    assert stage.spread(balancer, 10) == {0: 5, 1: 5}


def test_a_change_is_logged_once(stage):
    (first, _), servers, balancer = two_patients(stage)
    first.health = SICK
    balancer.logs("server is down")
    seen = first.probes
    stage.until(lambda: first.probes > seen + 5, "it is probed on")
    assert len(balancer.logs("server is down")) == 1
    first.health = response("fine")
    balancer.logs("server is up")
    seen = first.probes
    stage.until(lambda: first.probes > seen + 5, "it is probed on")
    assert len(balancer.logs("server is (up|down)")) == 2


def test_it_takes_so_many_failures_to_be_down_and_successes_to_be_up(stage):
    (first, _), _, balancer = two_patients(
        stage, "http /health every 50ms timeout 1s rise 3 fall 2")
    stage.until(lambda: first.probes > 1, "the first probes are over")

    def sick_for(probes):
        left = [probes]

        def health(request, peer):
            left[0] -= 1
            if left[0] == 0:
                first.health = response("fine")
            return SICK
        return health

    first.health = sick_for(1)
    seen = first.probes
    stage.until(lambda: first.probes > seen + 4, "it is probed on")
    assert "server is down" not in balancer.log
    first.health = sick_for(2)
    down = first.probes
    balancer.logs("server is down")
    balancer.logs("server is up")
    assert first.probes - down >= 5


@pytest.mark.parametrize("expect, status, up", [
    ("", "200 OK", True), ("", "404 Not Found", False), ("", "500 Oops", False),
    ("expect 404", "404 Not Found", True), ("expect 404", "200 OK", False),
    ("expect 200-399", "302 Found", True), ("expect 200-399", "400 Bad Request", False),
])
def test_the_expected_status(stage, expect, status, up):
    patient = Patient()
    patient.health = response("x", status)
    balancer = stage.balancer([stage.server(patient)],
                              check=f"http /health {expect} {FAST}")
    stage.until(lambda: patient.probes > 3, "it is probed")
    if not up:
        balancer.logs("server is down")
    assert stage.get(balancer).status == (200 if up else 503)


RUBBISH = {
    "rubbish": lambda request, peer: b"rubbish\r\n\r\n",
    "a-reset": lambda request, peer: peer.reset(),
    "a-close": lambda request, peer: peer.close(),
    "half-a-head": lambda request, peer: peer.send(b"HTTP/1.1 200") or peer.close(),
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    "silence": lambda request, peer: peer.reader.fill() and None,
}


@pytest.mark.parametrize("health", RUBBISH.values(), ids=RUBBISH.keys())
def test_an_answer_that_is_none_is_a_failure(stage, health):
    (first, _), servers, balancer = two_patients(
        stage, "http /health every 100ms timeout 200ms rise 1 fall 1", pool="passive off")
    first.health = health
    [line] = balancer.logs(f"server is down.*{servers[0]}")
    assert 'reason="' in line and 'reason=""' not in line
    assert stage.spread(balancer, 4) == {1: 4}


def test_a_silent_server_delays_no_other_verdict(stage):
    """Probes go side by side, each with its own time limit."""
    silent = [Patient() for _ in range(5)]
    for patient in silent:
        patient.health = lambda request, peer: peer.reader.fill() and None
    sick = Patient()
    servers = [stage.server(patient) for patient in [*silent, sick]]
    balancer = stage.balancer(
        servers, check="http /health every 5s timeout 5s rise 1 fall 1")
    sick.health = SICK
    began = time.monotonic()
    balancer.reload(balancer.configuration.read_text().replace("every 5s", "every 100ms"))
    balancer.logs(f"server is down.*{servers[-1]}")
    assert time.monotonic() - began < 2


def test_a_refused_connection_is_a_failure(stage):
    (first, _), servers, balancer = two_patients(stage)
    stage.until(lambda: first.probes > 0, "it is probed")
    servers[0].die()
    [line] = balancer.logs(f"server is down.*{servers[0]}")
    assert "refused" in line
    assert stage.spread(balancer, 4) == {1: 4}
    servers[0].listen()
    balancer.logs(f"server is up.*{servers[0]}")
    assert stage.spread(balancer, 4) == {0: 2, 1: 2}


def test_a_tcp_check_connects_and_no_more(stage):
    server = stage.server()
    dead = stage.port()
    balancer = stage.balancer([server, f"127.0.0.1:{dead}"], check=f"tcp {FAST}")
    balancer.logs(f"server is down.*{dead}")
    stage.until(lambda: len(server.peers) > 3, "it is probed")
    assert server.received == b""
    assert stage.get(balancer).status == 200


def test_with_nobody_up_requests_are_a_503(stage):
    patient = Patient()
    patient.health = SICK
    balancer = stage.balancer([stage.server(patient)], check=f"http /health {FAST}")
    balancer.logs("server is down")
    answer = stage.get(balancer)
    assert answer.status == 503 and len(answer.body) > 10
    assert patient.served == 0


def test_check_off_sends_no_probes(stage):
    patient = Patient()
    server = stage.server(patient)
    balancer = stage.balancer([server])
    assert stage.get(balancer).status == 200
    assert server.targets == ["/"]


def test_the_probe_is_an_ordinary_request(stage):
    server = stage.server(Patient())
    stage.balancer([server], check=f"http /health?deep=1 host www.example.com {FAST}")
    probe = server.waits_for(1)[0]
    assert probe.line == b"GET /health?deep=1 HTTP/1.1"
    assert probe.fields.get("host") == "www.example.com"
    assert "x-forwarded-for" not in probe.fields


def test_after_so_many_requests_all_are_probed(stage):
    patients, _, balancer = two_patients(
        stage, "http /health every 1h timeout 1s after 5 requests")
    stage.until(lambda: all(p.probes >= 1 for p in patients), "probed at the start")
    for expected in (2, 3, 4):
        stage.spread(balancer, 5)
        stage.until(lambda: all(p.probes >= expected for p in patients), "probed again")


def test_passive_failures_in_a_row_mark_a_server_down_and_time_lifts_it(stage):
    sick = threading.Event()
    sick.set()

    def resets_when_sick(request, peer):
        if sick.is_set():
            peer.reset()
            return None
        return response("0")

    servers = [stage.server(resets_when_sick), stage.server(response("1"))]
    balancer = stage.balancer(servers, pool="passive 3 for 500ms; retry 1", threads=1)
    assert stage.spread(balancer, 20) == {1: 20}, "retries hide it"
    [line] = balancer.logs(f"server is down.*{servers[0]}")
    assert 'reason="' in line
    assert len(servers[0].requests) == 3, "no more than it took"
    sick.clear()
    balancer.logs(f"server is up.*{servers[0]}")
    assert stage.spread(balancer, 10) == {0: 5, 1: 5}


def test_a_mark_on_the_last_server_is_no_outage(stage):
    """Nobody checks, so nobody knows: it is asked all the same, and its answer lifts the
    mark long before the time is over."""
    server = stage.server()
    balancer = stage.balancer([server], pool="passive 1 for 1h; retry off", threads=1)
    client = stage.client(balancer)
    assert client.get("/").status == 200
    server.die()
    assert client.get("/").status == 502
    balancer.logs("server is down")
    server.listen()
    assert client.get("/").status == 200
    balancer.logs('server is up.*reason="answered"')
    assert client.get("/").status == 200


def test_a_check_brings_a_passively_marked_server_back(stage):
    (first, _), servers, balancer = two_patients(stage, pool="passive 1 for 1h")
    stage.until(lambda: first.probes > 0, "it is probed")
    servers[0].die()
    client = stage.client(balancer)
    for _ in range(10):
        assert client.get("/").status == 200
    balancer.logs(f"server is down.*{servers[0]}")
    servers[0].listen()
    balancer.logs(f"server is up.*{servers[0]}")
    assert stage.spread(balancer, 10) == {0: 5, 1: 5}


def test_a_failure_now_and_then_is_forgiven(stage):
    count = [0]

    def every_third_fails(request, peer):
        count[0] += 1
        if count[0] % 3 == 0:
            peer.reset()
            return None
        return response("0")

    balancer = stage.balancer([stage.server(every_third_fails), stage.server()],
                              pool="passive 2; retry 1 budget 100%", threads=1)
    client = stage.client(balancer)
    for _ in range(60):
        assert client.get("/").status == 200
    assert "server is down" not in balancer.log


def test_servers_going_up_and_down_under_load_fail_no_request(stage):
    patients, servers, balancer = two_patients(stage)
    end = time.monotonic() + 2

    def asks():
        client = stage.client(balancer)
        statuses = set()
        while time.monotonic() < end:
            statuses.add(client.get("/").status)
        return statuses

    running = [stage.aside(asks) for _ in range(4)]
    turn = 0
    while time.monotonic() < end:
        server = servers[turn % 2]
        server.die()
        time.sleep(0.15)
        server.listen()
        balancer.logs(f"server is (up|down).*{server}", within=PATIENCE)
        stage.until(lambda: last_verdict(balancer, server) != "down", "it is up again")
        turn += 1
    assert turn > 1
    for statuses in running:
        assert statuses.result() == {200}


def last_verdict(balancer, server):
    lines = [line for line in balancer.log.splitlines()
             if "server is" in line and str(server) in line]
    return None if not lines else "down" if "server is down" in lines[-1] else "up"
