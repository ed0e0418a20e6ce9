"""Killed at any moment, a balancer comes back with the servers that it had before or after
its last change, and with no others. Short by default; HEAVY=1 for the full amount."""

import http.client
import os
import random
import signal
import threading

from harness.control import Control

HEAVY = os.environ.get("HEAVY") == "1"
KILLS = 1000 if HEAVY else 20
KILLED_WITHIN = 0.03  # seconds; a change takes about one of a thousand


def states(control):
    return {address: (server["weight"], server["drain"])
            for address, server in control.servers().items()}


def some_change(servers):
    """A question to ask, and the servers that there are when it has been done."""
    address = f"127.0.0.1:{random.randint(1, 12)}"
    after = dict(servers)
    if address not in servers:
        after[address] = (random.randint(0, 9), random.random() < 0.5)
        weight, drain = after[address]
        return (Control.add, address, {"weight": weight, "drain": drain}), after
    if random.random() < 0.4:
        del after[address]
        return (Control.remove, address, {}), after
    weight, drain = random.randint(0, 9), random.random() < 0.5
    after[address] = (weight, drain)
    return (Control.set, address, {"weight": weight, "drain": drain}), after


def change_until_killed(control, servers):
    """The servers as they were answered last, and those of the question that got no
    answer."""
    while True:
        (ask, address, more), after = some_change(servers)
        try:
            answer = ask(control, address, **more)
        except (OSError, http.client.HTTPException):
            return servers, after
        assert answer.status in (200, 201), answer
        servers = after


def test_killed_at_any_moment_it_is_before_or_after_a_change(stage):
    balancer = stage.balancer([1, 2, 3])
    changed = 0
    for _ in range(KILLS):
        servers = states(balancer.control)
        killer = threading.Timer(random.random() * KILLED_WITHIN, balancer.signal,
                                 [signal.SIGKILL])
        killer.start()
        before, after = change_until_killed(balancer.control, servers)
        killer.join()
        balancer.wait()
        changed += before != servers
        stage.balancers.remove(balancer)
        balancer = stage.start(balancer.again())
        found = states(balancer.control)
        assert found in (before, after)
        assert "cannot be used" not in balancer.log
    assert changed > KILLS / 4, "killed before anything was changed"
