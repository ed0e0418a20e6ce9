"""How many servers there are: by order, by load, down to none and up again with the first
request. By both drivers. How long something takes decides nothing here: each wait ends with
what it waits for."""

import time

from harness.owned_pool import replicas

SCALE = "up-above 2 down-below 1 up-after 200ms down-after 400ms"


def busy(pool, requests, ms):
    """So many requests at once that take so long; all are with a server."""
    slow = [pool.stage.aside(pool.home, f"?delay={ms}") for _ in range(requests)]
    pool.stage.until(lambda: pool.in_flight() == requests, "the servers have them all")
    return slow


# ---- by load ----

def test_more_servers_come_with_the_load_and_go_after_it(owned):
    pool = owned(min=1, max=3, scale=SCALE)
    pool.until_serving(1)
    slow = busy(pool, 12, 4000)
    pool.until_serving(3)
    assert {one.result() for one in slow} <= set(pool.names(1, 2, 3))
    pool.until_serving(1)
    pool.until_left(1)


def test_between_the_two_limits_nothing_changes(owned):
    pool = owned(min=1, max=4, scale=SCALE)
    pool.until_serving(1)
    slow = busy(pool, 3, 3000)          # 3 each, then 1.5 each
    pool.until_serving(2)
    while not any(one.done() for one in slow):
        assert len(pool.serving()) == 2
        time.sleep(0.05)
    for one in slow:
        one.result()
    pool.until_serving(1)


def test_a_server_that_leaves_for_lack_of_load_loses_no_request(owned):
    pool = owned(min=1, max=3, scale="up-above 2 down-below 2 up-after 200ms "
                                     "down-after 300ms".replace("below 2", "below 1"))
    pool.until_serving(1)
    slow = busy(pool, 12, 3000)
    pool.until_serving(3)
    for one in slow:
        one.result()
    last = busy(pool, 2, 2500)          # less than one each
    pool.until_serving(2)
    assert all(one.result() for one in last)


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
