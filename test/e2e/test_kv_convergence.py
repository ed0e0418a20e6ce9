"""Whatever happens to the workers of a pool, in the end they hold the same, and no write
is lost that was acknowledged (acks all). A short form of heavy/test_heavy_kv.py, and the
tests of the checker itself: it must find what was put into a good history."""

import random

import pytest

from harness.kv_chaos import chaos
from harness.kv_history import Read, Write, faults


def test_workers_that_are_killed_and_added_lose_nothing(stage):
    chaos(stage, seconds=5, keys=200, clients=4, workers=4)


def test_a_few_keys_that_all_clients_fight_for(stage):
    """Through workers that have several connections, which end one after the other."""
    chaos(stage, seconds=4, keys=5, clients=8, workers=4, options=["--threads", "2"])


def test_replicas_of_a_pool_without_acknowledgements_converge_as_well(stage):
    chaos(stage, seconds=3, keys=50, clients=4, workers=3, acks="none")


# The checker


def good_history():
    """Three clients that take turns, and a store that does as it should."""
    events, now, version = [], 0.0, 0
    rng = random.Random(5)
    last = (0, None)
    for _ in range(100):
        began = now
        now += 1
        if rng.random() < 0.5:
            version += 1
            last = (version, b"%d" % version)
            events.append(Write(b"k", last[1], began, now - 0.5, version))
        else:
            events.append(Read(b"k", last[1], began, now - 0.5, last[0]))
    return events, {b"k": last}


def test_a_good_history_has_no_faults():
    events, final = good_history()
    assert not list(faults(events, final))


def acknowledged(events):
    return [event for event in events if isinstance(event, Write)]


def lose_the_last(events, final):
    write = acknowledged(events)[-2]
    return events, {b"k": (write.version, write.value)}


def lose_everything(events, final):
    return events, {}


def leave_what_nobody_wrote(events, final):
    return events, {b"k": (final[b"k"][0], b"forged")}


def read_an_old_one(events, final):
    old = acknowledged(events)[-3]
    return [*events, Read(b"k", old.value, 200, 201, old.version)], final


def read_nothing(events, final):
    return [*events, Read(b"k", None, 200, 201, 0)], final


def read_another_value(events, final):
    version, _ = final[b"k"]
    return [*events, Read(b"k", b"forged", 200, 201, version)], final


def write_under_an_old_version(events, final):
    old = acknowledged(events)[-3]
    return [*events, Write(b"k", b"late", 200, 201, old.version - 1)], {
        b"k": (old.version - 1, b"late")}


@pytest.mark.parametrize("spoil", [
    lose_the_last, lose_everything, leave_what_nobody_wrote, read_an_old_one,
    read_nothing, read_another_value, write_under_an_old_version])
def test_a_spoilt_history_is_found_out(spoil):
    assert list(faults(*spoil(*good_history())))


def test_a_write_that_nobody_answered_may_be_there_or_not():
    events, final = good_history()
    events.append(Write(b"k", b"unknown", 200, None, 0))
    assert not list(faults(events, final))
    assert not list(faults(events, {b"k": (999, b"unknown")}))
