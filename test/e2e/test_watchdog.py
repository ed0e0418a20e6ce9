"""The service manager hears that all is well, for as long as no loop hangs."""

import ctypes
import os
import pathlib
import socket
import struct

import psutil
import pytest

from harness.balancer import config
from harness.client import RawClient
from harness.patience import PATIENCE, until

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


def test_once_another_process_serves_only_that_tells(stage, manager):
    manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    balancer = start(stage, manager, WATCHDOG_USEC=200000)
    before, client = balancer.pid, RawClient(balancer.port)
    stage.clients.append(client)        # whom the old process has, and waits for
    client.send(b"GET / HT")
    assert told_by(manager) == before
    after = balancer.upgrade()
    until(lambda: told_by(manager) == after, "the new process tells")
    assert {told_by(manager) for _ in range(6)} == {after}
    assert psutil.pid_exists(before)


def told_by(manager):
    while True:
        message, extra, *_ = manager.recvmsg(4096, socket.CMSG_SPACE(12))
        if message == b"WATCHDOG=1\n":
            return struct.unpack("3i", extra[0][2])[0]


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
