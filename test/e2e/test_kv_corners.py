"""The balancer of key-value pools where several things happen at once: workers that are
slow, strange or gone while many clients wait for them."""

import signal

import pytest
from harness import kv_wire as wire
from harness.kv_client import KvClient, get, put
from harness.kv_wire import pack
from harness.patience import until

LINE = 1024     # requests of a client that may wait for an answer
LINKS = 512     # connections of workers of one thread


def count_waiting(balancer):
    return balancer.control.get("/v1/pools/store")["waiting"]


def reply_of(length):
    def answer(request, _):
        return pack("REPLY", tag=request.tag, value=bytes(length))
    return answer


def retrieved(length):
    def answer(request, _):
        return pack("RETRIEVE_RESPONSE", id=request.id, key=request.key,
                    value=bytes(length))
    return answer


@pytest.mark.parametrize("version, answer, question", [
    (2, reply_of(65511), get(b"k" * 200).encode()),
    (1, retrieved(65520), pack("OP", tag=1, verb=wire.GET, key=b"k")),
], ids=["for-version-1", "for-version-2"])
def test_an_answer_that_no_message_can_pass_on_ends_the_worker(stage, version, answer,
                                                               question):
    """What fits into the worker's message may not fit into the client's."""
    balancer = stage.kv(pool="value-size 60000", threads=1)
    worker = stage.fake_worker(balancer, 1, version, answer=answer)
    worker.listed()
    client = stage.kv_client(balancer, 2)
    client.send(question)
    worker.is_refused(wire.PROTOCOL, "longer than an entry")
    stage.fake_worker(balancer, 2, 2).listed()
    client.next("REPLY", "GET_RESPONSE")


def test_what_no_worker_there_can_do_holds_up_nobody(stage):
    """Workers of version 1 do not count. Who asks that is told so; with them, everybody
    would wait behind it."""
    balancer = stage.kv(pool="queue 100 wait 1h", threads=1)
    stage.fake_worker(balancer, 1, 1).listed()
    asking, other = stage.kv_client(balancer, 2), stage.kv_client(balancer)
    other.put(b"k", b"v")
    for verb in (wire.COUNT, wire.HEAD):
        reply = asking.ask(verb, b"k" if verb == wire.HEAD else b"")
        assert reply.result == wire.BUSY and b"version 2" in reply.value, reply
        assert other.get(b"k") == b"v"


def test_what_waits_is_refused_when_only_workers_come_that_cannot(stage):
    balancer = stage.kv(pool="queue 100 wait 1h", threads=1)
    asking, other = stage.kv_client(balancer, 2), stage.kv_client(balancer)
    asking.send(asking.op(wire.COUNT))
    until(lambda: count_waiting(balancer) == 1, "it waits")
    other.send(get(b"k").encode())
    stage.fake_worker(balancer, 1, 1).listed()
    assert asking.next("REPLY").result == wire.BUSY
    assert other.next("GET_RESPONSE").result == wire.NOT_FOUND


def test_a_worker_gets_no_more_at_once_than_the_pool_says(stage):
    balancer = stage.kv(pool="parallel 2; queue 100 wait 1h", threads=1)
    worker = stage.fake_worker(balancer, 1)
    worker.listed()
    worker.hold()
    client = stage.kv_client(balancer)
    client.say_all(*(get(b"%d" % number) for number in range(5)))
    until(lambda: count_waiting(balancer) == 3, "three wait")
    assert len(worker.waits_for(2)) == 2
    worker.release()
    answers = client.take(5, "GET_RESPONSE")
    assert [answer.key for answer in answers] == [b"%d" % number for number in range(5)]


def test_a_busy_worker_keeps_its_keys(stage):
    """Conditions need one judge: where the key's worker is busy, it is waited for."""
    balancer = stage.kv(pool="parallel 1; queue 100 wait 1h", threads=1)
    workers = [stage.fake_worker(balancer, identity, 2) for identity in (1, 2, 3)]
    for worker in workers:
        worker.listed()
    until(lambda: stage.kv_client(balancer, 2).stats()["ready"] == 3, "all are ready")
    for worker in workers:
        worker.hold()
    clients = [stage.kv_client(balancer, 2) for _ in range(3)]
    for client in clients:
        client.send(client.op(wire.SET, b"k", b"v", flags=wire.IF_ABSENT))
    until(lambda: count_waiting(balancer) == 2, "two wait")
    for worker in workers:
        worker.release()
    results = sorted(client.next("REPLY").result for client in clients)
    assert results == [wire.FINE, wire.NOT_MET, wire.NOT_MET]
    assert sorted(len(worker.requests) for worker in workers) == [0, 0, 3]


def test_a_client_that_found_the_queue_full_late_goes_on(stage):
    """It stops reading since its own line is full. While it gets its answers, the queue
    becomes full by others; it has to be woken when that is over."""
    balancer = stage.kv(pool=f"parallel {LINE}; queue 1 wait 1h", threads=1)
    one, other = (stage.fake_worker(balancer, identity) for identity in (1, 2))
    one.listed(2)
    other.listed()
    client = stage.kv_client(balancer)
    names = [b"%d" % number for number in range(20)]
    for name in names:
        client.put(name, b"")
    ours, theirs = one.keys()[0], other.keys()[0]
    one.hold()
    other.hold()
    late, filling, waiting = (stage.kv_client(balancer) for _ in range(3))
    before = len(one.requests), len(other.requests)
    filling.say_all(*LINE * [put(theirs, b"")])
    other.waits_for(before[1] + LINE)
    late.say_all(*(LINE + 100) * [put(ours, b"")])
    one.waits_for(before[0] + LINE)
    waiting.send(put(theirs, b"").encode())
    until(lambda: count_waiting(balancer) == 1, "one waits")
    one.release()
    late.take(LINE, "PUT_RESPONSE")
    other.release()
    waiting.next("PUT_RESPONSE")
    late.take(100, "PUT_RESPONSE")


def test_what_a_worker_does_not_take_waits_no_longer_than_it_may(stage):
    """A worker that does not read, asked by several threads, of which one has its
    connection: the others hear from that one again and again that it is full."""
    balancer = stage.kv(pool="value-size 60000; queue 4096 wait 1s", threads=4)
    worker = KvClient(balancer.workers_port)
    stage.clients.append(worker)
    worker.say("WORKER_READY", id=1, port=6000)
    clients = [stage.kv_client(balancer) for _ in range(600)]
    for client in clients:
        client.send(put(b"k", bytes(60000)).encode())
    # It takes some 8 MiB, and as much again in buffers of the kernel, of 36 MB.
    asking = stage.kv_client(balancer, 2)
    until(lambda: asking.stats()["queue_timeouts"] >= 300, "the rest is refused")


def test_silent_connections_keep_no_worker_out(stage):
    balancer = stage.kv(threads=1)
    silent = [KvClient(balancer.workers_port) for _ in range(LINKS)]
    stage.clients += silent
    stage.fake_worker(balancer, 1).listed()
    assert sum(not client.silent(0.001) for client in silent) < LINKS / 2


def test_lanes_that_do_not_come_are_not_waited_for(stage):
    balancer = stage.kv(threads=1)
    half = KvClient(balancer.workers_port)
    stage.clients.append(half)
    half.greet(wire.WORKER, id=1, port=6000, lane=0, lanes=2)
    half.is_refused(wire.PROTOCOL, "other lanes")
    stage.fake_worker(balancer, 2, 2).listed()


def test_a_worker_that_others_cannot_reach_may_leave_slowly(stage):
    """It has been taken out of the pool already, and keeps its connection for a moment;
    meanwhile another one has its address."""
    balancer = stage.kv(threads=2)
    slow = [KvClient(balancer.workers_port) for _ in range(2)]
    stage.clients += slow
    for lane, connection in enumerate(slow):
        connection.greet(wire.WORKER, id=1, port=6000, lane=lane, lanes=2)
    slow[0].next("WORKER_REGISTRY_START")
    slow[0].next("WORKER_REGISTRY_END")
    slow[0].say("WORKER_READY", id=1, port=6000)
    other = stage.fake_worker(balancer, 2, 2)
    other.listed()
    other.say("PEER_LOST", id=1)
    other.hears("PEER_GONE")
    client = stage.kv_client(balancer)
    until(lambda: stage.kv_client(balancer, 2).stats()["workers"] == 1, "it is gone")
    for connection in slow:
        while connection.next().name != "ERROR":
            pass
    for _ in range(3):
        assert "reloaded" in balancer.reload(balancer.configuration.read_text())
    for connection in slow:
        connection.say("WORKER_NOT_READY", id=1)
        connection.close()
    client.put(b"k", b"v")


def test_term_does_not_wait_for_a_worker_of_another_thread(stage):
    """Client and worker are on different threads, mostly; the worker never answers."""
    balancer = stage.kv(pool="timeout response 1h", threads=8, drain="1s")
    worker = stage.fake_worker(balancer, 1)
    worker.listed()
    worker.hold()
    stage.kv_client(balancer).send(get(b"k").encode())
    worker.waits_for(1)
    balancer.signal(signal.SIGTERM)
    until(lambda: balancer.process.poll() is not None, "balancerd ends")
    assert balancer.process.returncode == 0
