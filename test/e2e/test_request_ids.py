"""In a pool with request-id each request has a number of its own, which its server sees,
and by which it may be placed."""

import json
import re
from collections import Counter

import pytest

from harness.server import response

POOL = "request-id on; passive off"


def ids_of(requests):
    return [request.fields.get("x-request-id") for request in requests]


def test_each_request_has_six_digits_of_its_own(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=POOL, threads=2)

    def asks():
        client = stage.client(balancer)
        assert {client.get("/").status for _ in range(50)} == {200}

    for asking in [stage.aside(asks) for _ in range(8)]:
        asking.result()
    ids = ids_of(server.requests)
    assert all(re.fullmatch("[1-9][0-9]{5}", one) for one in ids), ids
    assert len(set(ids)) == 400, "and no loop gives what another one has given"


def test_another_process_begins_elsewhere(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=POOL)
    stage.get(balancer)
    stage.get(stage.restart(balancer))
    assert len(set(ids_of(server.requests))) == 2


def test_there_are_none_unless_asked_for(stage):
    server = stage.server()
    stage.get(stage.balancer([server]))
    assert ids_of(server.requests) == [None]


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-ID"])
@pytest.mark.parametrize("value", ["abc-1", "123456", ""])
def test_a_client_keeps_its_own(stage, name, value):
    server = stage.server()
    assert stage.get(stage.balancer([server], pool=POOL), "/",
                     f"{name}: {value}").status == 200
    assert ids_of(server.requests) == [value]


def test_a_client_cannot_have_its_own_dropped(stage):
    server = stage.server()
    client = stage.client(stage.balancer([server], pool=POOL))
    client.get("/", "Connection: x-request-id", "X-Request-Id: mine")
    assert ids_of(server.requests) == ["mine"]


def test_a_request_that_is_sent_again_keeps_it(stage):
    bad = stage.server(lambda request, peer: peer.reset())
    good = stage.server()
    client = stage.client(stage.balancer([bad, good], pool=POOL))
    for _ in range(4):
        assert client.get("/").status == 200
    assert len(bad.requests) >= 1, "it was tried"
    assert set(ids_of(bad.requests)) < set(ids_of(good.requests))
    assert len(set(ids_of(good.requests))) == 4


def test_the_access_log_says_it(stage, tmp_path):
    log = tmp_path / "access"
    server = stage.server()
    balancer = stage.balancer([server], pool=POOL, top=f"access-log json to {log}")
    stage.get(balancer)
    stage.until(lambda: log.exists() and log.read_text().endswith("\n"), "it is written")
    assert str(json.loads(log.read_text())["request_id"]) == ids_of(server.requests)[0]


def owners_of_slots(servers, slots, virtual):
    """Which server has which slot, as doc/hashing.md has it."""
    owners = {}
    for i in range(1, servers + 1):
        for j in range(1, virtual + 1):
            slot = (i * i + j * j + 2 * j + 25) % slots
            while slot in owners:
                slot = (slot + 1) % slots
            owners[slot] = i - 1
    return owners


def test_slots_go_by_the_number_itself(stage):
    owners = owners_of_slots(3, slots=512, virtual=9)
    servers = stage.origins(3)
    balancer = stage.balancer(servers, pool=f"{POOL}; balance slots; key request-id",
                              threads=2)
    stage.spread(balancer, 300)
    assert sum(len(server.requests) for server in servers) == 300
    for number, server in enumerate(servers):
        for i in map(int, ids_of(server.requests)):
            slot = (i * i + 2 * i + 17) % 512
            while slot not in owners:
                slot = (slot + 1) % 512
            assert owners[slot] == number, f"request {i}"


@pytest.mark.parametrize("policy", ["ring", "maglev", "rendezvous"])
def test_other_policies_spread_them(stage, policy):
    servers = stage.origins(4)
    balancer = stage.balancer(servers,
                              pool=f"{POOL}; balance {policy}; key request-id")
    hits = stage.spread(balancer, 400)
    assert all(hits[server] > 40 for server in range(4)), hits


def test_it_is_passed_on_with_all_that_is_added_to_a_head(stage):
    """Fields that grow, an upgrade, a Host of the server's own, an old client."""
    server = stage.server()
    balancer = stage.balancer([server], pool=f"{POOL}; host server",
                              listen="headers via x-forwarded forwarded")
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.response().status == 200
    [request] = server.requests
    assert re.fullmatch("[1-9][0-9]{5}", request.fields.get("x-request-id"))
    assert request.fields.get("host") == str(server)
    assert request.fields.get("forwarded") is not None


def test_numbers_are_not_given_in_a_row(stage):
    """Slots that are chosen by them would follow each other, too."""
    server = stage.server(response(""))
    client = stage.client(stage.balancer([server], pool=POOL))
    for _ in range(200):
        client.get("/")
    ids = list(map(int, ids_of(server.requests)))
    assert all(abs(a - b) > 1 for a, b in zip(ids, ids[1:]))
    assert len(Counter(i // 100000 for i in ids)) == 9
