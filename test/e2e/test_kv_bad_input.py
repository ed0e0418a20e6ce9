"""What nobody should say at the ports of the key-value mode, and what it comes to: who said
it is told what was wrong and is disconnected, or answered and kept where that is possible;
nobody else notices.

One pool serves all the tests of this file, so that what one case leaves behind, the next
one meets. Behind each of them two clients and two workers of both versions, which have
been there from the start, are served as before.
"""

import random
import socket
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from harness import kv_wire as wire
from harness.kv_client import KvClient, get, put
from harness.kv_connection import Connection, dial
from harness.kv_entries import Entries
from harness.kv_fake_worker import FakeWorker
from harness.kv_wire import Message, bytes16, pack, raw
from harness.message import Cut, Ended
from harness.patience import until
from harness.program import OUT
from harness.stage import Stage

INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Its own stage, with a balancer and those who behave."""
    stage = Stage(tmp_path_factory.mktemp("pool"))
    balancer = stage.kv(pool="queue 1024 wait 5s")
    entries = Entries({b"there": b"value"})
    good = [stage.fake_worker(balancer, 1, 1, entries=entries)]
    good[0].listed()
    good.append(stage.fake_worker(balancer, 2, 2, entries=entries))
    good[1].listed()
    clients = [KvClient(balancer.port, version) for version in (1, 2)]
    pool = SimpleNamespace(stage=stage, balancer=balancer, good=good, turn=0,
                           clients=clients)
    stage.clients += pool.clients
    yield pool
    stage.close()


@pytest.fixture
def others(pool, request):
    """Those who behave; after the test they are asked and served as before."""
    request.node.stage = pool.stage
    yield pool
    until(lambda: is_served_by_both(pool), "both good workers are asked")
    for worker in pool.good:
        assert worker.ended is None, f"{worker} was disconnected"
    assert pool.balancer.process.poll() is None, pool.balancer.log


def is_served_by_both(pool):
    """Both good clients are served, each by both workers in a while."""
    before = [len(worker.requests) for worker in pool.good]
    for client in pool.clients:
        pool.turn += 1
        key, value = b"of others %d" % (pool.turn % 7), b"%d" % pool.turn
        client.put(key, value)
        for _ in range(4):
            assert client.get(key) == value
            assert client.get(b"there") == b"value"
    return all(len(worker.requests) > had for worker, had in zip(pool.good, before))


@pytest.fixture
def connect(others):
    """A raw connection to a port."""
    made = []

    def connect(port):
        made.append(Connection(dial(port)))
        return made[-1]
    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def client(others, connect):
    return connect(others.balancer.port)


@pytest.fixture
def client2(others):
    client = KvClient(others.balancer.port, 2)
    yield client
    client.close()


@pytest.fixture
def worker(others, connect):
    """Somebody at the worker port who has not said a word yet."""
    return connect(others.balancer.workers_port)


@pytest.fixture
def bad_worker(others):
    """Registers a worker that answers as told."""
    made = []

    def register(version, answer=None, identity=66, **options):
        made.append(FakeWorker(others.balancer.workers_port, identity, version,
                               entries=others.good[0].entries, answer=answer, **options))
        made[-1].listed()
        return made[-1]
    yield register
    for worker in made:
        worker.close()


@dataclass
class Bad:
    shows: str
    said: bytes
    code: int = wire.PROTOCOL


def cases(table):
    return pytest.mark.parametrize("bad", table, ids=[bad.shows for bad in table])


def hello(role=wire.CLIENT, **more):
    return pack("HELLO", **dict(speaks=2, role=role, lanes=1, nonce=b"n" * 16) | more)


# The client port: whoever says it is told why and disconnected


NO_MESSAGE = [
    Bad("type-0", raw(0)),
    Bad("type-5", raw(5)),
    Bad("type-77-with-a-payload", raw(77, b"payload")),
    Bad("type-255", raw(255, b"\xff" * 255)),
    Bad("an-unknown-type-of-the-greatest-length", raw(100, bytes(65535))),
    Bad("an-unknown-type-of-which-only-the-head-comes", raw(100, length=65535)),
    Bad("an-http-request", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"),
    Bad("a-tls-client-hello",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32)),
    Bad("a-redis-command-in-line", b"PING\r\n"),
    Bad("the-http2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Bad("garbage", b"\xee" + random.Random(1).randbytes(60000)),
]

WRONG_LENGTHS = [
    Bad("a-put-of-nothing", raw(1)),
    Bad("a-put-of-one-byte", raw(1, b"\0")),
    Bad("a-put-with-half-a-key-length", raw(1, b"\0\1k\0")),
    Bad("a-put-without-a-value", raw(1, bytes16(b"k"))),
    Bad("a-put-whose-key-ends-behind-it", raw(1, bytes16(b"k", 9) + bytes16(b"v"))),
    Bad("a-put-whose-value-ends-behind-it", raw(1, bytes16(b"k") + bytes16(b"v", 2))),
    Bad("a-put-with-a-byte-too-many", raw(1, bytes16(b"k") + bytes16(b"v") + b"!")),
    Bad("a-put-whose-value-is-longer-than-said",
        raw(1, bytes16(b"k") + bytes16(b"vv", 1))),
    Bad("a-put-with-a-key-of-65535", raw(1, bytes16(b"k", 65535) + bytes16(b"v"))),
    Bad("a-put-whose-length-is-of-its-value-only",
        raw(1, bytes16(b"k") + bytes16(b"v"), 3)),
    Bad("a-get-of-nothing", raw(3)),
    Bad("a-get-of-one-byte", raw(3, b"\0")),
    Bad("a-get-whose-key-ends-behind-it", raw(3, bytes16(b"k", 2))),
    Bad("a-get-with-a-byte-too-many", raw(3, bytes16(b"k") + b"!")),
    Bad("a-get-that-is-a-put", raw(3, bytes16(b"k") + bytes16(b"v"))),
    Bad("a-hello-cut-short", raw(40, hello()[3:-1])),
    Bad("a-hello-with-a-byte-too-many", raw(40, hello()[3:] + b"!")),
    Bad("a-hello-of-nothing", raw(40)),
]

# To a worker's ears they may go on; a time limit ends that.
BEGUN = [
    Bad("a-redis-command", b"*1\r\n$4\r\nPING\r\n"),
    Bad("a-reply-of-which-only-the-head-comes", raw(43, length=60000)),
    Bad("one-byte-of-a-registry", raw(14)[:1]),
]

OF_OTHERS = [
    Bad("a-put-response", pack("PUT_RESPONSE", key=b"k")),
    Bad("a-get-response", pack("GET_RESPONSE", key=b"k", value=b"v")),
    Bad("a-store-request", pack("STORE_REQUEST", id=1, key=b"k", value=b"v")),
    Bad("a-store-response", pack("STORE_RESPONSE", id=1, key=b"k")),
    Bad("a-retrieve-request", pack("RETRIEVE_REQUEST", id=1, key=b"k")),
    Bad("a-retrieve-response", pack("RETRIEVE_RESPONSE", id=1, key=b"k", value=b"v")),
    Bad("a-registry",
        pack("WORKER_REGISTRY_START", total=1) + pack("WORKER_REGISTRY_END")),
    Bad("a-worker-entry", pack("WORKER_ENTRY", id=3, address=b"127.0.0.1", port=1)),
    Bad("an-export", pack("DATA_EXPORT_START", total=1)),
    Bad("a-data-entry", pack("DATA_ENTRY", key=b"k", value=b"v")),
    Bad("a-worker-that-is-ready", pack("WORKER_READY", id=9, port=9)),
    Bad("a-worker-that-is-not-ready", pack("WORKER_NOT_READY", id=1)),
    Bad("a-peers-notification", pack("PEER_NOTIFY", key=b"there", value=b"forged")),
    Bad("an-operation-before-hello", pack("OP", tag=1, verb=wire.GET, key=b"k")),
    Bad("a-reply", pack("REPLY", tag=1)),
    Bad("a-replication", pack("REPLICATE", seq=0, kind=1, version=1 << 62, key=b"there")),
    Bad("an-acknowledgement", pack("REPLICATED", seq=1)),
    Bad("a-sync", pack("SYNC_OFFER", entries=1)),
    Bad("the-end-of-a-sync", pack("SYNC_END")),
    Bad("a-peer", pack("PEER", id=1, speaks=2, address=b"127.0.0.1", port=1)),
    Bad("news-of-a-lost-peer", pack("PEER_LOST", id=1)),
    Bad("a-proof-before-hello", pack("PROOF", mac=b"m" * 32)),
    Bad("hello-of-a-worker", hello(wire.WORKER, id=77)),
    Bad("hello-of-a-peer", hello(wire.PEER, id=77)),
    Bad("hello-of-a-balancer", hello(wire.BALANCER)),
    Bad("hello-of-no-role", hello(0)),
    Bad("hello-of-role-9", hello(9)),
]


@cases(NO_MESSAGE + WRONG_LENGTHS + BEGUN + OF_OTHERS)
def test_a_client_is_told_and_disconnected(client, bad):
    client.send(bad.said)
    error = client.is_refused(bad.code)
    assert len(error.message) > 8, "a text for people"


@cases(NO_MESSAGE[:4] + WRONG_LENGTHS[2:8] + OF_OTHERS[:3])
def test_what_was_right_before_it_is_answered_first(client, bad):
    client.send(get(b"there").encode() + bad.said)
    assert client.next("GET_RESPONSE").value == b"value"
    client.is_refused(bad.code)


@cases(NO_MESSAGE[:4] + WRONG_LENGTHS[2:8] + OF_OTHERS[:3])
def test_what_comes_behind_it_is_not_looked_at(client, bad):
    client.send(bad.said + put(b"there", b"overwritten").encode())
    client.is_refused(bad.code)


@cases([WRONG_LENGTHS[4], WRONG_LENGTHS[6], NO_MESSAGE[6], OF_OTHERS[0]])
def test_it_is_refused_byte_by_byte_as_well(client, bad):
    for byte in bad.said:
        client.send(bytes([byte]))
    client.is_refused(bad.code)


@cases([
    Bad("hello-twice", hello()),
    Bad("a-proof-nobody-asked-for", pack("PROOF", mac=b"m" * 32)),
    Bad("a-worker-that-is-ready", pack("WORKER_READY", id=9, port=9)),
    Bad("a-reply", pack("REPLY", tag=1)),
    Bad("a-replication", pack("REPLICATE", seq=1, kind=1, version=1 << 62, key=b"there")),
    Bad("an-operation-cut-short", raw(42, bytes(10))),
    Bad("an-operation-with-a-byte-too-many",
        raw(42, pack("OP", verb=1, key=b"k")[3:] + b"!")),
    Bad("an-operation-whose-key-ends-behind-it",
        raw(42, pack("OP", verb=1)[3:-4] + bytes16(b"k", 9) + bytes16(b""))),
    Bad("type-200", raw(200)),
])
def test_a_client_of_version_2_is_told_and_disconnected(client2, bad):
    client2.send(bad.said)
    client2.is_refused(bad.code)


def test_hello_comes_first_or_not_at_all(client):
    client.send(get(b"there").encode())
    client.next("GET_RESPONSE")
    client.send(hello())
    client.is_refused(wire.PROTOCOL)


# The client port: answered, and kept


def result_of(answer):
    return answer.code if answer.name == "ERROR" else answer.result


@cases([
    Bad("a-put-without-a-key", put(b"", b"v").encode(), wire.INVALID_KEY),
    Bad("a-get-without-a-key", get(b"").encode(), wire.INVALID_KEY),
    Bad("a-put-with-a-long-key", put(b"k" * 257, b"v").encode(), wire.INVALID_KEY),
    Bad("a-get-with-a-long-key", get(b"k" * 257).encode(), wire.INVALID_KEY),
    Bad("a-get-with-the-longest-key", get(b"k" * 65533).encode(), wire.INVALID_KEY),
    Bad("a-put-with-a-long-value", put(b"k", b"v" * 257).encode(), wire.INVALID_VALUE),
    Bad("a-put-with-the-longest-value", put(b"k", b"v" * 65530).encode(),
        wire.INVALID_VALUE),
    Bad("a-put-with-the-longest-key", put(b"k" * 65531, b"").encode(), wire.INVALID_KEY),
])
def test_over_a_limit_is_answered_once_and_the_client_kept(client, bad):
    client.send(bad.said + get(b"there").encode())
    assert result_of(client.next("ERROR", "PUT_RESPONSE", "GET_RESPONSE")) == bad.code
    assert client.next("GET_RESPONSE").value == b"value"
    assert client.silent(0.01)


@pytest.mark.parametrize("op, result", [
    (dict(verb=wire.GET, key=b""), wire.INVALID_KEY),
    (dict(verb=wire.SET, key=b"", value=b"v"), wire.INVALID_KEY),
    (dict(verb=wire.GET, key=b"k" * 257), wire.INVALID_KEY),
    (dict(verb=wire.SET, key=b"k" * 257, value=b"v"), wire.INVALID_KEY),
    (dict(verb=wire.SET, key=b"k", value=b"v" * 257), wire.INVALID_VALUE),
    (dict(verb=wire.DELETE, key=b"k" * 257), wire.INVALID_KEY),
    (dict(verb=wire.EXPIRE, key=b"", expires=1), wire.INVALID_KEY),
    (dict(verb=0, key=b"k"), wire.PROTOCOL),
    (dict(verb=8, key=b"k"), wire.PROTOCOL),
    (dict(verb=255, key=b"k"), wire.PROTOCOL),
    (dict(verb=wire.STATS, key=b"no number"), wire.NOT_FOUND),
    (dict(verb=wire.STATS, key=b"4000000000"), wire.NOT_FOUND),
], ids=["get-without-key", "set-without-key", "get-long-key", "set-long-key",
        "set-long-value", "delete-long-key", "expire-without-key", "verb-0", "verb-8",
        "verb-255", "stats-of-a-word", "stats-of-nobody"])
def test_an_operation_that_cannot_be_done_is_answered_once(client2, op, result):
    client2.send(client2.op(**op) + client2.op(wire.GET, b"there"))
    reply = client2.next("REPLY")
    assert (reply.tag, reply.result) == (client2.tag - 1, result)
    assert client2.next("REPLY").value == b"value"
    assert client2.silent(0.01)


def test_a_version_that_a_client_gives_counts_for_nothing(client2):
    """Or it could bar a key from ever being written again."""
    client2.send(pack("OP", tag=1, verb=wire.SET, key=b"barred", value=b"first",
                      version=(1 << 64) - 1))
    assert client2.next("REPLY").version < 1 << 63
    client2.put(b"barred", b"second")
    assert client2.get(b"barred") == b"second"


def test_equal_tags_are_the_clients_own_affair(client2):
    client2.send(2 * pack("OP", tag=5, verb=wire.GET, key=b"there"))
    assert [reply.tag for reply in client2.take(2, "REPLY")] == [5, 5]


# The client port: ends at a bad moment


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8])
def test_a_client_that_ends_within_a_message_is_let_go(client, cut):
    client.send(get(b"there").encode() + put(b"there", b"cut").encode()[:cut])
    assert client.next("GET_RESPONSE").value == b"value"
    client.finish()
    try:
        client.is_told(wire.PROTOCOL)
        client.sees_the_end()
    except Ended:
        pass


@pytest.mark.parametrize("said", [b"", b"\1", put(b"there", b"cut").encode()[:9]],
                         ids=["nothing", "one-byte", "half-a-message"])
def test_a_client_that_resets_is_let_go(client, said):
    client.send(said)
    client.reset()


def test_a_client_that_resets_with_requests_under_way(others, client):
    for worker in others.good:
        worker.hold()
    before = sum(len(worker.requests) for worker in others.good)
    client.send(20 * get(b"there").encode())
    until(lambda: sum(len(worker.requests) for worker in others.good) == before + 20,
          "all is asked")
    client.reset()
    for worker in others.good:
        worker.release()


def test_a_client_that_says_goodbye_is_let_go(client):
    client.send(pack("SHUTDOWN"))
    client.sees_the_end()


def test_an_error_is_not_answered(client):
    """Or two programs that misunderstand each other would go on for ever."""
    client.send(get(b"there").encode() + pack("ERROR", code=6, message=b"you are wrong"))
    client.next("GET_RESPONSE")
    client.sees_the_end()


def test_slow_ones_keep_nobody_waiting(others, connect):
    """Fifty have begun a message, and add a byte now and then."""
    slow = [connect(others.balancer.port) for _ in range(50)]
    message = put(b"slow", b"v" * 200).encode()
    for at in range(6):
        for client in slow:
            client.send(message[at:at + 1])
        is_served_by_both(others)
    for client in slow:
        client.send(message[6:])
        assert client.next("PUT_RESPONSE").result == wire.FINE


def test_one_who_never_reads_is_not_read_for_ever(others, client):
    """What it asked for waits within bounds; the others are served meanwhile."""
    before = others.balancer.rss()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(0.3)
    question = 100 * get(b"there").encode()
    with pytest.raises(TimeoutError):
        for _ in range(20_000):     # 2 million questions, 16 MB; 26 MB of answers
            client.sock.sendall(question)
    is_served_by_both(others)
    assert INSTRUMENTED or others.balancer.rss() - before < 16 << 20
    client.reset()


# The worker port: whoever says it is told why and disconnected


READY = pack("WORKER_READY", id=66, port=6666)

FIRST_WORDS = NO_MESSAGE + [
    Bad("a-ready-of-nothing", raw(20)),
    Bad("a-ready-cut-short", raw(20, READY[3:-1])),
    Bad("a-ready-with-a-byte-too-many", raw(20, READY[3:] + b"!")),
    Bad("a-not-ready-cut-short", raw(21, b"\0\0\0")),
    Bad("a-hello-cut-short", raw(40, hello(wire.WORKER)[3:-1])),
    Bad("a-put", put(b"k", b"v").encode()),
    Bad("a-get", get(b"k").encode()),
    Bad("a-store-request", pack("STORE_REQUEST", id=1, key=b"k", value=b"v")),
    Bad("a-store-response", pack("STORE_RESPONSE", id=1, key=b"k")),
    Bad("a-retrieve-response", pack("RETRIEVE_RESPONSE", id=1, key=b"k", value=b"v")),
    Bad("a-reply", pack("REPLY", tag=1)),
    Bad("a-registry", pack("WORKER_REGISTRY_START", total=1)),
    Bad("a-worker-entry", pack("WORKER_ENTRY", id=3, address=b"127.0.0.1", port=1)),
    Bad("a-data-entry", pack("DATA_ENTRY", key=b"k", value=b"v")),
    Bad("a-peers-notification", pack("PEER_NOTIFY", key=b"there", value=b"forged")),
    Bad("a-replication", pack("REPLICATE", seq=1, kind=1, version=1, key=b"k")),
    Bad("an-operation", pack("OP", tag=1, verb=wire.GET, key=b"k")),
    Bad("a-lost-peer", pack("PEER_LOST", id=1)),
    Bad("a-proof-before-hello", pack("PROOF", mac=b"m" * 32)),
    Bad("not-ready-of-a-stranger", pack("WORKER_NOT_READY", id=66)),
    Bad("not-ready-for-somebody-else", pack("WORKER_NOT_READY", id=1)),
    Bad("hello-of-a-client", hello(wire.CLIENT)),
    Bad("hello-of-a-peer", hello(wire.PEER, id=66)),
    Bad("hello-of-a-balancer", hello(wire.BALANCER)),
    Bad("hello-of-no-role", hello(0, id=66)),
    Bad("hello-of-no-lane", hello(wire.WORKER, id=66, port=6666, lanes=0)),
    Bad("hello-of-lane-2-of-2", hello(wire.WORKER, id=66, port=6666, lane=2, lanes=2)),
    Bad("ready-under-the-id-of-another", pack("WORKER_READY", id=1, port=6666)),
    Bad("ready-under-the-id-of-one-of-version-2", pack("WORKER_READY", id=2, port=6666)),
    Bad("hello-under-the-id-of-another", hello(wire.WORKER, id=1, port=6666)),
    Bad("hello-under-the-id-of-one-of-version-2", hello(wire.WORKER, id=2, port=6666)),
    Bad("hello-under-a-version-of-the-future",
        hello(wire.WORKER, id=66, port=6666, newest=2**64 - 1)),
]


@cases(FIRST_WORDS)
def test_a_worker_is_told_and_disconnected(worker, bad):
    worker.send(bad.said)
    if bad.shows.startswith("hello-under"):     # which may be found out later
        worker.next("HELLO")
    worker.is_refused(bad.code)


BEHIND_READY = [
    Bad("ready-under-another-id", pack("WORKER_READY", id=67, port=6666)),
    Bad("ready-under-the-id-of-another", pack("WORKER_READY", id=1, port=6666)),
    Bad("not-ready-for-another", pack("WORKER_NOT_READY", id=1)),
    Bad("hello", hello(wire.WORKER, id=66, port=6666)),
    Bad("a-put", put(b"k", b"v").encode()),
    Bad("a-peers-notification", pack("PEER_NOTIFY", key=b"there", value=b"forged")),
    Bad("a-registry", pack("WORKER_REGISTRY_START", total=1)),
    Bad("type-200", raw(200, b"x")),
    Bad("a-store-response-cut-short", raw(11, b"\0\0\0\0\1")),
    Bad("a-retrieve-response-whose-value-ends-behind-it",
        raw(13, b"\0\0\0\0\1" + bytes16(b"k") + bytes16(b"v", 2))),
    Bad("garbage", b"\xee" * 5000),
]


@cases(BEHIND_READY)
@pytest.mark.parametrize("version", [1, 2])
def test_a_worker_that_is_ready_is_told_and_disconnected(bad_worker, version, bad):
    worker = bad_worker(version)
    worker.send(bad.said)
    worker.is_refused(bad.code)


@cases([
    Bad("hello-twice", hello(wire.WORKER, id=66, port=6666)),
    Bad("a-proof-nobody-asked-for", pack("PROOF", mac=b"m" * 32)),
    Bad("a-store-response", pack("STORE_RESPONSE", id=1, key=b"k")),
    Bad("an-operation", pack("OP", tag=1, verb=wire.GET, key=b"k")),
    Bad("a-reply-cut-short", raw(43, bytes(10))),
])
def test_a_worker_of_version_2_is_told_and_disconnected(bad_worker, bad):
    worker = bad_worker(2)
    worker.send(bad.said)
    worker.is_refused(bad.code)


# Answers that cannot be right: the client is answered by somebody else


def ask_until_it_lies(pool, worker):
    """Puts and gets until the bad worker has been asked, and has been found out."""
    def found_out():
        is_served_by_both(pool)
        return worker.ended
    until(found_out, "the bad worker is found out")


def store_response(request, **change):
    fields = dict(result=0, id=request.id, key=request.key) | change
    return Message("STORE_RESPONSE", **fields)


def retrieve_response(request, **change):
    fields = dict(result=0, id=request.id, key=request.key, value=b"forged") | change
    return Message("RETRIEVE_RESPONSE", **fields)


LIES1 = {
    "another-tag": lambda r, w: retrieve_response(r, id=r.id ^ 0x5a5a5a),
    "another-key": lambda r, w: retrieve_response(r, key=b"another"),
    "the-answer-to-another-question": lambda r, w: (
        store_response(r) if r.name == "RETRIEVE_REQUEST" else retrieve_response(r)),
    "an-answer-of-version-2": lambda r, w: Message("REPLY", tag=r.id, value=b"forged"),
    "half-an-answer-then-garbage": lambda r, w: (
        retrieve_response(r).encode()[:9] + b"\xff" * 65540),
    "an-unknown-type": lambda r, w: raw(99, b"forged"),
    "the-question": lambda r, w: r,
}

LIES2 = {
    "another-tag": lambda r, w: Message("REPLY", tag=r.tag ^ 0x5a5a5a, value=b"forged"),
    "an-answer-of-version-1": lambda r, w: pack(
        "RETRIEVE_RESPONSE", id=r.tag, key=r.key, value=b"forged"),
    "the-question": lambda r, w: r,
    "half-an-answer-then-garbage": lambda r, w: (
        pack("REPLY", tag=r.tag, value=b"forged")[:20] + b"\xff" * 65540),
}


@pytest.mark.parametrize("lie", LIES1.values(), ids=LIES1)
def test_a_lying_worker_of_version_1_is_found_out(others, bad_worker, lie):
    worker = bad_worker(1, lie)
    ask_until_it_lies(others, worker)
    worker.is_refused(wire.PROTOCOL)


@pytest.mark.parametrize("lie", LIES2.values(), ids=LIES2)
def test_a_lying_worker_of_version_2_is_found_out(others, bad_worker, lie):
    worker = bad_worker(2, lie)
    ask_until_it_lies(others, worker)
    worker.is_refused(wire.PROTOCOL)


@pytest.mark.parametrize("version", [1, 2])
def test_an_answer_that_comes_twice_counts_once(others, bad_worker, version):
    worker = bad_worker(version,
                        lambda request, w: 2 * w.entries.answer(request).encode())
    ask_until_it_lies(others, worker)
    worker.is_refused(wire.PROTOCOL)


@pytest.mark.parametrize("version", [1, 2])
def test_answers_before_any_question(others, bad_worker, version):
    worker = bad_worker(version, ready=False) if version == 2 else bad_worker(1)
    worker.say(*(["REPLY"] if version == 2 else ["STORE_RESPONSE"]))
    worker.is_refused(wire.PROTOCOL)


@pytest.mark.parametrize("version", [1, 2])
def test_a_worker_that_ends_within_an_answer(others, bad_worker, version):
    def cut(request, worker):
        worker.send(worker.entries.answer(request).encode()[:7])
        worker.finish()
    worker = bad_worker(version, cut)
    ask_until_it_lies(others, worker)


@pytest.mark.parametrize("version", [1, 2])
def test_a_worker_that_resets_instead_of_an_answer(others, bad_worker, version):
    def reset(request, worker):
        Connection.reset(worker)
    worker = bad_worker(version, reset)
    ask_until_it_lies(others, worker)


# The worker port: harmless


@pytest.mark.parametrize("said", [b"", READY[:1], READY[:5],
                                  hello(wire.WORKER, id=66)[:40]],
                         ids=["nothing", "a-byte", "half-ready", "half-hello"])
def test_a_worker_that_stops_within_its_first_message(worker, others, said):
    worker.send(said)
    is_served_by_both(others)
    worker.finish()
    try:
        worker.is_told(wire.PROTOCOL)
        worker.sees_the_end()
    except (Ended, Cut):
        pass


def test_a_worker_that_resets_before_it_is_listed(worker):
    worker.send(READY[:5])
    worker.reset()


@pytest.mark.parametrize("version", [1, 2])
def test_a_repeated_ready_is_harmless(others, bad_worker, version):
    worker = bad_worker(version)
    for _ in range(3):
        worker.is_ready()
    until(lambda: is_served_by_both(others) and worker.requests, "it is asked")
    assert worker.ended is None and len(worker.listings) == 1


@pytest.mark.parametrize("lost", [66, 4000])
def test_a_worker_that_misses_itself_or_nobody_is_not_believed(others, bad_worker, lost):
    worker = bad_worker(2)
    worker.say("PEER_LOST", id=lost)
    until(lambda: is_served_by_both(others) and worker.requests, "it is asked")
    assert worker.ended is None


def test_workers_that_come_and_go_leave_nothing_behind(others):
    """Fifty times, at all stages of joining."""
    before = others.balancer.descriptors()
    rng = random.Random(3)
    for turn in range(50):
        words = READY if turn % 2 else hello(wire.WORKER, id=66, port=6666)
        worker = Connection(dial(others.balancer.workers_port))
        worker.send(words[:rng.randrange(len(words) + 1)])
        worker.reset() if turn % 3 else worker.close()
    until(lambda: others.balancer.descriptors() <= before, "all are let go")
