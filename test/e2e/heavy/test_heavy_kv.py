"""The key-value mode in bulk: two minutes of workers that die and join under load, many
clients and workers at once, a newcomer to a pool of ten million entries. Short by
default; HEAVY=1 for the full amounts."""

import json
import os
import statistics
import subprocess

from harness import kv_wire as wire
from harness.echo import allow_descriptors
from harness.kv_chaos import chaos
from harness.kv_client import get, put
from harness.kv_pool import Pool
from harness.patience import PATIENCE
from harness.program import OUT

HEAVY = os.environ.get("HEAVY") == "1"


def amount(short, full):
    return full if HEAVY else short


def test_five_workers_killed_and_added_lose_nothing(stage):
    """Eight clients write the same thousand keys through all of them."""
    operations, kills = chaos(stage, seconds=amount(4, 120), keys=1000, clients=8,
                              workers=5)
    print(f"{operations} operations, {kills} kills")


def test_many_clients_and_workers_at_once(stage):
    allow_descriptors()
    pool = Pool(stage, 0, pool="acks all", threads=2)
    for _ in range(amount(6, 32)):
        pool.start()
    for worker in pool.workers:
        worker.is_ready()
    clients = [pool.client(1 + number % 2) for number in range(amount(300, 5000))]
    for turn in range(2):
        for number, client in enumerate(clients):
            client.send(put(b"%d" % number, b"%d of %d" % (turn, number)).encode()
                        + get(b"%d" % number).encode())
        for number, client in enumerate(clients):
            assert client.next("PUT_RESPONSE").result == wire.FINE
            assert client.next("GET_RESPONSE").value == b"%d of %d" % (turn, number)
    print(f"{len(clients)} clients, {len(pool.workers)} workers")
    assert pool.agrees(3 * PATIENCE) == len(clients)


def kv_client_load(pool, *options):
    """kv-client as load; its figures."""
    words = ["kv-client", "--balancer", f"127.0.0.1:{pool.port}", "load", "--json",
             *options]
    done = subprocess.run([OUT / words[0], *map(str, words[1:])], capture_output=True,
                          text=True, timeout=amount(60, 1800), check=False)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_a_newcomer_to_a_large_pool_disturbs_nobody(stage):
    """It joins under load: no error, it is complete, and the p99 of GET less than doubles,
    by the median of windows, which decides only where the amounts are full."""
    entries = amount(50_000, 10_000_000)
    pool = Pool(stage, 1, threads=1)
    shape = ["--keys", entries, "--value-size", 84]     # keys have 16 bytes
    kv_client_load(pool, *shape, "--reads", "0%", "--count", entries, "--pipeline", 64,
                   "--connections", 4)
    reads = [*shape, "--reads", "95%", "--rate", 2000, "--verify", "--time", "2s"]
    alone = [p99(pool, reads) for _ in range(amount(1, 7))]
    newcomer, meanwhile = pool.start(), []
    while not newcomer.says_ready or not meanwhile:
        meanwhile.append(p99(pool, reads))
    print(f"p99 of GET in windows of 2 s, us: {alone} alone, {meanwhile} while filling")
    assert pool.agrees(amount(1, 6) * PATIENCE) == entries
    if HEAVY:
        assert statistics.median(meanwhile) < 2 * statistics.median(alone)


def p99(pool, reads):
    """Of GET, in microseconds; all must be right."""
    figures = kv_client_load(pool, *reads)
    assert figures["wrong"] == figures["missing"] == 0, figures
    return figures["get"]["p99_us"]
