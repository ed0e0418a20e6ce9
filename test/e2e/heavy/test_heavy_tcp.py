"""TCP mode in bulk: integrity, many connections, servers that come and go under load.
Short by default; HEAVY=1 for the full amounts."""

import os
import random
import resource
import time

import pytest

from harness.crowd import Crowd
from harness.echo import EchoServer, allow_descriptors
from harness.flood import Flow, FloodServer, sizes
from harness.program import OUT

HEAVY = os.environ.get("HEAVY") == "1"
INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# What a connection may hold in the balancer: its session, and for each direction one
# buffer of what a read brought (doc: README, TCP mode).
SESSION_MAX = 1 * KIB
BUFFERS_MAX = 2 * 72 * KIB


def amount(short, full):
    return full if HEAVY else short


def tcp(port, servers, pool=""):
    lines = [f"threads {os.environ.get('BALANCERD_THREADS', '2')}", "drain 2s",
             f"listen tcp 127.0.0.1:{port} {{ to web; }}",
             "pool web {", *pool.split(";"), *(f"server {server}" for server in servers), "}"]
    return "\n".join(lines) + "\n"


@pytest.fixture
def put_up(stage):
    """Servers of a class, and a balancer in front of them."""
    def put_up(kind, count, pool):
        servers = [kind(stage.port()) for _ in range(count)]
        stage.servers += servers
        port = stage.port()
        return servers, stage.run(tcp(port, servers, pool), port)
    return put_up


FLOWS = 64
TOTAL = amount(128 * MIB, 10 * GIB)     # in each direction


def test_every_byte_arrives_both_ways_at_once(put_up):
    servers, balancer = put_up(FloodServer, 4, "balance ring; key address-port")
    before = most = balancer.rss()
    ups, downs = sizes(TOTAL, FLOWS, 1), sizes(TOTAL, FLOWS, 2)
    flows = [Flow(balancer.port, n, ups[n], downs[n],
                  slow_server=n % 8 == 1, slow_client=n % 8 == 5) for n in range(FLOWS)]
    while any(t.is_alive() for flow in flows for t in flow.threads):
        most = max(most, balancer.rss())
        time.sleep(0.05)
    for flow in flows:
        flow.join()
    assert [flow.received for flow in flows] == ["whole"] * FLOWS
    verdicts = {}
    for server in servers:
        verdicts |= server.heard()
    assert verdicts == {n: "whole" for n in range(FLOWS)}
    if not INSTRUMENTED:
        assert most - before < FLOWS * (SESSION_MAX + BUFFERS_MAX)


def test_a_killed_server_costs_its_own_connections_and_no_false_byte(put_up):
    servers, balancer = put_up(FloodServer, 4, "balance ring; key address-port")
    ups, downs = sizes(TOTAL // 4, FLOWS, 3), sizes(TOTAL // 4, FLOWS, 4)
    flows = [Flow(balancer.port, n, ups[n], downs[n]) for n in range(FLOWS)]
    while sum(flow.down.offset for flow in flows) < TOTAL // 16:
        time.sleep(0.005)
    servers[0].kill()
    for flow in flows:
        flow.join()
    assert {flow.received for flow in flows} <= {"whole", "cut"}
    verdicts = {}
    for server in servers[1:]:
        verdicts |= server.heard()
    assert set(verdicts.values()) <= {"whole"}
    for flow in flows:
        if flow.number in verdicts:
            assert flow.received == "whole", flow.number
    assert len(verdicts) > FLOWS // 3


# The balancer needs two descriptors for each, and for those that come in the test; where
# the system gives it fewer, there are fewer.
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
CROWD = min(amount(1500, 20_000), (DESCRIPTORS - 2000) // 2)


def test_servers_come_and_go_and_nobody_else_is_touched(put_up, stage):
    allow_descriptors()
    servers, balancer = put_up(EchoServer, 3, "balance ring; key address-port")
    passing = EchoServer(stage.port())
    stage.servers.append(passing)
    crowd = Crowd(balancer.port, CROWD)
    stage.clients.append(crowd)
    crowd.round()
    assert not crowd.ended()
    staying = {server.name for server in servers}
    assert {client.server for client in crowd.clients} == staying

    rng = random.Random(5)
    deadline = time.monotonic() + amount(4, 60)
    turns = 0
    while time.monotonic() < deadline:
        began = time.monotonic()
        answer = (balancer.control.remove(passing, query="?limit_ms=0&temporary=1") if turns % 2
                  else balancer.control.add(passing, temporary=True))
        assert answer.status in (200, 201), answer
        turns += 1
        newcomer = crowd.join(balancer.port, CROWD + turns)
        crowd.round([newcomer, *rng.sample(crowd.clients[:CROWD], 50)])
        time.sleep(max(0.0, began + 0.1 - time.monotonic()))
    crowd.round()
    old = crowd.clients[:CROWD]
    assert not [client.ended for client in old if client.ended]
    assert all(len(client.servers) == 1 for client in old)
    assert turns > 10
    assert sum(passing.name in client.servers for client in crowd.clients[CROWD:]) > 0


IDLE = amount(300, 1000)


def test_idle_clients_of_a_killed_server_go_on_with_others(put_up, stage):
    """The ring names where they go: to the servers that clients of the same key get who
    come anew."""
    servers, balancer = put_up(EchoServer, 4, "balance ring; redistribute idle quiet 10ms")
    crowd = Crowd(balancer.port, IDLE, apart=True)
    stage.clients.append(crowd)
    crowd.round()
    time.sleep(0.05)        # they are idle by the rule above
    dead = servers[0]
    theirs = [client for client in crowd.clients if client.server == dead.name]
    assert len(theirs) > IDLE // 20
    dead.kill()
    crowd.round()
    assert not [client.ended for client in crowd.clients if client.ended]
    for client in crowd.clients:
        assert len(client.servers) == (2 if client in theirs else 1)
        assert client.server != dead.name
    spread = {client.server for client in theirs}
    assert spread == {server.name for server in servers[1:]}
    for client in theirs:
        again = crowd.join(balancer.port, client.number)
        crowd.round([again])
        assert again.server == client.server
    figures = balancer.control.get("/v1/pools/web")["moved"]
    assert figures["replayed"] + figures["idle"] == len(theirs) and figures["closed"] == 0
