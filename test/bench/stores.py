"""The key-value part: what stands before and behind the clients of Redis, and their load.

redis-benchmark is the clients, of nobody's making here. Each program under test is alone on
its CPU; the store behind it shares the other one with the clients, as the origin does with
the clients of the other benchmarks. Every program has a store of its own, so that what one
has written is not what another reads.
"""

import csv
import socket
import subprocess
import time

from processes import NotStarted, Process, free_port, pinned
from programs import LOAD_CPU, PROXY_CPU, program, write

KEYS = 100_000
VALUE_BYTES = 64
CLIENTS = 50
WARM_UP = 5_000                 # times the depth: requests of a run that tells how fast it is
FILL_STEP = 500                 # requests sent at once
FILL_SECONDS_MAX = 20

SETTINGS = {
    "balancerd": "`threads 1`, `protocol resp`, a pool with one kv-worker of one thread",
    "nutcracker": "as it comes, before one redis-server (`save \"\"`, `appendonly no`)",
    "nutcracker, -v 4": "the same with less said: as it comes it makes up a line of log for "
                        "each request, and drops it",
    "redis": "redis-server alone, on the CPU of the proxies: what a proxy costs",
}

NUTCRACKER = """\
store:
  listen: 127.0.0.1:{port}
  hash: fnv1a_64
  distribution: ketama
  redis: true
  auto_eject_hosts: false
  servers:
   - 127.0.0.1:{store}:1
"""

BALANCERD = """\
threads 1
listen kv 127.0.0.1:{clients} {{
    workers 127.0.0.1:{workers}
    to store
}}
listen kv 127.0.0.1:{port} {{
    protocol resp
    to store
}}
pool store {{
}}
"""


def start_redis(folder, port, cpu):
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1",
               "--save", "", "--appendonly", "no"]
    return Process(command, cpu, port, folder / f"redis-{port}.log")


def start_nutcracker(name, folder, stack):
    store, port = free_port(), free_port()
    redis = start_redis(folder, store, LOAD_CPU)
    stack.callback(redis.end)
    path = write(folder, f"nutcracker-{port}.yml", NUTCRACKER.format(port=port, store=store))
    # Its own figures have a port, too; its default may be taken.
    command = [program("nutcracker"), "-c", path, "-s", str(free_port()),
               *name.partition(", ")[2].split()]
    front = Process(command, PROXY_CPU, port, path.with_suffix(".log"))
    return front, redis


def start_balancerd(folder, out, stack):
    clients, workers, port, peers = (free_port() for _ in range(4))
    path = write(folder, f"{port}.conf",
                 BALANCERD.format(clients=clients, workers=workers, port=port))
    for binary in (out / "balancerd", out / "kv-worker"):
        if not binary.exists():
            raise NotStarted(f"{binary} is not built")
    front = Process([out / "balancerd", "run", "--socket", folder / f"{port}.sock",
                     "--state", folder / "state", path],
                    PROXY_CPU, port, path.with_suffix(".log"))
    stack.callback(front.end)
    worker = Process([out / "kv-worker", "--balancer", f"127.0.0.1:{workers}",
                      "--peers", f"127.0.0.1:{peers}", "--id", "1"],
                     LOAD_CPU, peers, folder / f"kv-worker-{port}.log")
    return front, worker


def start(name, folder, out, stack):
    """One of SETTINGS: the process that clients talk to, and the one that holds the data.
    Both end with the stack. NotStarted says why it does not take part."""
    if name == "redis":
        front = start_redis(folder, free_port(), PROXY_CPU)
        store = front
    elif name.startswith("nutcracker"):
        front, store = start_nutcracker(name, folder, stack)
    else:
        front, store = start_balancerd(folder, out, stack)
    stack.callback(front.end)
    stack.callback(store.end)
    fill(front.port)
    return front, store


def set_of(number):
    key = b"key:%012d" % number         # as redis-benchmark calls them
    return b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (
        len(key), key, VALUE_BYTES, b"x" * VALUE_BYTES)


def fill(port):
    """All keys are there, and that the store behind the port is ready is waited for."""
    with socket.create_connection(("127.0.0.1", port), FILL_SECONDS_MAX) as client:
        for first in range(0, KEYS, FILL_STEP):
            client.sendall(b"".join(set_of(first + i) for i in range(FILL_STEP)))
            wanted = b"+OK\r\n" * FILL_STEP
            got = b""
            while len(got) < len(wanted):
                more = client.recv(65536)
                if not more or more.startswith(b"-"):
                    raise NotStarted(f"it does not store: {more[:80]!r}")
                got += more
            if got != wanted:
                raise NotStarted(f"it does not store: {got[:80]!r}")


def ask(port, what, depth, requests):
    """A run of redis-benchmark: its line of figures."""
    command = [program("redis-benchmark"), "-p", str(port), "-t", what, "-n", str(requests),
               "-r", str(KEYS), "-d", str(VALUE_BYTES), "-c", str(CLIENTS), "-P", str(depth),
               "--csv"]
    # pylint: disable-next=subprocess-popen-preexec-fn
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          preexec_fn=pinned(LOAD_CPU))
    rows = list(csv.DictReader(done.stdout.splitlines()))
    if done.returncode != 0 or len(rows) != 1:
        raise NotStarted(f"redis-benchmark: {done.stdout}{done.stderr}".strip())
    return {name: float(value) for name, value in rows[0].items() if name != "test"}


def load(front, store, what, depth, seconds):
    """About so many seconds of load; figures per operation."""
    rate = ask(front.port, what, depth, WARM_UP * depth)["rps"]
    requests = max(int(rate * seconds), WARM_UP * depth)
    cpu_before, store_before = front.cpu_seconds(), store.cpu_seconds()
    before = time.monotonic()
    got = ask(front.port, what, depth, requests)
    wall = time.monotonic() - before
    cpu = front.cpu_seconds() - cpu_before
    return {"op_us": cpu * 1e6 / requests,
            "store_us": (store.cpu_seconds() - store_before) * 1e6 / requests,
            "rate": got["rps"], "utilisation": cpu / wall,
            "p50": got["p50_latency_ms"] * 1000, "p99": got["p99_latency_ms"] * 1000}
