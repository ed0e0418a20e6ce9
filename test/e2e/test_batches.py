"""In a pool with a window requests are placed together: when it is over, or when there
are as many as a batch may be."""

import json

from harness.balancer import config
from harness.requests import get

LONG = "batch window 10s count"


def has_read(stage, balancer, count):
    """The balancer has read so many requests, which may be held."""
    stage.until(lambda: balancer.control.get("/v1/listeners")["listeners"][0]["requests"]
                == count, f"{count} requests are read")


def asks(stage, balancer, count):
    """So many clients, each of which has sent a request, one after the other."""
    clients = []
    for number in range(count):
        client = stage.client(balancer)
        client.send(get(f"/{number}"))
        has_read(stage, balancer, number + 1)
        clients.append(client)
    return clients


def test_the_last_of_a_batch_lets_all_go_in_order(stage):
    servers = stage.origins(4)
    balancer = stage.balancer(servers, pool=f"{LONG} 4; balance round-robin")
    clients = asks(stage, balancer, 3)
    assert all(client.silent(0.05) for client in clients)
    assert not any(server.requests for server in servers)
    last = stage.client(balancer)
    last.send(get("/3"))
    answers = [client.response() for client in [*clients, last]]
    turns = [int(answer.body) for answer in answers]
    first = turns[0]
    assert turns == [(first + i) % 4 for i in range(4)]


def test_the_window_lets_fewer_go(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool="batch window 20ms count 1000")
    client = stage.client(balancer)
    for _ in range(5):
        assert client.get("/").status == 200
    assert len(server.requests) == 5


def test_each_loop_has_batches_of_its_own(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool="batch window 20ms count 3", threads=4)
    running = [stage.aside(lambda: {stage.get(balancer).status for _ in range(20)})
               for _ in range(8)]
    for statuses in running:
        assert statuses.result() == {200}
    assert len(server.requests) == 160


def test_pipelined_requests_are_held_one_by_one(stage):
    server = stage.server()
    client = stage.client(stage.balancer([server], pool="batch window 5ms count 2"))
    client.send(b"".join(get(f"/{i}") for i in range(20)))
    for _ in range(20):
        assert client.response().status == 200
    assert [request.target for request in server.requests] == [f"/{i}" for i in range(20)]


def test_a_body_that_comes_while_its_request_is_held_arrives_whole(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=f"{LONG} 2")
    client = stage.client(balancer)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
    has_read(stage, balancer, 1)
    client.send(b"x" * 300000)
    assert stage.get(balancer).status == 200
    assert client.response().status == 200
    assert max(request.length for request in server.requests) == 300000


def test_a_client_that_leaves_is_not_placed(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=f"{LONG} 2")
    [gone] = asks(stage, balancer, 1)
    gone.close()
    stage.until(lambda: balancer.control.get("/v1/listeners")["listeners"][0]
                ["connections"] == 0, "its connection is over")
    stays = stage.client(balancer)
    stays.send(get("/stays"))
    has_read(stage, balancer, 2)
    assert stays.silent(0.05), "a batch of one is not full"
    assert stage.get(balancer, "/last").status == 200
    assert stays.response().status == 200
    assert sorted(r.target for r in server.requests) == ["/last", "/stays"]


def test_the_end_of_the_balancer_lets_them_go(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool=f"{LONG} 100")
    clients = asks(stage, balancer, 3)
    ending = stage.aside(balancer.terminate)
    assert [client.response().status for client in clients] == [200] * 3
    assert ending.result() == 0


def test_who_is_held_goes_on_after_a_reload(stage):
    before, after = stage.origins(2)
    balancer = stage.balancer([before], pool="batch window 300ms count 100")
    [client] = asks(stage, balancer, 1)
    balancer.reload(config(balancer.port, [after]))
    assert stage.get(balancer).body == b"1"
    assert client.response().status == 200
    assert stage.get(balancer).body == b"1", "and the old model is no more"


def test_who_waits_at_the_door_is_held_behind_it(stage):
    server = stage.server()
    balancer = stage.balancer([server], pool="batch window 10ms count 100",
                              listen="parallel 1 queue 10")
    running = [stage.aside(lambda: stage.get(balancer).status) for _ in range(6)]
    assert [status.result() for status in running] == [200] * 6


def test_a_request_that_is_sent_again_waits_for_no_batch(stage, tmp_path):
    log = tmp_path / "access"
    bad = stage.server(lambda request, peer: peer.reset())
    good = stage.server()
    balancer = stage.balancer([bad, good], top=f"access-log json to {log}",
                              pool=f"{LONG} 2; passive off; balance round-robin")
    clients = asks(stage, balancer, 2)
    assert [client.response().status for client in clients] == [200] * 2
    stage.until(lambda: log.exists() and log.read_text().count("\n") == 2, "both are noted")
    tries = [json.loads(line)["tries"] for line in log.read_text().splitlines()]
    assert sorted(tries) == [1, 2]
