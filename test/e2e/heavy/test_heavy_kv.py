"""The key-value mode in bulk: two minutes of workers that die and join under load, many
clients and workers at once, a newcomer to a pool of ten million entries. Short by default;
HEAVY=1 for the full amounts."""

import os
import statistics
import threading
import time

from harness import kv_wire as wire
from harness.echo import allow_descriptors
from harness.kv_chaos import chaos
from harness.kv_client import KvClient, get, put
from harness.kv_pool import Pool
from harness.patience import PATIENCE, until

HEAVY = os.environ.get("HEAVY") == "1"


def amount(short, full):
    return full if HEAVY else short


def test_five_workers_killed_and_added_lose_nothing(stage):
    """Eight clients write the same thousand keys through all of them."""
    operations, kills = chaos(stage, seconds=amount(4, 120), keys=1000, clients=8, workers=5)
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
    assert pool.agrees(3 * PATIENCE) == len(clients)


class Reader:
    """One client that gets keys at a steady pace and notes how long each took."""

    def __init__(self, port, keys):
        self.port, self.keys = port, keys
        self.seconds, self.wrong = [], []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()

    def play(self):
        client, at = KvClient(self.port), 0
        while not self.stopping.is_set():
            at = (at + 7919) % self.keys
            key = b"key %d" % at
            began = time.perf_counter()
            answer = client.ask_get(key)
            self.seconds.append(time.perf_counter() - began)
            if answer.result != wire.FINE or not answer.value.startswith(key):
                self.wrong.append(answer)
            time.sleep(0.0005)
        client.close()

    def p99_of(self, begin):
        """Of what was answered from then on, in seconds."""
        return statistics.quantiles(self.seconds[begin:], n=100)[98]

    def close(self):
        self.stopping.set()
        self.thread.join()


def test_a_newcomer_to_a_large_pool_disturbs_nobody(stage):
    """It joins under load: no error, it is complete, and the p99 of GET less than
    doubles, which decides only where the amounts are full."""
    entries = amount(20_000, 10_000_000)
    pool = Pool(stage, 1, threads=1)
    fill(pool, entries)
    reader = Reader(pool.port, entries)
    stage.clients.append(reader)
    until(lambda: len(reader.seconds) > amount(500, 10_000), "it reads", 12 * PATIENCE)
    before, mark = reader.p99_of(0), len(reader.seconds)
    newcomer = pool.start()
    until(lambda: newcomer.runs() and "ready" in newcomer.log, "it is ready",
          amount(1, 30) * PATIENCE)
    until(lambda: len(reader.seconds) > mark + 200, "it reads on")
    meanwhile = reader.p99_of(mark)
    reader.close()
    assert not reader.wrong, reader.wrong[:3]
    print(f"p99 of GET: {before * 1e6:.0f} us alone, {meanwhile * 1e6:.0f} us while filling")
    assert pool.agrees(3 * PATIENCE) == entries
    if HEAVY:
        assert meanwhile < 2 * before


def fill(pool, entries):
    """With values of 100 bytes less the key, in large pipelined pieces."""
    client = KvClient(pool.port)
    piece = 2000
    for begin in range(0, entries, piece):
        names = [b"key %d" % number for number in range(begin, min(begin + piece, entries))]
        sender = threading.Thread(target=client.say_all,
                                  args=[put(name, name.ljust(90, b".")) for name in names])
        sender.start()
        for answer in client.take(len(names), "PUT_RESPONSE"):
            assert answer.result == wire.FINE
        sender.join()
    client.close()
