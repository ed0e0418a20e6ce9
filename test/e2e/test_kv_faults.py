"""The eight faults of the program that came before, none of which may come back. Each has
a test here, and its docstring says what in the old program's behaviour makes it fail.

Where the fault was a worker's, the real kv-worker is between stand-ins; where it was the
balancer's, the real balancerd is."""

import os
import random
import subprocess
import threading
import time

import pytest

from harness import kv_wire as wire
from harness.balancer import BALANCERD
from harness.kv_balancer import new_version
from harness.kv_client import KvClient, get, put
from harness.kv_entries import Entries
from harness.patience import until

HEAVY = os.environ.get("HEAVY") == "1"


@pytest.fixture
def pool(stage):
    """balancerd with so many real workers, all ready."""
    def put_up(count, **settings):
        balancer = stage.kv(**settings)
        workers = []
        for identity in range(1, count + 1):
            workers.append(stage.worker(balancer, identity=identity))
            workers[-1].is_ready()
        return balancer, workers
    return put_up


def digests(balancer, workers):
    """What each worker says it holds, in a word."""
    client = KvClient(balancer.port, 2)
    try:
        return [client.stats(worker.id)["digest"] for worker in workers]
    finally:
        client.close()


# 1 A PUT that overwrites reaches every replica; replicas of a key converge


def test_fault_1_an_overwrite_reaches_every_replica(stage, pool):
    """The old worker told its peers of a key only when it was new. Here GETs go round
    all three workers after each overwrite: with that, two of three answer with what
    the key had first."""
    balancer, workers = pool(3, pool="acks all")
    client = stage.kv_client(balancer)
    for turn in range(20):
        client.put(b"k", b"%d" % turn)
        assert [client.get(b"k") for _ in range(6)] == 6 * [b"%d" % turn]
    assert len(set(digests(balancer, workers))) == 1


def test_fault_1_replicas_converge_whatever_the_order(stage):
    """The old worker kept what came last. Here one is told the same eight writes of each
    key in eight different orders, some by the balancer, some by a peer: with that, most
    keys end with another than the newest."""
    balancer = stage.fake_balancer()
    peer = stage.fake_peer(2)
    stage.worker(balancer, identity=1)
    link = balancer.worker()
    link.lists()
    worker_port = link.next("WORKER_READY").port
    peer.about["pool_key"] = balancer.pool_key
    link.lists((2, peer.port))
    peer.accept()
    wire_to_it = peer.connect(worker_port)
    rng, sequence = random.Random(8), 0
    for number in range(40):
        versions = [new_version() + step for step in range(8)]
        for version in rng.sample(versions, 8):
            key, value = b"key %d" % number, b"%d" % version
            if rng.random() < 0.5:
                link.do(wire.SET, key, value, version=version)
            else:
                sequence += 1
                wire_to_it.say("REPLICATE", seq=sequence, kind=wire.KIND_SET,
                               version=version, key=key, value=value)
                hears_up_to(wire_to_it, sequence)
        assert link.value(key) == b"%d" % versions[-1]


def hears_up_to(connection, sequence):
    """Until all up to this one are acknowledged."""
    while connection.next().fields.get("seq", 0) < sequence:
        pass


def test_fault_1_writers_of_the_same_keys_leave_the_same_everywhere(stage, pool):
    """Four clients overwrite ten keys as fast as they can. With what came last winning on
    each worker by itself, replicas differ within a second."""
    balancer, workers = pool(3, threads=2)

    def overwrite(name):
        client = KvClient(balancer.port, 1)
        rng = random.Random(name)
        for turn in range(30):
            client.say_all(*(put(b"%d" % rng.randrange(10), b"%d of %d" % (turn, name))
                             for _ in range(20)))
            client.take(20, "PUT_RESPONSE")
        client.close()
    for done in [stage.aside(overwrite, name) for name in range(4)]:
        done.result()
    until(lambda: len(set(digests(balancer, workers))) == 1, "all hold the same")
    client = stage.kv_client(balancer)
    for number in range(10):
        assert len({client.get(b"%d" % number) for _ in range(9)}) == 1


# 2 With three or more workers, notifications from all peers are read at once


def test_fault_2_all_peers_are_read_at_once(stage):
    """The old worker waited for one peer's next message before it looked at the others.
    Here five peers of version 1 are connected, one of which never says a word and one
    has begun a message; what the others say must be there all the same."""
    balancer = stage.fake_balancer()
    stage.worker(balancer, identity=1)
    link = balancer.lone_worker()
    port = link.heard[-1].port
    peers = [stage.fake_peer(identity, 1) for identity in range(2, 7)]
    lines = [peer.connect(port) for peer in peers]
    lines[1].send(wire.pack("PEER_NOTIFY", key=b"late", value=b"v")[:5])
    for turn in range(10):
        for number, line in reversed(list(enumerate(lines[2:]))):
            line.say("PEER_NOTIFY", key=b"%d of %d" % (turn, number), value=b"v")
            until(lambda: link.value(b"%d of %d" % (turn, number)) == b"v",
                  f"what peer {number} said is there")
    lines[1].send(wire.pack("PEER_NOTIFY", key=b"late", value=b"v")[5:])
    until(lambda: link.value(b"late") == b"v", "what was begun early is there, too")


# 3 No GET is answered by a worker that is still being filled


def test_fault_3_a_worker_that_is_being_filled_is_not_asked(stage):
    """The old balancer asked a newcomer as soon as it had connected. Here one of version
    1, the real kv-worker, is being filled by a stand-in that stops halfway: with that,
    every second GET of what has not come yet finds nothing."""
    balancer = stage.kv(threads=1)
    full = stage.fake_worker(balancer, 1, entries=Entries(
        {b"key %d" % number: b"v" for number in range(100)}))
    full.listed()
    stage.worker(balancer, "--version", "1", identity=2)
    newcomer = full.listed(2).entries[0]
    assert newcomer.exports == 1
    exporter = full.peer.connect(newcomer.port)
    exporter.say("DATA_EXPORT_START", total=100)
    for number in range(50):
        exporter.say("DATA_ENTRY", key=b"key %d" % number, value=b"v")
    client = stage.kv_client(balancer)
    for number in range(100):
        assert client.get(b"key %d" % number) == b"v"
    for number in range(50, 100):
        exporter.say("DATA_ENTRY", key=b"key %d" % number, value=b"v")
    exporter.say("DATA_EXPORT_END")

    def newcomer_is_asked():
        before = len(full.requests)
        for number in range(100):
            assert client.get(b"key %d" % number) == b"v"
        return len(full.requests) - before < 100
    until(newcomer_is_asked, "the newcomer takes its share")


def test_fault_3_a_newcomer_of_version_2_is_not_asked_before_it_says_ready(stage):
    """The same for a stand-in that has been listed and waits to be filled."""
    balancer = stage.kv(threads=1)
    full = stage.fake_worker(balancer, 1, 2, entries=Entries({b"k": b"v"}))
    full.listed()
    newcomer = stage.fake_worker(balancer, 2, 2, ready=False)
    full.listed(2)
    client = stage.kv_client(balancer)
    assert [client.get(b"k") for _ in range(40)] == 40 * [b"v"]
    assert not newcomer.requests
    newcomer.entries = full.entries
    newcomer.is_ready()
    client.reaches([full, newcomer])


def test_fault_3_readers_find_all_while_workers_join(stage, pool):
    """The same with real workers of version 2 that fill each other, under load."""
    balancer, workers = pool(1, threads=2)
    client = stage.kv_client(balancer)
    keys = [b"key %d" % number for number in range(2000)]
    client.say_all(*(put(key, key) for key in keys))
    client.take(len(keys), "PUT_RESPONSE")
    stop, missed = threading.Event(), []

    def read_all(seed):
        reader, rng = KvClient(balancer.port, 1), random.Random(seed)
        while not stop.is_set():
            asked = rng.choices(keys, k=100)
            reader.say_all(*map(get, asked))
            missed.extend(answer for answer in reader.take(100, "GET_RESPONSE")
                          if answer.value != answer.key)
        reader.close()
    readers = [stage.aside(read_all, seed) for seed in range(2)]
    try:
        for identity in (2, 3, 4):
            workers.append(stage.worker(balancer, identity=identity))
            workers[-1].is_ready()
    finally:
        stop.set()
        for reader in readers:
            reader.result()
    assert not missed
    assert len(set(digests(balancer, workers))) == 1


# 4 A response for a departed client reaches nobody else


@pytest.mark.parametrize("version", [1, 2])
def test_fault_4_what_a_departed_client_asked_reaches_nobody_else(stage, version):
    """The old balancer found the client of a response by the number of its descriptor,
    which the next client gets. Here twenty clients ask and go while the worker is silent,
    and twenty others come and ask as well: with that, they get the others' answers."""
    balancer = stage.kv(threads=1)
    worker = stage.fake_worker(balancer, 1, version)
    worker.listed()
    worker.hold()
    gone = [stage.kv_client(balancer) for _ in range(20)]
    for number, client in enumerate(gone):
        client.say_all(get(b"secret %d" % number), put(b"mine %d" % number, b"v"))
    worker.waits_for(40)
    descriptors = balancer.descriptors()
    for number, client in enumerate(gone):      # half of them might still read
        client.close() if number % 2 else client.reset()
    until(lambda: balancer.descriptors() <= descriptors - 10, "the others are gone")
    come = [stage.kv_client(balancer) for _ in range(20)]
    for number, client in enumerate(come):
        client.send(get(b"own %d" % number).encode())
    worker.waits_for(60)
    worker.release()
    for number, client in enumerate(come):
        assert client.next("GET_RESPONSE").key == b"own %d" % number
        assert client.silent(0.005)


def test_fault_4_an_answer_that_comes_very_late_reaches_nobody(stage):
    """One tag stays unanswered while thousands of others come and go; none of them is the
    same, and the answer in the end is nobody's."""
    balancer = stage.kv(threads=1)
    worker = stage.fake_worker(balancer, 1, 1)
    worker.listed()
    late = []

    def answer(request, worker):
        if request.key == b"secret":
            late.append(request)
            return None
        return worker.entries.answer(request)
    worker.answer = answer
    gone = stage.kv_client(balancer)
    gone.send(get(b"secret").encode())
    until(lambda: late, "it is asked")
    gone.reset()
    client = stage.kv_client(balancer)
    for _ in range(10):
        client.say_all(*1000 * [get(b"k")])
        client.take(1000, "GET_RESPONSE")
    assert late[0].id not in [request.id for request in worker.requests[1:]]
    worker.send(worker.entries.answer(late[0]).encode())
    assert client.get(b"k") is None
    assert client.silent(0.02)


# 5 Key length 0 is answered with an error, once


@pytest.mark.parametrize("question", [put(b"", b"v"), get(b"")], ids=["put", "get"])
def test_fault_5_an_empty_key_is_answered_once(stage, question):
    """The old balancer answered with an error, and passed the request on, whose answer
    came second. Here what comes next must be the answer to the next question."""
    balancer = stage.kv(threads=1)
    worker = stage.fake_worker(balancer, 1)
    worker.listed()
    client = stage.kv_client(balancer)
    client.send(question.encode() + get(b"next").encode())
    error = client.next("ERROR", "PUT_RESPONSE", "GET_RESPONSE")
    assert (error.code if error.name == "ERROR" else error.result) == wire.INVALID_KEY
    assert client.next("GET_RESPONSE").key == b"next"
    assert client.silent(0.05)
    assert worker.keys() == [b"next"]


# 6 Idle connections stay open


def test_fault_6_idle_connections_stay_open(stage):
    """The old balancer had a receive timeout on every connection, of seconds, and took
    it for the end. The default is to wait for ever, which the configuration says; for a
    sight of it, all sorts of connections are silent for a while, under HEAVY for longer
    than any timeout that is usual."""
    balancer = stage.kv(threads=1)
    entries = Entries()
    workers = [stage.fake_worker(balancer, version, version, entries=entries)
               for version in (1, 2)]
    for worker in workers:
        worker.listed()
    clients = [stage.kv_client(balancer, version) for version in (1, 2)]
    clients[0].put(b"k", b"v")
    time.sleep(70 if HEAVY else 1.5)
    for client in clients:
        assert client.silent(0.005)
        client.put(b"k", b"w")
        assert client.get(b"k") == b"w"
    assert not any(worker.ended for worker in workers)


def test_fault_6_no_timeout_is_the_default():
    """As the table of directives has it, of which the manual page is printed."""
    manual = subprocess.run([BALANCERD, "manual"], capture_output=True, text=True,
                            check=True)
    entry = manual.stdout.split("How long a client may say nothing.", 1)[1]
    assert "by default unlimited" in entry[:300], entry[:300]


# 7 The same peer port on different hosts; duplicate ids; repeated READY


def test_fault_7_workers_on_different_hosts_may_use_the_same_peer_port(stage):
    """The old balancer knew a worker by its peer port. Here three come from three
    addresses with the same one: with that, the second replaced the first."""
    balancer = stage.kv(threads=1)
    workers = [stage.fake_worker(balancer, identity, peer_port=7000,
                                 source=f"127.0.0.{identity}") for identity in (2, 3, 4)]
    listing = workers[-1].listed()
    assert listing.ids == [2, 3, 4] and listing.total == 3
    assert {entry.address for entry in listing.entries} == {
        b"127.0.0.2", b"127.0.0.3", b"127.0.0.4"}
    assert {entry.port for entry in listing.entries} == {7000}
    client = stage.kv_client(balancer)
    client.reaches(workers)
    for _ in range(9):
        client.get(b"k")
    assert [len(worker.requests) for worker in workers] == [3, 3, 3]


@pytest.mark.parametrize("first, second", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_fault_7_a_duplicate_id_is_refused(stage, first, second):
    """The old balancer listed both. Here the second one is told so and disconnected, and
    the first one serves on."""
    balancer = stage.kv(threads=1)
    worker = stage.fake_worker(balancer, 5, first)
    worker.listed()
    impostor = KvClient(balancer.workers_port)      # for its words alone
    stage.clients.append(impostor)
    if second == 1:
        impostor.say("WORKER_READY", id=5, port=6000)
    else:
        impostor.say("HELLO", speaks=2, role=wire.WORKER, lanes=1, id=5, port=6000,
                     nonce=b"n" * 16)
        impostor.next("HELLO")
    impostor.is_refused(wire.PROTOCOL, "has this id")
    client = stage.kv_client(balancer)
    client.put(b"k", b"v")
    assert client.get(b"k") == b"v"
    assert worker.ended is None and len(worker.listings) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_fault_7_a_repeated_ready_is_harmless(stage, version):
    """The old balancer listed it once more, and all others connected and exported again."""
    balancer = stage.kv(threads=1)
    workers = [stage.fake_worker(balancer, identity, version) for identity in (1, 2)]
    workers[1].listed()
    for _ in range(5):
        workers[1].is_ready()
    newcomer = stage.fake_worker(balancer, 3, version)
    assert newcomer.listed().total == 3
    workers[0].listed(3)
    workers[1].listed(2)
    assert [len(worker.listings) for worker in workers] == [3, 2]
    client = stage.kv_client(balancer)
    client.reaches([*workers, newcomer])
    for _ in range(9):
        client.get(b"k")
    assert [len(worker.requests) for worker in [*workers, newcomer]] == [3, 3, 3]


# 8 No limit of 8 clients or 8 workers


def test_fault_8_as_many_workers_as_64(stage):
    """The old balancer had arrays of eight."""
    balancer = stage.kv(threads=1)
    entries = Entries()
    workers = [stage.fake_worker(balancer, identity, 1 + identity % 2, entries=entries)
               for identity in range(1, 65)]
    for worker in workers:
        worker.listed()
    assert workers[-1].listed().total == 64
    client = stage.kv_client(balancer)
    client.put(b"k", b"v")
    until(lambda: client.get(b"k") == b"v" and all(worker.requests for worker in workers),
          "everybody is asked")


def test_fault_8_as_many_clients_as_come(stage):
    balancer = stage.kv(threads=2)
    stage.fake_worker(balancer, 1).listed()
    clients = [stage.kv_client(balancer, 1 + number % 2) for number in range(500)]
    for number, client in enumerate(clients):
        client.send(put(b"%d" % number, b"%d" % number).encode()
                    + get(b"%d" % number).encode())
    for number, client in enumerate(clients):
        assert client.next("PUT_RESPONSE").key == b"%d" % number
        assert client.next("GET_RESPONSE").value == b"%d" % number
