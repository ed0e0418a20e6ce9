"""kv-worker between a balancer and peers that say every word themselves, and real workers
with each other."""

import pytest

from harness import kv_wire as wire


@pytest.fixture
def balancer(stage):
    return stage.fake_balancer()


def one(stage, balancer, *options, **settings):
    """A worker alone in its pool, ready; and its connection."""
    worker = stage.worker(balancer, *options, **settings)
    return worker, balancer.lone_worker()


# Requests


def test_a_worker_alone_serves_what_it_was_given(stage, balancer):
    _, link = one(stage, balancer)
    assert link.value(b"k") is None
    assert link.do(wire.SET, b"k", b"v").result == wire.FINE
    assert link.value(b"k") == b"v"
    assert link.count() == 1
    head = link.do(wire.HEAD, b"k")
    assert (head.result, head.value) == (wire.FINE, b"")
    assert link.do(wire.DELETE, b"k").result == wire.FINE
    assert link.do(wire.DELETE, b"k").result == wire.NOT_FOUND
    assert link.value(b"k") is None


def test_requests_of_version_1_are_served_as_well(stage, balancer):
    _, link = one(stage, balancer)
    assert link.store(b"\0k", b"v\0", 7).fields == dict(result=wire.FINE, id=7, key=b"\0k")
    found = link.retrieve(b"\0k", 8)
    assert (found.result, found.id, found.value) == (wire.FINE, 8, b"v\0")
    missing = link.retrieve(b"x", 9)
    assert (missing.result, missing.id, missing.value) == (wire.NOT_FOUND, 9, b"")
