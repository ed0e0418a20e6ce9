"""Processes of a benchmark: started on one CPU, measured, and surely ended."""

import contextlib
import ctypes
import os
import pathlib
import random
import resource
import signal
import socket
import subprocess
import time

DESCRIPTORS = 65536
START_SECONDS_MAX = 5
PORT_MIN = 10000
PORTS_TRIED_MAX = 100
PR_SET_PDEATHSIG = 1            # linux/prctl.h

libc = ctypes.CDLL(None)


class NotStarted(Exception):
    """Why a program does not take part."""


def free_port():
    """One that no connection is given for its own end, so that it stays free."""
    given = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    for port in random.sample(range(PORT_MIN, int(given[0])), PORTS_TRIED_MAX):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port
    raise NotStarted("no free port")


def raise_descriptors():
    """As many as we need; root may go above the hard limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(hard, DESCRIPTORS)))
    except ValueError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pinned(cpu):
    """What a child does before it becomes the program."""
    def prepare():
        os.sched_setaffinity(0, {cpu})
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return prepare


class Process:
    """A program in the foreground, pinned to a CPU, that listens on a port."""

    def __init__(self, command, cpu, port, log):
        self.port = port
        self.metrics = None     # the socket that they are read from during a run
        self.log = pathlib.Path(log)
        with self.log.open("wb") as out:
            # pylint: disable-next=subprocess-popen-preexec-fn,consider-using-with
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, preexec_fn=pinned(cpu))
        try:
            self.wait_until_ready()
        except NotStarted:
            self.end()
            raise

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        said = self.log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise NotStarted(f"did not listen on port {self.port}: {said}")

    def ids(self):
        """The process and its children: nginx works in a child."""
        main = self.process.pid
        children = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def cpu_seconds(self):
        """User and system time of all threads: fields 14 and 15 of proc(5)'s stat."""
        ticks = 0
        for pid in self.ids():
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """User memory in bytes: the proportional set size."""
        total = 0
        for pid in self.ids():
            maps = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            for line in maps.splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            for pid in reversed(self.ids()):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
