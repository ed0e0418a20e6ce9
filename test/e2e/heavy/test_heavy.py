"""What only shows in bulk. Short by default; HEAVY=1 for the full amounts."""

import hashlib
import os
import time

import pytest

from harness.client import RawClient
from harness.message import Ended
from harness.program import OUT
from harness.server import response

HEAVY = os.environ.get("HEAVY") == "1"
INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BLOCK = os.urandom(MIB)


def amount(short, full):
    return full if HEAVY else short


def digest_of(blocks):
    sum = hashlib.sha256()
    for _ in range(blocks):
        sum.update(BLOCK)
    return sum.hexdigest()


SIZE = amount(192 * MIB, 5 * GIB)


class Memory:
    """The most that balancerd held while something went on, beyond what it held
    before. Call it now and then."""

    def __init__(self, balancer):
        self.balancer = balancer
        self.before = self.most = balancer.rss()

    def __call__(self):
        self.most = max(self.most, self.balancer.rss())

    @property
    def growth(self):
        return 0 if INSTRUMENTED else self.most - self.before


def test_a_huge_body_reaches_the_server_with_memory_unchanged(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="body-size unlimited")
    client = stage.client(balancer)
    client.get("/warm")
    memory = Memory(balancer)
    client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _ in range(SIZE // MIB):
        client.send(BLOCK)
        memory()
    assert client.response().status == 200
    assert server.requests[1].length == SIZE
    assert server.requests[1].digest == digest_of(SIZE // MIB)
    assert memory.growth < MIB


def test_a_huge_body_reaches_the_client_with_memory_unchanged(stage):
    def huge(request, peer):
        if request.target == "/warm":
            return response()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // MIB):
            peer.send(BLOCK)
            memory()

    balancer = stage.balancer([stage.server(huge)])
    client = stage.client(balancer)
    client.get("/warm")
    memory = Memory(balancer)
    answer = client.get("/")
    assert answer.length == SIZE
    assert answer.digest == digest_of(SIZE // MIB)
    assert memory.growth < MIB


def test_servers_killed_and_started_again_under_load_fail_no_request(stage):
    """One of three is killed with SIGKILL every second and comes back."""
    origins = [stage.program() for _ in range(3)]
    balancer = stage.balancer(
        origins, threads=2,
        check="http /healthcheck every 200ms timeout 1s rise 1 fall 1")
    seconds = amount(4, 60)
    load = stage.load(balancer, seconds)
    end = time.monotonic() + seconds - 1
    turn = 0
    while time.monotonic() < end:
        origin = origins[turn % 3]
        origin.kill()
        time.sleep(0.5)
        origin.start()
        time.sleep(0.5)
        turn += 1
    requests, failed = load.result()
    assert failed == "" and requests > 100 * seconds


def test_reloads_under_load_fail_no_request(stage):
    """Ten reloads a second; every other one changes the servers."""
    origins = [stage.program() for _ in range(3)]
    balancer = stage.balancer(origins, threads=2)
    texts = [balancer.configuration.read_text(),
             balancer.configuration.read_text().replace(f"server {origins[0]}", "")]
    seconds = amount(2, 10)
    load = stage.load(balancer, seconds + 1)
    began = time.monotonic()
    for i in range(10 * seconds):
        balancer.reload(texts[i % 2])
        time.sleep(max(0.0, began + (i + 1) / 10 - time.monotonic()))
    requests, failed = load.result()
    assert failed == "" and requests > 100 * seconds
    assert balancer.log.count("reloaded") == 10 * seconds


def test_idle_connections_cost_next_to_nothing(stage):
    """Held at once, each after a request, for at most 1 KiB of memory."""
    count = amount(1000, 10_000)
    balancer = stage.balancer([stage.server()], threads=1)
    for _ in range(10):
        stage.get(balancer)
    before = balancer.rss()
    clients = [stage.client(balancer) for _ in range(count)]
    for client in clients:
        assert client.get("/").status == 200
    per_connection = (balancer.rss() - before) / count
    cpu = balancer.cpu_seconds()
    time.sleep(0.5)
    assert balancer.cpu_seconds() - cpu < 0.1, "idle means idle"
    for client in clients[::97]:
        assert client.get("/").status == 200
    if not INSTRUMENTED:
        assert per_connection < 1.1 * KIB


def test_many_connections_come_and_go_and_leave_nothing(stage):
    balancer = stage.balancer(stage.origins(2), threads=1)

    def come_and_go(count):
        for i in range(count):
            client = RawClient(balancer.port)
            if i % 3:
                assert client.get("/").status == 200
            client.reset() if i % 2 else client.close()

    come_and_go(300)
    stage.until(lambda: stage.get(balancer).status == 200, "it serves")
    descriptors, memory = balancer.descriptors(), balancer.rss()
    come_and_go(amount(1500, 50_000))
    stage.until(lambda: balancer.descriptors() <= descriptors + 2, "all is closed again")
    if not INSTRUMENTED:
        assert balancer.rss() - memory < MIB


@pytest.mark.parametrize("connections", [1, 64, 256])
def test_a_burst_of_load_fails_no_request(stage, connections):
    balancer = stage.balancer([stage.program() for _ in range(2)], threads=2)
    load = stage.load(balancer, amount(1, 10), connections=connections)
    requests, failed = load.result()
    assert failed == "" and requests > 100


GIVES_WAY_S = 0.05      # idle for so long, a connection may be ended for another


def asks_again_and_again(stage, balancer, count):
    """On one connection until it is told to leave it. Its end is no failure when it was idle
    as long as it may be: a request that was on its way then is sent again."""
    client, sent = stage.client(balancer), None
    while count > 0:
        before, sent = sent, time.monotonic()
        client.send(b"GET /bytes/64 HTTP/1.1\r\nHost: test\r\n\r\n")
        left = time.monotonic()
        try:
            answer = client.response()
            count -= 1
        except Ended:
            assert before is not None and left - before >= GIVES_WAY_S, "it was not idle"
            answer = None
        assert answer is None or answer.status == 200
        if answer is None or answer.fields.get("connection") == "close":
            client.close()
            client, sent = stage.client(balancer), None
    client.close()


def test_more_clients_than_places_fail_no_request(stage):
    """32 clients take turns at four places; keep-alive gives way, and cuts nobody off who
    does not pause. What wrk counts would tell of its own pauses, too."""
    balancer = stage.quick([stage.program() for _ in range(2)])
    asking = [stage.aside(asks_again_and_again, stage, balancer, amount(20, 500))
              for _ in range(32)]
    for one in asking:
        one.result()
