"""The service manager hears that all is well, for as long as no loop hangs."""

import ctypes
import os
import pathlib
import socket

import pytest

from harness.balancer import config
from harness.patience import PATIENCE

PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(PATIENCE)
        yield sock


def start(stage, manager, **variables):
    text = config(port := stage.port(), ["127.0.0.1:1"])
    return stage.run(text, port, NOTIFY_SOCKET=manager.getsockname(), **variables)


def alive(manager, times=1):
    while times > 0:
        times -= manager.recv(4096) == b"WATCHDOG=1\n"


def loop_thread(balancer):
    for task in pathlib.Path(f"/proc/{balancer.pid}/task").iterdir():
        if (task / "comm").read_text().startswith("loop"):
            return int(task.name)
    raise AssertionError("there is no thread of a loop")


def test_it_is_told_again_and_again(stage, manager):
    start(stage, manager, WATCHDOG_USEC=200000)
    alive(manager, times=4)


def test_another_process_may_be_meant(stage, manager):
    balancer = start(stage, manager, WATCHDOG_USEC=100000, WATCHDOG_PID=1)
    assert b"READY=1" in manager.recv(4096)
    balancer.terminate()
    assert b"STOPPING=1" in manager.recv(4096)


def test_a_loop_that_hangs_ends_it_until_it_goes_on(stage, manager):
    balancer = start(stage, manager, WATCHDOG_USEC=400000)
    alive(manager, times=2)  # its loop has taken a message, and so has begun
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    thread = loop_thread(balancer)
    if ptrace(PTRACE_ATTACH, thread, 0, 0) != 0:
        pytest.skip("a thread may not be stopped here: " + os.strerror(ctypes.get_errno()))
    try:
        os.waitpid(thread, WALL)
        balancer.logs("loop 0 has made no turn for 200 ms")
        manager.setblocking(False)
        for message in iter(lambda: read(manager), None):
            assert b"STOPPING" not in message
        manager.settimeout(1)
        with pytest.raises(TimeoutError):
            manager.recv(4096)
    finally:
        ptrace(PTRACE_DETACH, thread, 0, 0)
    manager.settimeout(PATIENCE)
    alive(manager, times=2)


def read(manager):
    try:
        return manager.recv(4096)
    except BlockingIOError:
        return None
