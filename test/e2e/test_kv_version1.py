"""Who says what, and when, by version 1 of the key-value protocol: programs that know no
other one are clients and workers here, and balancerd stands between them."""

import socket
from collections import Counter

import pytest

from harness import kv_wire as wire
from harness.kv_client import get, put
from harness.kv_entries import Entries
from harness.kv_wire import Message
from harness.patience import PATIENCE, until
from harness.program import OUT

INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own

# The text of what somebody is told when nobody serves.
NOBODY = "no workers available"


@pytest.fixture
def balancer(stage):
    return stage.kv(threads=1)


@pytest.fixture
def workers(stage, balancer):
    """Puts up so many workers that hold the same entries, each listed and ready."""
    def put_up(count, **options):
        entries = Entries()
        team = []
        for identity in range(1, count + 1):
            team.append(stage.fake_worker(balancer, identity, entries=entries, **options))
            team[-1].listed()
        stage.kv_client(balancer).reaches(team)
        return team
    return put_up


def ask_until(client, worker):
    """Gets keys until this worker is asked as well, so it counts as ready."""
    def asked():
        client.ask_get(b"any")
        return worker.requests
    until(asked, f"{worker} is asked")


def refused(client, question, code):
    """It is answered by ERROR or by a response with that result; either is right."""
    client.send(question.encode())
    answer = client.next("ERROR", f"{question.name}_RESPONSE")
    assert (answer.code if answer.name == "ERROR" else answer.result) == code, answer
    return answer


# A worker joins


def test_the_first_worker_is_told_of_itself_alone(stage, balancer):
    worker = stage.fake_worker(balancer, 7)
    listing = worker.listed()
    assert listing.total == 1 and listing.ids == [7]
    assert listing.entries[0].address == b"127.0.0.1"
    assert listing.entries[0].port == worker.peer_port
    assert listing.entries[0].exports == 0


def test_a_newcomer_is_told_of_everybody(stage, balancer, workers):
    workers(3)
    newcomer = stage.fake_worker(balancer, 4)
    listing = newcomer.listed()
    assert listing.total == 4
    assert listing.ids == [1, 2, 3, 4]


def test_the_others_are_told_of_the_newcomer_alone(stage, balancer, workers):
    team = workers(3)
    newcomer = stage.fake_worker(balancer, 4)
    for worker in team:
        listing = worker.listed(4 - worker.id + 1)
        assert listing.total == 4
        assert listing.ids == [4]
        assert listing.entries[0].port == newcomer.peer_port


def test_exactly_one_of_the_others_fills_the_newcomer(stage, balancer, workers):
    team = workers(3)
    stage.fake_worker(balancer, 4).listed()
    listings = [worker.listed(4 - worker.id + 1) for worker in team]
    assert sorted(listing.entries[0].exports for listing in listings) == [0, 0, 1]


def test_who_fills_the_newcomer_is_ready_itself(stage, balancer):
    """The others have joined, but are still being filled."""
    full = stage.fake_worker(balancer, 1)
    full.listed()
    empty = []
    for identity in (2, 3, 4):
        empty.append(stage.fake_worker(balancer, identity))
        empty[-1].listed()
        empty[-1].is_not_ready()
        client = stage.kv_client(balancer)
        before = len(empty[-1].requests)
        until(lambda: ask_thrice(client, full) and len(empty[-1].requests) == before,
              "it is not asked any more")
    stage.fake_worker(balancer, 5).listed()
    assert full.listed(5).entries[0].exports == 1
    for worker in empty:
        listing = worker.listed(5 - worker.id + 1)
        assert listing.ids == [5] and listing.entries[0].exports == 0


def ask_thrice(client, worker):
    """Whether this one answers three questions in a row, so nobody else has a turn."""
    before = len(worker.requests)
    for _ in range(3):
        client.ask_get(b"any")
    return len(worker.requests) - before == 3


def test_nobody_is_told_to_fill_where_nobody_is_ready(stage, balancer):
    first = stage.fake_worker(balancer, 1, ready=False)
    first.is_ready()
    first.listed()
    first.is_not_ready()
    client = stage.kv_client(balancer)
    client.send(get(b"waits").encode())
    assert client.silent(0.05)
    second = stage.fake_worker(balancer, 2)
    assert second.listed().ids == [1, 2]
    assert first.listed(2).entries[0].exports == 0
    assert client.next().result == wire.NOT_FOUND


def test_a_worker_that_said_not_ready_is_not_asked_until_it_says_ready(stage, balancer):
    entries = Entries({b"k": b"v"})
    full = stage.fake_worker(balancer, 1, entries=entries)
    full.listed()
    newcomer = stage.fake_worker(balancer, 2, ready=False)
    newcomer.say_all(Message("WORKER_READY", id=2, port=newcomer.peer_port),
                     Message("WORKER_NOT_READY", id=2))
    full.listed(2)
    client = stage.kv_client(balancer)
    until(lambda: ask_thrice(client, full), "only the full one is asked")
    asked = len(newcomer.requests)
    for _ in range(20):
        assert client.get(b"k") == b"v"
    assert len(newcomer.requests) == asked
    newcomer.entries.held.update(entries.held)
    newcomer.is_ready()
    ask_until(client, newcomer)
    assert len(full.listings) == 2, "a READY after NOT_READY is no newcomer"


def test_a_worker_that_never_says_not_ready_is_ready_at_once(stage, balancer):
    worker = stage.fake_worker(balancer, 1)
    assert stage.kv_client(balancer).get(b"k") is None
    assert worker.keys() == [b"k"]


# Serving


def test_a_put_is_stored_and_found(stage, balancer, workers):
    worker, = workers(1)
    client = stage.kv_client(balancer)
    client.put(b"k", b"v")
    assert client.get(b"k") == b"v"
    store, retrieve = worker.requests
    assert (store.name, store.key, store.value) == ("STORE_REQUEST", b"k", b"v")
    assert (retrieve.name, retrieve.key) == ("RETRIEVE_REQUEST", b"k")


def test_the_test_vectors_of_the_specification(stage, balancer, workers):
    """Byte by byte, in both directions."""
    worker, = workers(1)
    client = stage.kv_client(balancer)
    client.send(bytes.fromhex("01 0006 0001 6b 0001 76"))
    worker.waits_for(1)
    assert client.next() == Message("PUT_RESPONSE", result=0, key=b"k")
    assert wire.pack("WORKER_READY", id=4242, port=6242) == bytes.fromhex(
        "14 0006 00001092 1862")


def test_a_missing_key_is_answered_so(stage, balancer, workers):
    workers(1)
    answer = stage.kv_client(balancer).ask_get(b"nothing")
    assert answer.result == wire.NOT_FOUND and answer.value == b""


@pytest.mark.parametrize("key, value", [
    (b"\0", b"\0"), (b"\xff" * 256, b"\xfe" * 256), (b"a\nb\r\n", b""),
    (b" ", b"\0" * 256), (bytes(range(256)), bytes(range(256)))],
    ids=["nul", "longest", "empty-value", "nul-value", "every-byte"])
def test_keys_and_values_are_any_bytes(stage, balancer, workers, key, value):
    workers(2)
    client = stage.kv_client(balancer)
    client.put(key, value)
    assert [client.get(key) for _ in range(2)] == [value, value]


def test_what_a_worker_answers_is_what_the_client_gets(stage, balancer):
    """Results, too: a worker that has no room says so to the client."""
    stage.fake_worker(balancer, 1, answer=lambda request, _: Message(
        "STORE_RESPONSE", result=wire.BUSY, id=request.id, key=request.key))
    assert stage.kv_client(balancer).ask_put(b"k", b"v").result == wire.BUSY


def test_gets_go_round(stage, balancer, workers):
    team = workers(3)
    client = stage.kv_client(balancer)
    for _ in range(30):
        client.get(b"same key")
    assert [len(worker.requests) for worker in team] == [10, 10, 10]


def test_all_puts_of_a_key_go_through_one_worker(stage, balancer, workers):
    """Version 1 has no order of writes; so there is one place that makes it."""
    team = workers(3)
    clients = [stage.kv_client(balancer) for _ in range(3)]
    for turn in range(10):
        for number in range(12):
            clients[turn % 3].put(b"key %d" % number, b"%d" % turn)
    owners = Counter(key for worker in team for key in set(worker.keys()))
    assert set(owners.values()) == {1}, "some key went to two workers"
    assert all(worker.requests for worker in team), "somebody got no key at all"


def test_each_client_gets_its_own_answers(stage, balancer, workers):
    team = workers(2)
    for worker in team:
        worker.hold()
    clients = [stage.kv_client(balancer) for _ in range(8)]
    for number, client in enumerate(clients):
        client.say_all(put(b"of %d" % number, b"%d" % number), get(b"of %d" % number))
    until(lambda: sum(len(worker.requests) for worker in team) == 16, "all is asked")
    for worker in team:
        worker.release(backwards=True)
    for number, client in enumerate(clients):
        assert client.next("PUT_RESPONSE").key == b"of %d" % number
        assert client.next("GET_RESPONSE").key == b"of %d" % number
        assert client.silent(0.005)


def test_tags_are_not_shared_by_requests_under_way(stage, balancer, workers):
    worker, = workers(1)
    worker.hold()
    for number in range(4):
        stage.kv_client(balancer).say_all(*(get(b"%d" % number) for _ in range(5)))
    requests = worker.waits_for(20)
    assert len({request.id for request in requests}) == 20
    worker.release()


def test_answers_of_one_client_keep_its_order(stage, balancer, workers):
    """Whoever answers first: the last one asked answers everything backwards, then the
    first one."""
    team = workers(3)
    for worker in team:
        worker.hold()
    client = stage.kv_client(balancer)
    client.say_all(*(get(b"%d" % number) for number in range(30)))
    until(lambda: sum(len(worker.requests) for worker in team) == 30, "all is asked")
    for worker in reversed(team):
        assert client.silent(0.01), "an answer came before the first one's"
        worker.release(backwards=True)
    answers = client.take(30, "GET_RESPONSE")
    assert [answer.key for answer in answers] == [b"%d" % number for number in range(30)]


def test_a_message_may_come_in_pieces(stage, balancer, workers):
    workers(1)
    client = stage.kv_client(balancer)
    for byte in put(b"key", b"value").encode() + get(b"key").encode():
        client.send(bytes([byte]))
    client.next("PUT_RESPONSE")
    assert client.next("GET_RESPONSE").value == b"value"


def test_a_client_that_half_closes_still_gets_its_answers(stage, balancer, workers):
    worker, = workers(1)
    worker.hold()
    client = stage.kv_client(balancer)
    client.say_all(put(b"k", b"v"), get(b"k"))
    client.finish()
    worker.waits_for(2)
    worker.release()
    assert client.next("PUT_RESPONSE").result == wire.FINE
    assert client.next("GET_RESPONSE").value == b"v"
    client.sees_the_end()


# Nobody there


def test_a_request_waits_for_a_worker(stage, balancer):
    client = stage.kv_client(balancer)
    client.send(put(b"k", b"v").encode())
    assert client.silent(0.05)
    stage.fake_worker(balancer, 1)
    assert client.next("PUT_RESPONSE").result == wire.FINE


def test_when_nobody_comes_the_client_is_told_and_stays(stage):
    balancer = stage.kv(threads=1, pool="queue 1024 wait 200ms")
    client = stage.kv_client(balancer)
    client.say_all(put(b"k", b"v"), get(b"k"))
    client.is_told(wire.BUSY, NOBODY)
    client.is_told(wire.BUSY, NOBODY)
    stage.fake_worker(balancer, 1)
    client.put(b"k", b"v")


def test_a_pool_whose_workers_all_fill_serves_nobody(stage):
    balancer = stage.kv(threads=1, pool="queue 1024 wait 200ms")
    worker = stage.fake_worker(balancer, 1)
    worker.listed()
    worker.is_not_ready()
    client = stage.kv_client(balancer)
    until(lambda: client_is_told(client), "it counts as not ready")
    assert client_is_told(client)


def client_is_told(client):
    client.send(get(b"k").encode())
    answer = client.next("GET_RESPONSE", "ERROR")
    assert answer.name != "ERROR" or answer.code == wire.BUSY
    return answer.name == "ERROR"


# Limits of keys and values


def test_a_key_over_the_limit_is_refused_and_the_client_kept(stage, balancer, workers):
    worker, = workers(1)
    client = stage.kv_client(balancer)
    refused(client, put(b"k" * 257, b"v"), wire.INVALID_KEY)
    refused(client, get(b"k" * 257), wire.INVALID_KEY)
    client.put(b"k" * 256, b"v")
    assert worker.keys() == [b"k" * 256]


def test_an_empty_key_is_refused_and_the_client_kept(stage, balancer, workers):
    worker, = workers(1)
    client = stage.kv_client(balancer)
    refused(client, put(b"", b"v"), wire.INVALID_KEY)
    refused(client, get(b""), wire.INVALID_KEY)
    client.put(b"k", b"v")
    assert worker.keys() == [b"k"]


def test_a_value_over_the_limit_is_refused_and_the_client_kept(stage, balancer, workers):
    worker, = workers(1)
    client = stage.kv_client(balancer)
    refused(client, put(b"k", b"v" * 257), wire.INVALID_VALUE)
    client.put(b"k", b"v" * 256)
    assert [request.value for request in worker.requests] == [b"v" * 256]


def test_limits_can_be_raised(stage):
    balancer = stage.kv(threads=1, pool="key-size 4000; value-size 60000")
    stage.fake_worker(balancer, 1)
    client = stage.kv_client(balancer)
    client.put(b"k" * 4000, b"v" * 60000)
    assert client.get(b"k" * 4000) == b"v" * 60000
    refused(client, put(b"k" * 4001, b""), wire.INVALID_KEY)
    refused(client, put(b"k", b"v" * 60001), wire.INVALID_VALUE)


def test_an_answer_over_the_limit_of_values_does_not_confuse_anybody(stage, balancer):
    """A worker may hold more than the balancer lets in, from before the limit was set."""
    stage.fake_worker(balancer, 1, entries=Entries({b"big": b"v" * 60000, b"k": b"v"}))
    client = stage.kv_client(balancer)
    client.say_all(get(b"big"), get(b"k"))
    big = client.next("GET_RESPONSE", "ERROR")
    assert big.name == "ERROR" or big.value in (b"v" * 60000, b"")
    assert client.next("GET_RESPONSE").value == b"v"


# Leaving


def test_everybody_is_told_when_the_balancer_stops(stage, balancer, workers):
    team = workers(2)
    client = stage.kv_client(balancer)
    client.put(b"k", b"v")
    ended = stage.aside(balancer.terminate)
    client.says_goodbye()
    for worker in team:
        worker.hears("SHUTDOWN")
        worker.is_gone("closed")
    assert ended.result() == 0


def test_what_is_under_way_is_answered_before_the_end(stage, balancer, workers):
    worker, = workers(1)
    worker.hold()
    client = stage.kv_client(balancer)
    client.say_all(put(b"k", b"v"), get(b"k"))
    worker.waits_for(2)
    ended = stage.aside(balancer.terminate)
    balancer.logs("stop|drain|end|TERM")
    worker.release()
    assert client.next("PUT_RESPONSE").result == wire.FINE
    assert client.next("GET_RESPONSE").value == b"v"
    client.says_goodbye()
    assert ended.result() == 0


@pytest.mark.parametrize("how", ["close", "reset"])
def test_requests_of_a_lost_worker_go_to_another(stage, balancer, workers, how):
    keys = 40       # or all of them might be one worker's
    team = workers(2)
    for worker in team:
        worker.hold()
    client = stage.kv_client(balancer)
    questions = [message for number in range(keys)
                 for message in (put(b"%d" % number, b"v%d" % number),
                                 get(b"%d" % number))]
    client.say_all(*questions)
    until(lambda: sum(len(worker.requests) for worker in team) == 2 * keys, "all is asked")
    lost, left = team
    assert lost.requests and left.requests
    lost.die() if how == "reset" else lost.wake()
    left.waits_for(2 * keys)
    left.release()
    answers = client.take(2 * keys)
    assert [answer.key for answer in answers] == [question.key for question in questions]
    assert all(answer.result in (wire.FINE, wire.NOT_FOUND) for answer in answers)
    stored = {request.key for request in left.requests if request.name == "STORE_REQUEST"}
    assert stored == {b"%d" % number for number in range(keys)}


@pytest.mark.parametrize("others", [0, 1], ids=["of-the-only-one", "of-one-of-two"])
def test_requests_of_a_lost_worker_keep_their_order(stage, balancer, others):
    """Whoever gets them: what a client writes and then reads, without waiting in between,
    it finds. Half of them were asked and answered before, so that tags are out of order."""
    team = [stage.fake_worker(balancer, number) for number in range(1, 2 + others)]
    team[-1].listed()
    client = stage.kv_client(balancer)
    client.say_all(*(get(b"warm up") for _ in range(40)))
    client.take(40)
    before = [len(worker.requests) for worker in team]
    for worker in team:
        worker.hold()
    client.say_all(*(message for number in range(30) for message in
                     (put(b"%d" % (number % 5), b"v%d" % number), get(b"%d" % (number % 5)))))
    until(lambda: sum(len(worker.requests) for worker in team) == sum(before) + 60,
          "all is asked")
    heir = stage.fake_worker(balancer, 9)
    heir.listed()
    for worker in team:
        worker.die()
    answers = client.take(60)
    assert [answer.value for answer in answers[1::2]] == [b"v%d" % n for n in range(30)]


def test_requests_of_the_only_worker_wait_for_the_next_one(stage, balancer, workers):
    lost, = workers(1)
    lost.hold()
    client = stage.kv_client(balancer)
    client.send(put(b"k", b"v").encode())
    lost.waits_for(1)
    lost.die()
    assert client.silent(0.05)
    heir = stage.fake_worker(balancer, 2)
    assert client.next("PUT_RESPONSE").result == wire.FINE
    assert heir.entries[b"k"] == b"v"


def test_a_lost_worker_is_unlisted(stage, balancer, workers):
    team = workers(3)
    team[1].die()
    client = stage.kv_client(balancer)
    for _ in range(6):
        client.get(b"k")    # all answered: nobody is asked who is not there
    newcomer = stage.fake_worker(balancer, 4)
    assert newcomer.listed().total == 3
    assert newcomer.listed().ids == [1, 3, 4]


def test_a_worker_that_says_shutdown_is_not_asked_any_more(stage, balancer, workers):
    """It may go in peace: what it was asked it answers before it closes."""
    leaving, staying = workers(2)
    leaving.say("SHUTDOWN")
    client = stage.kv_client(balancer)
    until(lambda: ask_thrice(client, staying), "only the other one is asked")
    asked = len(leaving.requests)
    for _ in range(10):
        client.get(b"k")
    assert len(leaving.requests) == asked


def test_a_worker_may_come_back_under_its_id(stage, balancer, workers):
    first, second = workers(2)
    second.die()
    until(lambda: stage.kv_client(balancer).get(b"k") is None, "somebody answers")
    again = stage.fake_worker(balancer, 2)
    assert again.listed().ids == [1, 2]
    ask_until(stage.kv_client(balancer), again)
    assert first.listed(3).ids == [2]


# Backpressure


def test_a_full_queue_stops_the_reading_and_drops_nothing(stage, balancer, workers):
    worker, = workers(1)
    client = stage.kv_client(balancer)
    client.put(b"warm", b"up")
    before = balancer.rss()
    worker.hold()
    sent, rest = fill(client, b"v" * 200)
    assert sent < LARGEST_FILL, "the balancer went on reading"
    assert INSTRUMENTED or balancer.rss() - before < 16 << 20
    other = stage.kv_client(balancer)   # one who asks too much keeps nobody else waiting
    other.send(get(b"other").encode())
    until(lambda: b"other" in worker.keys(), "the other one is served")
    worker.release()
    assert other.next("GET_RESPONSE").key == b"other"
    client.send(rest)
    answers = client.take(sent, "PUT_RESPONSE")
    assert [answer.key for answer in answers] == [b"%d" % n for n in range(sent)]
    assert all(answer.result == wire.FINE for answer in answers)
    assert all(worker.entries[b"%d" % n] == b"v" * 200 for n in range(sent))


def test_a_queue_that_was_full_is_full_for_nobody_afterwards(stage):
    """One client fills it; what others say meanwhile is read when it has room again, though
    nothing more comes from them."""
    balancer = stage.kv(threads=1, pool="queue 8 wait 10s")
    greedy, *others = [stage.kv_client(balancer) for _ in range(5)]
    greedy.say_all(*(get(b"%d" % number) for number in range(30)))
    until(lambda: balancer.control.get("/v1/pools/store")["waiting"] >= 8, "the queue is full")
    for client in others:
        client.send(get(b"of others").encode())
        assert client.silent(0.01)
    stage.fake_worker(balancer, 1)
    answers = greedy.take(30, "GET_RESPONSE")
    assert [answer.key for answer in answers] == [b"%d" % number for number in range(30)]
    for client in others:
        assert client.next("GET_RESPONSE").key == b"of others"


LARGEST_FILL = 400_000     # requests, 80 MB: no kernel takes that for anybody


def fill(client, value):
    """Sends PUTs of counted keys until nothing more is taken for a good while. Returns
    how many, and what of the last one has yet to be sent."""
    client.sock.settimeout(0.5)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    try:
        for number in range(LARGEST_FILL):
            rest = put(b"%d" % number, value).encode()
            while rest:
                rest = rest[client.sock.send(rest):]
    except TimeoutError:
        pass
    client.sock.settimeout(PATIENCE)
    return number + 1, rest
