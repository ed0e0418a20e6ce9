"""Moments that seldom come: bytes that arrive between two steps, ends that come in an
unusual order, clients that read slowly."""

import os
import signal
import socket
import threading
import time

import pytest

from harness.message import Cut, Ended
from harness.patience import PATIENCE
from harness.server import response


def get(target, *fields, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post_head(target, length):
    return (f"POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}"
            "\r\n\r\n").encode()


# Bytes of the next request behind a body


def test_what_follows_a_body_that_was_begun_from_kept_bytes(stage):
    """The body's beginning waits behind a request that runs; its end and the next
    request come before that one is answered."""
    answer = threading.Event()

    def play(request, peer):
        if request.target == "/1":
            answer.wait(PATIENCE)
        return response(request.target)

    server = stage.server(play)
    client = stage.client(stage.balancer([server], threads=1))
    client.send(get("/1") + post_head("/2", 2000) + b"b" * 1000)
    server.waits_for(1)
    time.sleep(0.3)
    client.send(b"b" * 1000 + get("/3"))
    time.sleep(0.2)
    answer.set()
    for target in (b"/1", b"/2", b"/3"):
        assert client.response().body == target
    assert server.requests[1].body == b"b" * 2000


def test_what_follows_a_body_that_is_larger_than_one_read(stage):
    server = stage.server(lambda request, peer: response(request.target))
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    assert client.get("/1").body == b"/1"
    body = b"b" * 80_000
    balancer.signal(signal.SIGSTOP)
    client.send(post_head("/2", len(body)) + body + get("/3"))
    balancer.signal(signal.SIGCONT)
    for target in (b"/2", b"/3"):
        assert client.response().body == target
    assert server.requests[1].body == body
