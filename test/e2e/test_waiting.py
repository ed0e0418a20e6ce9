"""In a pool that owns its servers, who finds nobody up waits for somebody, in every loop,
over each change of the pool. What servers see of it is in test_owned_requests.py."""

import pytest

from harness.client import RawClient
from harness.message import Ended
from harness.patience import PATIENCE
from harness.requests import get


class Crowd:
    """So many clients that have each sent a request, and wait."""

    def __init__(self, pool, count, port=None):
        before = pool.about()["waiting"]
        self.clients = [RawClient(port or pool.port) for _ in range(count)]
        pool.stage.clients += self.clients
        for client in self.clients:
            client.sock.settimeout(4 * PATIENCE)    # the next start may be far
            client.send(get("/home", "Connection: close"))
        pool.stage.until(lambda: pool.about()["waiting"] == before + count, "they wait")

    def statuses(self):
        return [client.response().status for client in self.clients]


@pytest.fixture
def nobody(owned):
    """Makes a pool whose one server cannot be started, until .driver.mend()."""
    def make(**settings):
        pool = owned(min=1, start=False, **settings)
        pool.driver.hinder()
        pool.start()
        return pool
    return make


@pytest.mark.parametrize("threads", [1, 4])
def test_all_loops_are_woken(nobody, threads):
    pool = nobody(threads=threads)
    crowd = Crowd(pool, 40)
    pool.driver.mend()
    assert crowd.statuses() == [200] * 40
    assert pool.about()["waiting"] == 0


def test_the_first_request_starts_a_server(owned):
    pool = owned(min=0, threads=2)
    assert pool.all() == []
    assert pool.home() == pool.names(1)[0]


def test_who_waits_stays_in_line_over_reloads(nobody):
    """Each is a newer edition, with the servers that come in that one only."""
    pool = nobody(threads=2)
    crowd = Crowd(pool, 10)
    for queue in (900, 800, 700):
        assert "reloaded" in pool.reload(pool=f"queue {queue} wait 60s")
        assert pool.about()["waiting"] == 10
    later = Crowd(pool, 1)
    pool.driver.mend()
    assert crowd.statuses() + later.statuses() == [200] * 11


def test_a_body_that_comes_during_the_wait_arrives(nobody):
    pool = nobody()
    client = pool.stage.client(pool)
    client.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n")
    pool.stage.until(lambda: pool.about()["waiting"] == 1, "it waits")
    client.send(b"x" * 200000)
    pool.driver.mend()
    assert client.response().body == b"x" * 200000


def test_the_end_of_the_balancer_answers_who_waits(nobody):
    pool = nobody(threads=2)
    crowd = Crowd(pool, 10)
    ending = pool.stage.aside(pool.balancer.terminate)
    assert crowd.statuses() == [503] * 10
    assert ending.result() == 0


def test_who_waits_when_its_pool_goes_has_an_end(nobody):
    pool = nobody(pool="queue 10 wait 1s")
    crowd = Crowd(pool, 3)
    text = pool.text()
    begin = text.index("admin legacy")
    other = pool.stage.server()
    pool.balancer.reload(text[:begin] + "to other\n}\n"
                         f"pool other {{\nserver {other}\n}}\n")
    assert crowd.statuses() == [503] * 3
    assert pool.stage.get(pool).status == 200


def test_a_tcp_client_waits_too(owned, stage):
    port = stage.port()
    pool = owned(min=1, start=False, top=f"listen tcp 127.0.0.1:{port} {{; to web; }}")
    pool.driver.hinder()
    pool.start()
    crowd = Crowd(pool, 3, port)
    pool.driver.mend()
    assert crowd.statuses() == [200] * 3


def test_a_tcp_client_s_wait_has_an_end(owned, stage):
    port = stage.port()
    pool = owned(min=1, start=False, pool="queue 10 wait 300ms",
                 top=f"listen tcp 127.0.0.1:{port} {{; to web; }}")
    pool.driver.hinder()
    pool.start()
    client = RawClient(port)
    client.send(get("/home"))
    with pytest.raises(Ended):
        client.response()
    client.close()


def test_batches_wait_as_single_ones_do(nobody):
    pool = nobody(pool="batch window 10ms count 5")
    crowd = Crowd(pool, 12)
    pool.driver.mend()
    assert crowd.statuses() == [200] * 12
