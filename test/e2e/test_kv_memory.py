"""The life of the memory: a balancer and three workers, from before they are started until
they are gone, measured at six steps.

What is stored is the same from the third step on: BASE entries, written before it and
overwritten by values of the same size under stress. What else is written under stress ends
by itself, so that at the fifth step nothing may be left of it, nor of the clients.

KV_MEMORY_SVG=FILE draws what was measured (make kv-memory).
"""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import psutil

from harness import kv_wire as wire
from harness.kv_program import KvProgram, ended
from harness.kv_stage import kv_config
from harness.memory_plot import draw
from harness.patience import PATIENCE, until
from harness.ports import accepts
from harness.program import OUT

INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own

STEPS = ("not started", "started", "workers connected", "under stress", "passive",
         "all stopped")
CONNECTED, STRESS, PASSIVE = 2, 3, 4
WORKERS, THREADS = 3, 2
BASE, BASE_BYTES = 20_000, 64           # entries, and bytes of each value
FLEETING, FLEETING_BYTES = 20_000, 900  # of those that end by themselves
FLEETING_MS = 2000
PROCESSES, CONNECTIONS, SECONDS = 4, 25, 3

# How far above the third step the fifth may be. Memory in use: what slabs and queues keep for
# their next use. Resident memory: that, and what the C library keeps free between pages in
# use, which may be a part of what the stress has added.
HEAP_SHARE_MAX, HEAP_BYTES_MAX = 1.05, 512 << 10
RESIDENT_SHARE_MAX, RESIDENT_BYTES_MAX = 0.25, 1 << 20


class Life:
    """One program's figures at each step; `heap` says how much of it is in use."""

    def __init__(self):
        self.program = self.heap = None
        self.steps = []

    def is_of(self, program, heap):
        self.program, self.heap = program, heap

    def now(self):
        if self.program is None or self.program.process.poll() is not None:
            return {"heap": 0, "resident": 0, "threads": 0}
        return {"heap": self.heap(), "resident": self.program.rss(),
                "threads": psutil.Process(self.program.pid).num_threads()}

    def take(self):
        self.steps.append(self.now())

    def take_most(self, samples):
        """The largest of what was seen while something went on."""
        self.steps.append({name: max(sample[name] for sample in samples)
                           for name in samples[0]})


def start_all(stage, lives):
    """Started, but without each other: workers that find no balancer yet, and stand still
    while it is looked at."""
    ports = [stage.port(), stage.port()]
    nobody = SimpleNamespace(workers_port=ports[1])
    workers = [stage.worker(nobody, "--threads", THREADS, identity=1 + number)
               for number in range(WORKERS)]
    for life, worker in zip(lives[1:], workers):
        until(lambda worker=worker: worker.runs() and accepts(worker.peer_port),
              "the worker is there")
        life.is_of(worker, lambda worker=worker: worker.statistics()["heap_bytes"])
        life.take()
        worker.signal(signal.SIGSTOP)
    balancer = stage.run(kv_config(ports, threads=THREADS, pool="value-size 8k"), ports[0])
    lives[0].is_of(balancer, lambda: balancer.control.get("/v1/status")["heap_bytes"])
    lives[0].take()
    for worker in workers:
        worker.signal(signal.SIGCONT)
    for worker in workers:
        worker.is_ready()
    return balancer, workers


def connections(balancer):
    return balancer.control.get("/v1/status")["connections"]


def load(stage, balancer, name, *words):
    """kv-client's, on its way."""
    directory = stage.directory / name
    directory.mkdir()
    return KvProgram(balancer.port, directory).start(
        "load", "--json", "--keys", BASE, "--value-size", BASE_BYTES, *words)


def finished(process):
    done = ended(process)
    assert done.code == 0, done
    return done.figures


def write_fleeting(client):
    """Entries that end by themselves: no tombstone is left of them."""
    batch = 500
    for first in range(0, FLEETING, batch):
        for number in range(first, first + batch):
            client.send(client.op(wire.SET, b"fleeting %d" % number, b"f" * FLEETING_BYTES,
                                  flags=wire.RELATIVE, expires=FLEETING_MS))
        for _ in range(batch):
            assert client.next("REPLY").result == wire.FINE


def stress(stage, balancer, lives):
    """Several processes with many clients each, all reading and writing."""
    loads = [load(stage, balancer, f"load-{number}", "--time", f"{SECONDS}s",
                  "--connections", CONNECTIONS, "--pipeline", 8, "--seed", 2 + number)
             for number in range(PROCESSES)]
    client = stage.kv_client(balancer, version=2)
    written = stage.aside(write_fleeting, client)
    samples = []
    while not written.done() or any(process.poll() is None for process in loads):
        samples.append([life.now() for life in lives])
        time.sleep(0.05)        # or measuring would be most of the load
    for process in loads:
        assert finished(process)["operations"] > 0
    written.result()
    client.close()
    for life, seen in zip(lives, zip(*samples)):
        life.take_most(seen)


def is_passive(balancer, workers, resting):
    return (connections(balancer) == resting and
            all(worker.statistics()["entries"] == BASE for worker in workers))


def resident_max(life):
    connected, stressed = (life.steps[step]["resident"] for step in (CONNECTED, STRESS))
    return connected + (stressed - connected) * RESIDENT_SHARE_MAX + RESIDENT_BYTES_MAX


def live(stage, lives):
    """All six steps."""
    for life in lives:
        life.take()
    balancer, workers = start_all(stage, lives)
    resting = connections(balancer)
    assert finished(load(stage, balancer, "base", "--count", BASE, "--reads", "0%",
                         "--connections", 4, "--pipeline", 16))
    until(lambda: is_passive(balancer, workers, resting), "what is stored is everywhere")
    for life in lives:
        life.take()
    stress(stage, balancer, lives)
    until(lambda: is_passive(balancer, workers, resting), "what is fleeting is gone",
          PATIENCE * 3)
    until(lambda: INSTRUMENTED or balancer.rss() <= resident_max(lives[0]),
          "the balancer has given back what its clients have left free")
    for life in lives:
        life.take()
    for program in [*workers, balancer]:
        assert program.terminate() == 0
    for life in lives:
        life.take()


def check(name, life):
    connected, stressed, passive = (life.steps[step] for step in (CONNECTED, STRESS, PASSIVE))
    what = f"{name}: {dict(zip(STEPS, life.steps))}"
    assert passive["threads"] == connected["threads"], what
    assert life.steps[-1] == {"heap": 0, "resident": 0, "threads": 0}, what
    if INSTRUMENTED:
        return
    assert stressed["heap"] > connected["heap"], what
    assert passive["heap"] <= connected["heap"] * HEAP_SHARE_MAX + HEAP_BYTES_MAX, what
    assert passive["resident"] <= resident_max(life), what


def picture(lives):
    workers = [{name: max(one[name] for one in step) for name in step[0]}
               for step in zip(*(life.steps for life in lives[1:]))]
    return draw("The life of the memory", STEPS, {
        "balancerd": lives[0].steps, f"kv-worker, the largest of {WORKERS}": workers})


def test_the_life_of_the_memory(stage):
    """What clients and their load have taken is given back; at the end all is, which the
    leak checker sees where the programs are built with it."""
    lives = [Life() for _ in range(1 + WORKERS)]
    live(stage, lives)
    for number, life in enumerate(lives):
        check(f"kv-worker {number}" if number > 0 else "balancerd", life)
    if target := os.environ.get("KV_MEMORY_SVG"):
        Path(target).write_text(picture(lives))
