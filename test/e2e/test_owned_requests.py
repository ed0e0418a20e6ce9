"""Requests in pools that own their servers: each has its number, is tried again where it
may be, waits while nobody is up, and is answered. By both drivers."""

import re
import time
from collections import Counter
from types import SimpleNamespace


def header_of(answer, name):
    """What the server was sent; /headers answers with the head as it came."""
    found = re.findall(rf"^{name}: *(.*?)\r?$", answer.text, re.M | re.I)
    assert len(found) == 1, answer.text
    return found[0]


# ---- numbers ----

def test_each_request_has_a_number_of_six_digits_of_its_own(owned):
    pool = owned(min=2, threads=2)
    pool.until_serving(2)
    numbers = []
    for _ in range(10):         # connections, of either loop
        client = pool.stage.client(pool)
        for _ in range(30):
            answer = client.get("/headers")
            numbers += re.findall(r"^x-request-id: *(\S*?)\r?$", answer.body.decode(),
                                  re.M | re.I)
    assert len(numbers) == 300
    assert all(re.fullmatch("[1-9][0-9]{5}", number) for number in numbers), numbers
    assert len(set(numbers)) == 300


def test_a_number_that_the_client_gave_is_kept(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    answer = pool.ask("GET", "/headers", None, "X-Request-Id: mine-7")
    assert header_of(answer, "X-Request-Id") == "mine-7"


def test_a_retry_has_the_number_of_its_request(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    lost = pool.all()[0]
    slow = pool.stage.aside(pool.ask, "GET", "/headers?delay=700")
    pool.stage.until(lambda: pool.in_flight() == 1, "the server has the request")
    lost.kill()
    answer = slow.result()
    assert answer.status == 200
    assert re.fullmatch("[1-9][0-9]{5}", header_of(answer, "X-Request-Id"))


def slots_taken(servers):
    """{slot: server} of servers 1 to that, by Phi(i, j) and linear probing."""
    taken = {}
    for i in range(1, servers + 1):
        for j in range(1, 10):
            slot = (i * i + j * j + 2 * j + 25) % 512
            while slot in taken:
                slot = (slot + 1) % 512
            taken[slot] = i
    return taken


def server_of(number, taken):
    """Who gets the request of this number: the next one clockwise of slot H(number)."""
    slot = (number * number + 2 * number + 17) % 512
    while slot not in taken:
        slot = (slot + 1) % 512
    return taken[slot]


def test_slots_go_by_the_number_of_the_request(owned):
    pool = owned(min=2, pool="balance slots")
    pool.until_serving(2)
    client = pool.stage.client(pool)
    numbers = [int(header_of(SimpleNamespace(text=client.get("/headers").body.decode()),
                             "X-Request-Id")) for _ in range(200)]
    taken = slots_taken(2)
    expected = Counter(server_of(number, taken) for number in numbers)
    counted = [server["requests"] for server in pool.about()["servers"]]
    assert sorted(counted) == sorted(expected[server] for server in (1, 2))


# ---- an answer in any case ----

def test_a_get_on_a_server_that_dies_is_answered_by_another(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    slow = [pool.stage.aside(pool.home, "?delay=1000") for _ in range(6)]
    pool.stage.until(lambda: pool.in_flight() == 6, "the servers have the requests")
    pool.all()[0].kill()
    assert {one.result() for one in slow} <= set(pool.names(1, 2))


def test_a_post_on_a_server_that_dies_is_answered_with_an_error(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    slow = pool.stage.aside(pool.ask, "POST", "/echo?delay=5000", "said")
    pool.stage.until(lambda: pool.in_flight() == 1, "the server has the request")
    pool.all()[0].kill()
    assert slow.result().status == 502


def test_requests_wait_while_nobody_is_up(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    pool.driver.hinder()
    pool.all()[0].kill()
    pool.until_serving(0)
    waiting = [pool.stage.aside(pool.home) for _ in range(20)]
    posts = [pool.stage.aside(pool.ask, "POST", "/echo", "said") for _ in range(5)]
    pool.stage.until(lambda: pool.about()["waiting"] == 25, "they wait")
    pool.driver.mend()
    assert {one.result() for one in waiting} == set(pool.names(1))
    assert {one.result().text for one in posts} == {"said"}


def test_a_wait_has_an_end(owned):
    pool = owned(min=1, start=False, pool="queue 2 wait 500ms")
    pool.driver.hinder()
    pool.start()
    began = time.monotonic()
    assert pool.ask("GET", "/home").status == 503
    assert time.monotonic() - began > 0.4
    waiting = [pool.stage.aside(pool.ask, "GET", "/home") for _ in range(10)]
    assert {one.result().status for one in waiting} == {503}
    pool.driver.mend()


def test_a_client_who_leaves_while_waiting_is_forgotten(owned):
    pool = owned(min=1, start=False)
    pool.driver.hinder()
    pool.start()
    client = pool.stage.client(pool)
    client.send(b"GET /home HTTP/1.1\r\nHost: test\r\n\r\n")
    pool.stage.until(lambda: pool.about()["waiting"] == 1, "it waits")
    client.reset()
    pool.stage.until(lambda: pool.about()["waiting"] == 0, "nobody waits")
    pool.driver.mend()
