"""Pools that own their servers, in bulk: many clients while servers are killed one after
the other, and what it costs to watch many. Short by default; HEAVY=1 for the full
amounts."""

import os
import random
import re
import threading
import time
from pathlib import Path

import pytest

from harness.owned_load import NONE, Storm
from harness.patience import PATIENCE
from harness.program import OUT

HEAVY = os.environ.get("HEAVY") == "1"
INSTRUMENTED = OUT.name != "out"        # sanitizers need their time

CLIENTS = 100
REQUESTS = 10_000 if HEAVY else 2_000
DELAY_MS = 120          # so that each death meets requests
BETWEEN_DEATHS_S = 1.0

SERVERS = 200 if HEAVY else 20
WATCHED_S = 30 if HEAVY else 3
CORE_SHARE_MAX = 0.01


def test_no_request_is_lost_while_one_server_a_second_is_killed(owned):
    pool = owned(min=3, max=6, check="", threads=2)     # the check that it has anyway
    pool.until_serving(3)
    storm = Storm(pool.port, REQUESTS, CLIENTS, f"/home?delay={DELAY_MS}")
    done = pool.stage.aside(storm.run)
    kills, pause = 0, threading.Event()
    while not storm.ended:
        alive = [one for one in pool.all() if one.runs]
        if alive:
            random.choice(alive).kill()
            kills += 1
        pause.wait(BETWEEN_DEATHS_S)
    done.result()

    print(f"{pool.driver.kind}: {kills} killed, {dict(storm.outcomes)}")
    assert kills > 1
    assert storm.total("GET") + storm.total("POST") == REQUESTS
    assert storm.count("GET", 200) == storm.total("GET"), storm.outcomes
    assert storm.count("POST", NONE) == 0, storm.outcomes
    assert storm.count("POST", 200, 502, 503, 504) == storm.total("POST"), storm.outcomes
    said = "".join(body.decode() for body in storm.bodies)
    assert set(re.findall(r"Server: ([^\"]+)", said)) <= set(pool.names(1, 2, 3))
    pool.until_serving(pool.names(1, 2, 3))
    assert len(pool.all()) == 3


def seconds_of_thread(pid, tid):
    """CPU time of a thread."""
    return int(Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[0]) / 1e9


@pytest.mark.parametrize("owned", ["process"], indirect=True)
def test_to_watch_many_servers_costs_next_to_nothing(owned):
    pool = owned(min=SERVERS, max=SERVERS, check="", arguments="--threads 1",
                 starts_per_minute=10_000)
    pool.until_serving(SERVERS, within=10 * PATIENCE)
    pid = pool.balancer.pid             # the control thread is the first
    time.sleep(3)                       # until checks have their rhythm
    before, began = seconds_of_thread(pid, pid), time.monotonic()
    time.sleep(WATCHED_S)
    used = seconds_of_thread(pid, pid) - before
    share = used / (time.monotonic() - began)
    print(f"{SERVERS} servers: {100 * share:.3f} % of a core")
    assert len(pool.serving()) == SERVERS
    assert share < CORE_SHARE_MAX or INSTRUMENTED
