"""How many servers there are: by order, by load, down to none and up again with the first
request. By both drivers. How long something takes decides nothing here: each wait ends
with what it waits for."""

import threading
import time
from contextlib import contextmanager

from harness.owned_pool import replicas

SCALE = "up-above 2 down-below 1 up-after 200ms down-after 400ms"


@contextmanager
def busy(pool, clients, ms=200):
    """So many clients that ask again and again for so long; all are answered."""
    over = threading.Event()

    def ask():
        while not over.is_set():
            pool.home(f"?delay={ms}")
    asking = [pool.stage.aside(ask) for _ in range(clients)]
    try:
        yield asking
    finally:
        over.set()
    for one in asking:
        one.result()


# ---- by load ----

def test_more_servers_come_with_the_load_and_go_after_it(owned):
    pool = owned(min=1, max=3, scale=SCALE)
    pool.until_serving(1)
    with busy(pool, 12):
        pool.until_serving(3)
    pool.until_serving(1)
    pool.until_left(1)


def test_between_the_two_limits_nothing_changes(owned):
    pool = owned(min=1, max=4, scale=SCALE)
    pool.until_serving(1)
    slow = [pool.stage.aside(pool.home, "?delay=3000") for _ in range(3)]
    pool.until_serving(2)               # from 3 each to 1.5 each
    while not any(one.done() for one in slow):
        assert len(pool.serving()) == 2
        time.sleep(0.05)
    for one in slow:
        one.result()
    pool.until_serving(1)


def test_a_server_that_leaves_for_lack_of_load_loses_no_request(owned):
    pool = owned(min=1, max=3, scale=SCALE)
    pool.until_serving(1)
    with busy(pool, 12):
        pool.until_serving(3)
    with busy(pool, 2, 700):            # less than one each
        pool.until_serving(2)


# ---- down to none ----

def test_the_first_request_starts_one_and_is_answered(owned):
    pool = owned(min=0)
    assert pool.rep().text == replicas([])
    assert pool.all() == []
    assert pool.home() == pool.names(1)[0]
    pool.until_serving(pool.names(1))


def test_many_first_requests_are_all_answered(owned):
    pool = owned(min=0, max=3, threads=2)
    first = [pool.stage.aside(pool.home) for _ in range(20)]
    assert {one.result() for one in first} <= set(pool.names(1, 2, 3))
    assert len(pool.all()) <= 3


def test_without_requests_there_is_none_again(owned):
    pool = owned(min=0, scale=SCALE)
    for _ in range(2):
        assert pool.home() == pool.names(1)[0]
        pool.until_serving(0)
        pool.until_left(0)


def test_the_last_one_may_be_removed_where_none_is_enough(owned):
    pool = owned(min=0)
    assert pool.add(1).text == replicas(pool.names(1))
    assert pool.remove(1).text == replicas([])
    pool.until_left(0)
    assert pool.home() == pool.names(1)[0]
