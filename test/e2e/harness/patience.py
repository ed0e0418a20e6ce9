"""How long a test waits before it calls something lost.

Nothing here is a guess at how long something takes: a wait ends as soon as what it
waits for has happened, and only a failing test ever waits this long.
"""

import time

PATIENCE = 10.0  # seconds


def until(condition, what, within=PATIENCE):
    """Waits until condition() is true and returns what it returned."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.005)


def seconds_of(action):
    """How long action() took, and what it returned."""
    began = time.monotonic()
    result = action()
    return time.monotonic() - began, result
