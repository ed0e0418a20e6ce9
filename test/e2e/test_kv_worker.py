"""kv-worker between a balancer and peers that say every word themselves, and real workers
with each other."""

import contextlib
import fcntl
import os
import re
import signal
import struct
import subprocess
import time

import pytest

from harness import kv_wire as wire
from harness.kv_balancer import new_version
from harness.kv_connection import Connection, dial
from harness.message import Ended
from harness.kv_worker import KV_WORKER
from harness.patience import PATIENCE
from harness.program import ROOT


@pytest.fixture
def balancer(stage):
    return stage.fake_balancer()


def one(stage, balancer, *options, **settings):
    """A worker alone in its pool, ready; and its connection."""
    worker = stage.worker(balancer, *options, **settings)
    return worker, balancer.lone_worker()


# Requests


def test_a_worker_alone_serves_what_it_was_given(stage, balancer):
    _, link = one(stage, balancer)
    assert link.value(b"k") is None
    assert link.do(wire.SET, b"k", b"v").result == wire.FINE
    assert link.value(b"k") == b"v"
    assert link.count() == 1
    head = link.do(wire.HEAD, b"k")
    assert (head.result, head.value) == (wire.FINE, b"")
    assert link.do(wire.DELETE, b"k").result == wire.FINE
    assert link.do(wire.DELETE, b"k").result == wire.NOT_FOUND
    assert link.value(b"k") is None


def test_requests_of_version_1_are_served_as_well(stage, balancer):
    _, link = one(stage, balancer)
    assert link.store(b"\0k", b"v\0", 7).fields == dict(result=wire.FINE, id=7, key=b"\0k")
    found = link.retrieve(b"\0k", 8)
    assert (found.result, found.id, found.value) == (wire.FINE, 8, b"v\0")
    missing = link.retrieve(b"x", 9)
    assert (missing.result, missing.id, missing.value) == (wire.NOT_FOUND, 9, b"")


def test_thousands_of_requests_in_one_piece_are_all_answered(stage, balancer):
    _, link = one(stage, balancer)
    count = 20000
    link.send(b"".join(wire.pack("OP", tag=i, verb=wire.SET, key=b"key %d" % i,
                                 value=b"v" * 100, version=i + 1) for i in range(count)))
    assert {m.tag for m in link.take(count, "REPLY")} == set(range(count))
    assert link.count() == count


# Peers that say every word themselves


def with_peers(stage, balancer, *peers, options=(), **settings):
    """A worker that is ready and has been told of these peers; the link, and for each peer
    the connection that the worker has made to it."""
    worker, link = one(stage, balancer, *options, **settings)
    worker.port_of_peers = link.heard[-1].port
    for peer in peers:
        peer.about["pool_key"] = balancer.pool_key
    link.lists(*({"id": peer.id, "port": peer.port, "speaks": peer.version}
                 for peer in peers))
    return worker, link, [peer.accept() for peer in peers]


def next_write(connection):
    return connection.next("REPLICATE")


def test_writes_are_numbered_and_come_in_order(stage, balancer):
    _, link, (peer,) = with_peers(stage, balancer, stage.fake_peer(2))
    for number in range(50):
        link.do(wire.SET, b"k%d" % number, b"v", version=1000 + number, expires=1 << 50)
    link.do(wire.DELETE, b"k0", version=2000)
    writes = peer.take(51, "REPLICATE")
    assert [write.seq for write in writes] == list(range(1, 52))
    assert [write.key for write in writes] == [b"k%d" % n for n in range(50)] + [b"k0"]
    assert writes[0].fields == dict(seq=1, kind=wire.KIND_SET, version=1000, expires=1 << 50,
                                    key=b"k0", value=b"v")
    assert writes[-1].fields == dict(seq=51, kind=wire.KIND_DELETED, version=2000, expires=0,
                                     key=b"k0", value=b"")


@pytest.mark.parametrize("flag", [wire.ACK_ONE, wire.ACK_ALL])
def test_an_answer_waits_for_the_acknowledgement(stage, balancer, flag):
    _, link, (peer,) = with_peers(stage, balancer, stage.fake_peer(2))
    tag = link.ask(wire.SET, b"k", b"v", flags=flag)
    write = next_write(peer)
    assert link.value(b"x") is None     # others are not held up by it
    peer.say("REPLICATED", seq=write.seq)
    assert link.next("REPLY").tag == tag


def test_one_peer_is_enough_for_acks_one_and_not_for_acks_all(stage, balancer):
    _, link, peers = with_peers(stage, balancer, stage.fake_peer(2), stage.fake_peer(3))
    some = link.ask(wire.SET, b"k", b"1", flags=wire.ACK_ONE)
    every = link.ask(wire.SET, b"k", b"2", flags=wire.ACK_ALL)
    for peer in peers:
        peer.take(2, "REPLICATE")
    peers[0].say("REPLICATED", seq=2)
    assert link.next("REPLY").tag == some
    assert link.value(b"k") == b"2"
    peers[1].say("REPLICATED", seq=2)
    assert link.next("REPLY").tag == every


def test_without_peers_nobody_is_waited_for(stage, balancer):
    _, link = one(stage, balancer)
    for flag in (wire.ACK_ONE, wire.ACK_ALL):
        assert link.do(wire.SET, b"k", b"v", flags=flag).result == wire.FINE


def test_a_peer_that_has_gone_is_not_waited_for(stage, balancer):
    _, link, peers = with_peers(stage, balancer, stage.fake_peer(2), stage.fake_peer(3))
    tag = link.ask(wire.SET, b"k", b"v", flags=wire.ACK_ALL)
    for peer in peers:
        next_write(peer)
    peers[0].say("REPLICATED", seq=1)
    assert link.value(b"k") == b"v"
    link.say("PEER_GONE", id=3)
    assert link.next("REPLY").tag == tag
    peers[1].sees_the_end()


def test_a_listed_peer_that_is_not_connected_is_waited_for(stage, balancer):
    peer = stage.fake_peer(2)
    _, link, (connection,) = with_peers(stage, balancer, peer)
    connection.reset()
    tag = link.ask(wire.SET, b"k", b"v", flags=wire.ACK_ALL)
    again = peer.accept()
    said = again.take(2, "REPLICATE", "SYNC_OFFER")
    assert {m.name for m in said} == {"REPLICATE", "SYNC_OFFER"}
    assert not [m for m in link.heard if m.name == "REPLY"]
    again.say("REPLICATED", seq=1)
    assert link.next("REPLY").tag == tag


def test_what_a_peer_has_not_acknowledged_is_sent_again(stage, balancer):
    peer = stage.fake_peer(2)
    _, link, (connection,) = with_peers(stage, balancer, peer)
    for number in range(5):
        link.do(wire.SET, b"k%d" % number, b"v")
    connection.take(5, "REPLICATE")
    connection.say("REPLICATED", seq=2)
    link.do(wire.SET, b"k5", b"v")
    connection.next("REPLICATE")
    connection.reset()
    again = peer.accept()
    seqs = [m.seq for m in again.take(5) if m.name == "REPLICATE"]
    assert seqs == [3, 4, 5, 6]
    assert again.heard[1].name == "SYNC_OFFER"


def test_a_repeated_write_is_answered_with_its_acknowledgements(stage, balancer):
    """The balancer gives a request that was lost with its worker to another one, with its
    version."""
    _, link, (peer,) = with_peers(stage, balancer, stage.fake_peer(2))
    link.do(wire.SET, b"k", b"v", version=77)
    assert next_write(peer).version == 77
    tag = link.ask(wire.SET, b"k", b"v", version=77, flags=wire.ACK_ALL)
    again = next_write(peer)
    assert (again.version, again.seq) == (77, 2)
    peer.say("REPLICATED", seq=again.seq)
    reply = link.next("REPLY")
    assert (reply.tag, reply.result, reply.version) == (tag, wire.FINE, 77)
    # One that has lost against a newer one is fine, once the peer has that one.
    tag = link.ask(wire.SET, b"k", b"old", version=50, flags=wire.ACK_ALL)
    newer = next_write(peer)
    assert (newer.version, newer.value) == (77, b"v")
    peer.say("REPLICATED", seq=newer.seq)
    reply = link.next("REPLY")
    assert (reply.tag, reply.result) == (tag, wire.FINE)
    assert link.value(b"k") == b"v"


def test_conditions_are_judged(stage, balancer):
    _, link = one(stage, balancer)
    do = link.do
    assert do(wire.SET, b"k", b"1", flags=wire.IF_PRESENT).result == wire.NOT_MET
    assert do(wire.SET, b"k", b"1", flags=wire.IF_ABSENT, version=5).result == wire.FINE
    assert do(wire.SET, b"k", b"1", flags=wire.IF_ABSENT, version=5).result == wire.FINE
    assert do(wire.SET, b"k", b"2", flags=wire.IF_ABSENT, version=6).result == wire.NOT_MET
    assert do(wire.SET, b"k", b"2", flags=wire.IF_PRESENT, version=7).result == wire.FINE
    assert do(wire.EXPIRE, b"x", expires=1 << 50).result == wire.NOT_FOUND
    assert do(wire.EXPIRE, b"k", expires=1 << 50, version=8).result == wire.FINE
    found = do(wire.GET, b"k")
    assert (found.value, found.expires, found.version) == (b"2", 1 << 50, 8)


def test_a_time_to_live_reaches_the_peers_with_its_value(stage, balancer):
    _, link, (peer,) = with_peers(stage, balancer, stage.fake_peer(2))
    link.do(wire.SET, b"k", b"v", version=5)
    link.do(wire.EXPIRE, b"k", version=6, expires=1 << 50)
    first, second = peer.take(2, "REPLICATE")
    assert second.fields == first.fields | dict(seq=2, version=6, expires=1 << 50)
    assert link.do(wire.EXPIRE, b"k", version=6, expires=1 << 50).result == wire.FINE
    assert next_write(peer).version == 6


def test_a_peer_that_is_slow_holds_up_nobody(stage, balancer):
    """It takes nothing; the others get all, and answers with no promises go out."""
    _, link, peers = with_peers(stage, balancer, stage.fake_peer(2), stage.fake_peer(3))
    for number in range(400):
        link.do(wire.SET, b"k%d" % number, b"v" * 60000)
    assert [w.seq for w in peers[1].take(400, "REPLICATE")] == list(range(1, 401))
    assert int(link.stats()["peers_behind"]) == 2
    peers[1].say("REPLICATED", seq=400)
    stage.until(lambda: int(link.stats()["peers_behind"]) == 1, "one is behind")
    assert [w.seq for w in peers[0].take(400, "REPLICATE")] == list(range(1, 401))


def last_connection(peer):
    """The one that still stands, offered a sync."""
    while True:
        try:
            connection = peer.accept()
            connection.next("SYNC_OFFER")
            return connection
        except Ended:
            pass


def test_a_peer_too_far_behind_is_cut_off_and_offered_a_sync(stage, balancer):
    peer = stage.fake_peer(2)
    worker, link, (slow,) = with_peers(stage, balancer, peer, options=["--backlog", "1m"])
    tag = link.ask(wire.SET, b"first", b"v", flags=wire.ACK_ALL)
    for number in range(400):
        link.ask(wire.SET, b"k%d" % number, b"v" * 60000)
    # What was promised cannot be kept: that is said.
    replies = link.take(401, "REPLY")
    assert {m.result for m in replies if m.tag == tag} == {wire.BUSY}
    assert all(m.result == wire.FINE for m in replies if m.tag != tag)
    worker.logs("too far behind")
    again = last_connection(peer)
    again.say("SYNC_ASK", how=wire.EVERYTHING)
    keys = set()
    while (message := again.next()).name != "SYNC_END":
        if message.name == "REPLICATE":
            keys.add(message.key)
    assert len(keys) == 401
    slow.close()


def test_a_peer_that_cannot_be_reached_is_told_of(stage, balancer):
    worker, link = one(stage, balancer)
    link.lists((2, stage.port()))
    assert link.next("PEER_LOST").id == 2
    assert len(worker.logs("cannot connect to a peer")) == 1    # not each time


def test_writes_of_peers_are_applied_and_acknowledged(stage, balancer):
    peer = stage.fake_peer(2)
    worker, link, _ = with_peers(stage, balancer, peer)
    mine = peer.connect(worker.port_of_peers)
    for seq in range(1, 101):
        mine.say("REPLICATE", seq=seq, kind=wire.KIND_SET, version=seq, key=b"k%d" % seq,
                 value=b"v")
    while mine.next("REPLICATED").seq < 100:
        pass
    assert link.count() == 100
    mine.say("REPLICATE", seq=101, kind=wire.KIND_DELETED, version=500, key=b"k7")
    assert mine.next("REPLICATED").seq == 101
    assert link.value(b"k7") is None
    # Not replicated on: who wrote it tells all.
    assert int(link.stats()["replicated_in"]) == 101
    assert int(link.stats()["replicated_out"]) == 0


def test_a_second_connection_takes_the_place_of_the_first(stage, balancer):
    peer = stage.fake_peer(2)
    worker, link, _ = with_peers(stage, balancer, peer)
    first = peer.connect(worker.port_of_peers)
    first.say("REPLICATE", seq=1, kind=1, version=1, key=b"a", value=b"v")
    first.next("REPLICATED")
    second = peer.connect(worker.port_of_peers)
    first.sees_the_end()
    second.say("REPLICATE", seq=1, kind=1, version=1, key=b"b", value=b"v")
    second.next("REPLICATED")
    assert link.count() == 2


def test_who_is_not_known_yet_is_heard_when_the_balancer_tells_of_it(stage, balancer):
    worker, link = one(stage, balancer)
    peer = stage.fake_peer(2, pool_key=balancer.pool_key)
    waiting = stage.aside(peer.connect, link.heard[-1].port)
    link.lists((2, peer.port))
    peer.accept()
    mine = waiting.result()
    mine.say("REPLICATE", seq=1, kind=1, version=1, key=b"a", value=b"v")
    mine.next("REPLICATED")


def test_a_stranger_is_refused(stage, balancer):
    _, link = one(stage, balancer)
    stranger = Connection(dial(link.heard[-1].port))
    stage.clients.append(stranger)
    stranger.say("HELLO", speaks=2, role=wire.PEER, lanes=1, id=9, nonce=b"n" * 16)
    stranger.is_refused(wire.UNAUTHORISED, "the balancer has not told of this peer")


# Real workers among themselves, the test being the balancer


class Members:
    """Plays the registry for real workers: all are told of a newcomer, and the first one
    that is ready fills it."""

    def __init__(self, stage, balancer):
        self.stage, self.balancer = stage, balancer
        self.workers, self.links, self.ports = {}, {}, {}

    def start(self, *options, **settings):
        worker = self.stage.worker(self.balancer, *options, **settings)
        return worker, self.welcome(worker)

    def welcome(self, worker, lanes=1):
        """Its next connection is listed; returns it, and does not wait until it is ready."""
        link = self.balancer.worker()
        link.more = [self.balancer.worker() for _ in range(lanes - 1)]
        hello, filler = link.hello, next(iter(self.links), None)
        for identity, other in self.links.items():
            other.lists(dict(id=hello.id, port=hello.port, fills=identity == filler))
        link.lists(*(dict(id=identity, port=self.ports[identity], fills=identity == filler)
                     for identity in self.links))
        self.workers[hello.id], self.ports[hello.id] = worker, hello.port
        self.links[hello.id] = link
        return link

    def add(self, *options, lanes=1, **settings):
        worker = self.stage.worker(self.balancer, *options, **settings)
        link = self.welcome(worker, lanes)
        link.next("WORKER_READY")
        return worker, link

    def remove(self, worker):
        """It has gone: the others are told."""
        identity = next(i for i, w in self.workers.items() if w is worker)
        del self.workers[identity], self.links[identity], self.ports[identity]
        for link in self.links.values():
            link.say("PEER_GONE", id=identity)

    def agree(self):
        def same():
            said = {(s["digest"], s["entries"]) for s in
                    (link.stats() for link in self.links.values())}
            return len(said) == 1
        self.stage.until(same, "all hold the same")


@pytest.fixture
def members(stage, balancer):
    return Members(stage, balancer)


def fill(link, count, value=b"v" * 50, prefix=b"key"):
    link.send(b"".join(wire.pack("OP", tag=i, verb=wire.SET, key=b"%s %d" % (prefix, i),
                                 value=value, version=new_version() + i)
                       for i in range(count)))
    for _ in range(count):
        assert link.next("REPLY").result == wire.FINE


def test_an_empty_newcomer_is_filled_while_writes_go_on(stage, members):
    _, first = members.add()
    fill(first, 30000)
    _, newcomer = members.start()
    fill(first, 5000, prefix=b"late")
    newcomer.next("WORKER_READY")
    members.agree()
    assert newcomer.count() == 35000
    assert newcomer.value(b"late 4999") == b"v" * 50


def test_a_third_one_hears_of_writes_of_all(stage, members):
    _, first = members.add()
    _, second = members.add()
    fill(first, 2000)
    fill(second, 2000, prefix=b"two")
    _, third = members.start()
    fill(second, 2000, prefix=b"three")
    third.next("WORKER_READY")
    members.agree()
    assert third.count() == 6000
    # Answers promise what all three have.
    for link in members.links.values():
        assert link.do(wire.SET, b"k", b"v", flags=wire.ACK_ALL).result == wire.FINE


def test_a_newcomer_does_not_serve_before_it_is_filled(stage, balancer):
    """A read that reaches it anyway waits, and is answered out of the whole."""
    worker = stage.worker(balancer)
    link = balancer.worker()
    filler = stage.fake_peer(2, pool_key=balancer.pool_key)
    link.lists(dict(id=2, port=filler.port, fills=1))
    tag = link.ask(wire.GET, b"k")
    filler.accept()
    mine = filler.connect(link.hello.port)
    mine.say("SYNC_OFFER", entries=1)
    assert mine.next("SYNC_ASK").how == wire.EVERYTHING
    assert link.silent(0.2)
    mine.say("REPLICATE", seq=0, kind=1, version=9, key=b"k", value=b"v")
    mine.say("SYNC_END", entries=1)
    assert link.next("WORKER_READY").id == link.hello.id
    reply = link.next("REPLY")
    assert (reply.tag, reply.value) == (tag, b"v")
    assert worker.runs()


def test_a_newcomer_asks_only_when_all_peers_have_connected(stage, balancer):
    stage.worker(balancer)
    link = balancer.worker()
    filler, other = (stage.fake_peer(i, pool_key=balancer.pool_key) for i in (2, 3))
    link.lists(dict(id=2, port=filler.port, fills=1), (3, other.port))
    filler.accept(), other.accept()
    mine = filler.connect(link.hello.port)
    mine.say("SYNC_OFFER", entries=0)
    assert mine.silent(0.2)
    other.connect(link.hello.port, lane=0, lanes=2)
    assert mine.silent(0.2)
    other.connect(link.hello.port, lane=1, lanes=2)
    assert mine.next("SYNC_ASK").how == wire.EVERYTHING


def test_a_peer_that_goes_is_not_waited_for_by_a_newcomer(stage, balancer):
    stage.worker(balancer)
    link = balancer.worker()
    filler, other = (stage.fake_peer(i, pool_key=balancer.pool_key) for i in (2, 3))
    link.lists(dict(id=2, port=filler.port, fills=1), (3, other.port))
    mine = filler.connect(link.hello.port)
    mine.say("SYNC_OFFER", entries=0)
    link.say("PEER_GONE", id=3)
    mine.next("SYNC_ASK")
    mine.say("SYNC_END")
    link.next("WORKER_READY")


def test_when_its_filler_dies_a_newcomer_is_filled_by_another(stage, balancer):
    stage.worker(balancer)
    link = balancer.worker()
    first, second = (stage.fake_peer(i, pool_key=balancer.pool_key) for i in (2, 3))
    link.lists(dict(id=2, port=first.port, fills=1), (3, second.port))
    mine = first.connect(link.hello.port)
    then = second.connect(link.hello.port)
    mine.say("SYNC_OFFER", entries=5)
    mine.next("SYNC_ASK")
    mine.say("REPLICATE", seq=0, kind=1, version=9, key=b"k", value=b"v")
    mine.reset()
    link.say("PEER_GONE", id=2)
    link.lists(dict(id=3, port=second.port, fills=1))
    then.say("SYNC_OFFER", entries=2)
    ask = then.next("SYNC_ASK")
    assert ask.how in (wire.EVERYTHING, wire.BY_DIGEST)
    if ask.how == wire.BY_DIGEST:
        then.say("SYNC_SUMMARIES_END")
        then.next("SYNC_WANTS_END")
    then.say("SYNC_END")
    link.next("WORKER_READY")


def test_the_last_one_of_a_pool_serves_what_it_has(stage, balancer):
    stage.worker(balancer)
    link = balancer.worker()
    filler = stage.fake_peer(2, pool_key=balancer.pool_key)
    link.lists(dict(id=2, port=filler.port, fills=1))
    link.say("PEER_GONE", id=2)
    link.next("WORKER_READY")


def test_who_comes_back_takes_only_what_it_missed(stage, members):
    """It loses the balancer, not its data: 20,000 entries stay, 10 are new, 5 are gone."""
    _, first = members.add()
    fill(first, 20000)
    worker, second = members.add()
    members.agree()
    members.remove(worker)
    second.reset()
    fill(first, 10, prefix=b"new")
    for number in range(5):
        first.do(wire.DELETE, b"key %d" % number)
    before = int(first.stats()["syncs_given"])
    again = members.welcome(worker)
    again.next("WORKER_READY")
    members.agree()
    stats = again.stats()
    assert int(stats["entries"]) == 20005
    assert int(first.stats()["syncs_given"]) > before
    # 20,000 came when it was empty.
    assert 10 <= int(stats["sync_entries_in"]) - 20000 <= 15


def test_what_only_the_newcomer_has_is_told_to_all(stage, members):
    """It wrote while nobody else heard of it, and then was a newcomer again."""
    _, first = members.add()
    fill(first, 1000)
    worker, second = members.add()
    members.remove(worker)
    first.lists()
    second.say("PEER_GONE", id=first.hello.id)
    fill(second, 10, prefix=b"alone")
    assert first.value(b"alone 3") is None
    second.reset()
    members.welcome(worker).next("WORKER_READY")
    members.agree()
    assert first.value(b"alone 3") == b"v" * 50


def test_a_filler_that_is_killed_leaves_a_newcomer_that_others_fill(stage, members):
    killed, first = members.add()
    fill(first, 50000, value=b"v" * 1000)
    _, second = members.add()
    newcomer, third = members.start()
    newcomer.logs("being filled")
    killed.kill()
    members.remove(killed)
    second_id, third_id = second.hello.id, third.hello.id
    third.lists(dict(id=second_id, port=members.ports[second_id], fills=1))
    second.lists(dict(id=third_id, port=members.ports[third_id], fills=1))
    third.next("WORKER_READY")
    members.agree()
    assert third.count() == 50000


def test_a_newcomer_that_is_killed_hinders_nobody(stage, members):
    _, first = members.add()
    fill(first, 50000, value=b"v" * 1000)
    newcomer, _ = members.start()
    newcomer.logs("being filled")
    newcomer.kill()
    tag = first.ask(wire.SET, b"k", b"v", flags=wire.ACK_ALL)
    members.remove(newcomer)
    assert first.next_of("REPLY").tag == tag
    _, third = members.add()
    members.agree()
    assert third.count() == 50001


def test_what_a_dead_worker_told_only_some_is_made_even(stage, balancer):
    """It has sent a write to one of two, and dies: soon the other has it, too."""
    members = Members(stage, balancer)
    _, first = members.add()
    _, second = members.add()
    dying = stage.fake_peer(77, pool_key=balancer.pool_key)
    for link in (first, second):
        link.lists((77, dying.port))
    mine = dying.connect(members.ports[first.hello.id])
    mine.say("REPLICATE", seq=1, kind=1, version=5, key=b"k", value=b"v")
    mine.next("REPLICATED")
    assert second.value(b"k") is None
    mine.reset()
    for link in (first, second):
        link.say("PEER_GONE", id=77)
    stage.until(lambda: second.value(b"k") == b"v", "the second has it")
    members.agree()


LONG_AGO = 11 * 60      # seconds; tombstones are kept for ten minutes


def asked_by_digest(stage, balancer):
    """A worker that holds `k` and is ready; what a peer has to say in a sync that it has
    been asked for by digest."""
    peer = stage.fake_peer(2)
    worker, link, _ = with_peers(stage, balancer, peer)
    link.do(wire.SET, b"k", b"v")
    mine = peer.connect(worker.port_of_peers)
    mine.say("SYNC_OFFER", entries=1)
    assert mine.next("SYNC_ASK").how == wire.BY_DIGEST
    return link, mine


def test_tombstones_of_long_ago_are_not_taken_from_each_other_for_ever(stage, balancer):
    _, mine = asked_by_digest(stage, balancer)
    old = new_version() - LONG_AGO * 1_000_000 * 256
    items = [(1, old, wire.KIND_DELETED), (2, old, wire.KIND_SET),
             (3, new_version(), wire.KIND_DELETED)]
    mine.say("SYNC_SUMMARY", bucket=0, last=1,
             items=b"".join(struct.pack(">QQB", *item) for item in items))
    assert mine.next("SYNC_WANT").hashes == struct.pack(">QQ", 2, 3)


def test_what_the_filler_has_forgotten_does_not_come_back(stage, balancer):
    """A worker that was filled by one that has forgotten deletions knows as well as that
    one that they were: it passes on that it did."""
    stage.worker(balancer)
    link = balancer.worker()
    filler = stage.fake_peer(2, pool_key=balancer.pool_key)
    link.lists(dict(id=2, port=filler.port, fills=1))
    mine = filler.connect(link.hello.port)
    mine.say("SYNC_OFFER", entries=0, newest=99, purged=77)
    mine.next("SYNC_ASK")
    mine.say("SYNC_END")
    link.next("WORKER_READY")
    assert int(link.stats()["purged"]) == 77


def test_who_is_being_filled_offers_nothing(stage, balancer):
    """What it lacks as yet would look as if it had forgotten it, and be deleted."""
    stage.worker(balancer)
    link = balancer.worker()
    filler, other = (stage.fake_peer(i, pool_key=balancer.pool_key) for i in (2, 3))
    link.lists(dict(id=2, port=filler.port, fills=1), (3, other.port))
    mine, _ = filler.connect(link.hello.port), other.connect(link.hello.port)
    other.accept().reset()
    again = other.accept()      # after a loss all is made even, but not yet
    assert again.silent(0.2)
    mine.say("SYNC_OFFER")
    mine.next("SYNC_ASK")
    mine.say("SYNC_END")
    link.next("WORKER_READY")
    again.next("SYNC_OFFER")


def test_two_lanes_serve_and_replicate_and_are_filled(stage, members):
    _, first = members.add("--threads", 2, lanes=2)
    fill(first, 5000)
    fill(first.more[0], 5000, prefix=b"more")
    assert first.count() == first.more[0].count() == 10000
    _, second = members.add("--threads", 2, lanes=2)
    _, third = members.add()
    for link in (second, second.more[0], third):
        fill(link, 1000, prefix=b"from %d" % id(link))
        assert link.do(wire.SET, b"k", b"v", flags=wire.ACK_ALL).result == wire.FINE
    members.agree()
    assert third.count() == 13001


def test_another_pool_key_is_taken_over(stage):
    """After a balancer has started anew, the first worker's key is the pool's."""
    one_balancer = stage.fake_balancer(pool_key=b"a" * 16)
    _, link = one(stage, one_balancer, "--threads", 2)
    one_balancer.worker()
    fill(link, 1000)
    digest = link.stats()["digest"]
    one_balancer.pool_key = b"b" * 16
    link.reset()
    link = one_balancer.lone_worker()
    assert link.value(b"key 7") == b"v" * 50
    assert link.count() == 1000
    assert link.stats()["digest"] != digest


def test_a_balancer_that_shuts_down_is_connected_to_again(stage, balancer):
    worker, link = one(stage, balancer)
    link.do(wire.SET, b"k", b"v")
    link.say("SHUTDOWN")
    link.sees_the_end()
    worker.logs("being shut down")
    again = balancer.lone_worker()
    assert again.value(b"k") == b"v"
    assert again.hello.id == link.hello.id


def test_a_worker_that_is_turned_away_tries_less_and_less_often(stage, balancer):
    """So too where the balancer has greeted it and only then says why not."""
    worker = stage.worker(balancer)
    began = time.monotonic()
    for _ in range(6):
        balancer.worker().say("ERROR", code=wire.PROTOCOL, message=b"another has this id")
    balancer.worker()
    # 50, 100, 200, 400, 800 and 1600 ms, less a quarter at most.
    assert time.monotonic() - began > 2.3
    worker.logs("another has this id")


# Data that lasts


def test_data_outlives_the_worker(stage, balancer, tmp_path):
    worker, link = one(stage, balancer, data=tmp_path / "data")
    identity = link.hello.id
    fill(link, 1000)
    link.do(wire.DELETE, b"key 5")
    assert worker.terminate() == 0
    worker = stage.worker_again(worker)
    link = balancer.lone_worker()
    assert link.hello.id == identity
    assert link.hello.entries == 999
    assert link.count() == 999
    assert link.value(b"key 5") is None


@pytest.mark.parametrize("when", ["never", "second", "always"])
def test_what_was_answered_is_there_after_a_kill(stage, balancer, tmp_path, when):
    """Answers wait until the system has the writes at least."""
    worker, link = one(stage, balancer, "--sync", when, data=tmp_path / "data")
    for turn in range(1, 6):
        fill(link, 500, prefix=b"turn %d" % turn)
        worker.kill()
        worker = stage.worker_again(worker)
        link = balancer.lone_worker()
        assert link.count() == 500 * turn


def test_a_torn_tail_is_cut(stage, balancer, tmp_path):
    data = tmp_path / "data"
    worker, link = one(stage, balancer, data=data)
    fill(link, 100)
    assert worker.terminate() == 0
    log = max(data.glob("log.*"))
    log.write_bytes(log.read_bytes()[:-7])
    worker = stage.worker_again(worker)
    link = balancer.lone_worker()
    assert link.count() == 99
    assert worker.logs("torn|cut")


def test_a_data_folder_serves_one_worker(stage, balancer, tmp_path):
    one(stage, balancer, data=tmp_path / "data")
    second = stage.worker(balancer, data=tmp_path / "data")
    second.expected_exit = 1
    assert second.wait() == 1
    assert str(tmp_path / "data") in second.log


def test_acknowledgements_wait_for_the_disk(stage, balancer, tmp_path):
    """With --sync always a peer is told only of what is on disk; both promises in one."""
    peer = stage.fake_peer(2)
    worker, link, _ = with_peers(stage, balancer, peer, options=["--sync", "always"],
                                 data=tmp_path / "data")
    mine = peer.connect(worker.port_of_peers)
    mine.say("REPLICATE", seq=1, kind=1, version=1, key=b"a", value=b"v")
    assert mine.next("REPLICATED").seq == 1
    worker.kill()
    stage.worker_again(worker)
    assert balancer.lone_worker().value(b"a") == b"v"


def test_who_comes_back_with_its_data_takes_only_what_it_missed(stage, members, tmp_path):
    _, first = members.add()
    fill(first, 20000)
    worker, link = members.add(data=tmp_path / "data")
    members.agree()
    assert worker.terminate() == 0
    members.remove(worker)
    fill(first, 20, prefix=b"new")
    first.do(wire.DELETE, b"key 1")
    again = members.welcome(stage.worker_again(worker))
    again.next("WORKER_READY")
    members.agree()
    assert int(again.stats()["entries"]) == 20019
    assert int(again.stats()["sync_entries_in"]) == 21


# Memory


def test_the_memory_limit_refuses_writes_and_says_how_to_go_on(stage, balancer):
    _, link = one(stage, balancer, "--memory-max", "8m")
    results = [link.do(wire.SET, b"k%d" % i, b"v" * 60000) for i in range(200)]
    refused = [r for r in results if r.result == wire.MEMORY_FULL]
    assert 20 < len(refused) < 150
    assert b"memory limit" in refused[0].value and b"--memory-max" in refused[0].value
    assert link.store(b"k", b"v" * 60000).result == wire.BUSY
    assert link.do(wire.DELETE, b"k0").result == wire.FINE
    assert int(link.stats()["refused"]) == len(refused) + 1


def test_beyond_the_hard_limit_a_worker_leaves_the_pool(stage, balancer):
    peer = stage.fake_peer(2)
    worker, link, _ = with_peers(stage, balancer, peer, options=["--memory-max", "8m"])
    worker.expected_exit = 1
    mine = peer.connect(worker.port_of_peers)
    for seq in range(1, 400):
        mine.say("REPLICATE", seq=seq, kind=1, version=seq, key=b"k%d" % seq,
                 value=b"v" * 60000)
    assert worker.wait() == 1
    assert worker.logs("raise --memory-max")
    link.sees_the_end()


# People


def test_signals_ask_for_statistics_and_for_the_end(stage, balancer):
    worker, link = one(stage, balancer)
    link.do(wire.SET, b"k", b"v")
    stats = worker.statistics()
    assert (stats["entries"], stats["sets"]) == (1, 1)
    assert len(stats["digest"]) == 16
    worker.logs("statistics id=")
    worker.signal(2)
    assert worker.wait() == 0
    link.next("WORKER_NOT_READY")
    link.sees_the_end()


def test_the_manual_page_names_every_line_of_the_statistics(stage, balancer, tmp_path):
    worker, _ = one(stage, balancer, data=tmp_path / "data")
    page = (ROOT / "doc/kv-worker.1").read_text()
    statistics = page[page.index(".Sh STATISTICS"):page.index(".Sh FILES")]
    named = [name for line in re.findall(r"^\.It Cm (.*)$", statistics, re.M)
             for name in line.split(" , ")]
    assert sorted(named) == sorted(worker.statistics())


def test_keys_of_a_terminal(stage, balancer):
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(str(KV_WORKER),
                          ["--balancer", f"127.0.0.1:{balancer.workers_port}"], timeout=10,
                          encoding="utf-8")
    try:
        child.expect(r"kv-worker (\d+): peers at 0.0.0.0:(\d+)")
        link = balancer.lone_worker()
        link.do(wire.SET, b"k", b"v")
        child.send("s")
        child.expect("entries 1")
        child.expect("digest [0-9a-f]{16}")
        child.send("?")
        child.expect("s: statistics, q: stop")
        child.send("q")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)


def test_the_terminal_is_as_it_was_afterwards(stage, balancer, tmp_path):
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn("/bin/sh", timeout=10, encoding="utf-8", echo=False)
    try:
        child.sendline(f"stty -a >{tmp_path}/before; {KV_WORKER} --balancer "
                       f"127.0.0.1:{balancer.workers_port}; stty -a >{tmp_path}/after;"
                       " echo do'ne'")
        child.expect("peers at")
        balancer.lone_worker()
        child.send("q")
        child.expect("done")
        assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    finally:
        child.close(force=True)


# Secrets


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("open sesame\n")
    path.chmod(0o600)
    return path


def test_both_sides_prove_that_they_know_the_secret(stage, secret):
    balancer = stage.fake_balancer(secret=b"open sesame")
    peer = stage.fake_peer(2, secret=b"open sesame")
    worker, link, (connection,) = with_peers(stage, balancer, peer,
                                             options=["--secret", secret])
    link.do(wire.SET, b"k", b"v")
    next_write(connection)
    mine = peer.connect(worker.port_of_peers)
    mine.say("REPLICATE", seq=1, kind=1, version=1, key=b"a", value=b"v")
    mine.next("REPLICATED")


def test_a_peer_without_the_secret_is_refused(stage, secret):
    balancer = stage.fake_balancer(secret=b"open sesame")
    peer = stage.fake_peer(2, secret=b"open sesame")
    worker, _, _ = with_peers(stage, balancer, peer, options=["--secret", secret])
    for said in (b"", b"wrong"):
        liar = Connection(dial(worker.port_of_peers))
        stage.clients.append(liar)
        liar.say("HELLO", speaks=2, role=wire.PEER, lanes=1, id=2, nonce=b"n" * 16,
                 flags=bool(said), pool_key=balancer.pool_key)
        if said:
            liar.next("HELLO")
            liar.say("PROOF", mac=b"m" * 32)
        liar.is_refused(wire.UNAUTHORISED)
    plain = Connection(dial(worker.port_of_peers))
    stage.clients.append(plain)
    plain.say("PEER_NOTIFY", key=b"k", value=b"v")
    plain.is_refused(wire.UNAUTHORISED, "secret")


def test_a_balancer_without_the_secret_learns_nothing(stage, balancer, secret):
    worker = stage.worker(balancer, "--secret", secret)
    link = balancer.worker()
    link.is_refused(wire.UNAUTHORISED)
    # Nor does one of version 1.
    link = balancer.worker_raw()
    link.next("HELLO")
    link.say("ERROR", code=wire.PROTOCOL, message=b"what?")
    link.close()
    assert balancer.worker_raw().next("HELLO").flags == 1
    assert "trying version 1" not in worker.log


def test_a_secret_that_others_can_read_is_none(stage, balancer, secret):
    secret.chmod(0o644)
    worker = stage.worker(balancer, "--secret", secret)
    worker.expected_exit = 1
    assert worker.wait() == 1
    assert "chmod 600" in worker.log


# Version 1


@pytest.mark.parametrize("how", ["error", "closing", "reset"])
def test_a_balancer_of_version_1_is_met_in_its_own_language(stage, balancer, how):
    stage.worker(balancer, identity=4242)
    link = balancer.worker_raw()
    link.next("HELLO")
    if how == "error":
        link.say("ERROR", code=wire.PROTOCOL, message=b"unknown type")
    link.reset() if how == "reset" else link.close()
    link = balancer.worker_raw()
    assert link.next("WORKER_READY").id == 4242
    link.lists(dict(id=4242, port=1))       # itself alone
    assert link.store(b"k", b"v").result == wire.FINE
    assert link.retrieve(b"k").value == b"v"


def test_a_newcomer_of_version_1_waits_for_the_export(stage, balancer):
    """It takes back that it was ready, holds what comes, and answers when it is filled."""
    stage.worker(balancer, "--version", 1, identity=7)
    link = balancer.worker_raw()
    port = link.next("WORKER_READY").port
    peer = stage.fake_peer(2, 1)
    link.lists(dict(id=7, port=port), (2, peer.port))
    link.next("WORKER_NOT_READY")
    link.say("RETRIEVE_REQUEST", id=5, key=b"k")
    peer.accept()
    exporter = peer.connect(port)
    exporter.say("DATA_EXPORT_START", total=2)
    exporter.say("PEER_NOTIFY", key=b"late", value=b"new")
    exporter.say("DATA_ENTRY", key=b"k", value=b"v")
    exporter.say("DATA_ENTRY", key=b"late", value=b"old")
    assert link.silent(0.1)
    exporter.say("DATA_EXPORT_END")
    assert link.next("WORKER_READY").fields == dict(id=7, port=port)
    assert link.next("RETRIEVE_RESPONSE").value == b"v"
    assert link.retrieve(b"late").value == b"new"


def test_an_export_may_come_before_the_newcomer_knows_its_peers(stage, balancer):
    stage.worker(balancer, "--version", 1, identity=7)
    link = balancer.worker_raw()
    port = link.next("WORKER_READY").port
    peer = stage.fake_peer(2, 1)
    exporter = peer.connect(port)
    exporter.say_all(wire.Message("DATA_EXPORT_START", total=1),
                     wire.Message("DATA_ENTRY", key=b"k", value=b"v"),
                     wire.Message("DATA_EXPORT_END"))
    stage.until(lambda: link.retrieve(b"k").value == b"v", "the export is there")
    link.lists(dict(id=7, port=port), (2, peer.port))
    assert link.retrieve(b"k").value == b"v"
    assert "WORKER_NOT_READY" not in [m.name for m in link.heard]


@pytest.mark.parametrize("version", [1, 2])
def test_a_newcomer_of_version_1_gets_an_export_and_news(stage, balancer, version):
    stage.worker(balancer, "--version", version, identity=7)
    if version == 1:
        link = balancer.worker_raw()
        link.next("WORKER_READY")
        link.lists(dict(id=7, port=1))
        put = link.store
    else:
        link = balancer.lone_worker()

        def put(key, value):
            return link.do(wire.SET, key, value)
    for number in range(100):
        put(b"k%d" % number, b"v")
    peer = stage.fake_peer(2, 1)
    about = dict(id=2, port=peer.port)
    link.lists(about | (dict(exports=1) if version == 1 else dict(fills=1, speaks=1)))
    connection = peer.accept()
    put(b"k5", b"new")
    said = connection.take(103)
    assert said[0].name == "DATA_EXPORT_START" and said[0].total == 100
    entries = [m for m in said if m.name == "DATA_ENTRY"]
    assert {m.key for m in entries} == {b"k%d" % n for n in range(100)}
    assert len(entries) == 100
    assert [(m.key, m.value) for m in said if m.name == "PEER_NOTIFY"] == [(b"k5", b"new")]
    assert sum(m.name == "DATA_EXPORT_END" for m in said) == 1


def test_workers_of_version_1_fill_each_other(stage, balancer):
    links, ports = {}, {}
    for identity in (1, 2, 3):
        stage.worker(balancer, "--version", 1, identity=identity)
        link = balancer.worker_raw()
        ports[identity] = link.next("WORKER_READY").port
        link.lists(*ports.items())
        if identity > 1:
            link.next("WORKER_NOT_READY")
        for other in links:
            links[other].lists(dict(id=identity, port=ports[identity], exports=other == 1))
        links[identity] = link
        if identity > 1:
            link.next("WORKER_READY")
        assert link.store(b"k%d" % identity, b"v").result == wire.FINE
    for key in (b"k1", b"k2", b"k3"):
        for link in links.values():
            stage.until(lambda: link.retrieve(key).value == b"v", "all have all")


def test_a_peer_of_version_1_gets_what_it_understands(stage, balancer):
    peer = stage.fake_peer(2, 1)
    _, link, (connection,) = with_peers(stage, balancer, peer)
    assert link.do(wire.SET, b"k", b"v", flags=wire.ACK_ALL).result == wire.FINE
    link.do(wire.DELETE, b"k")
    link.do(wire.SET, b"t", b"v", expires=1 << 50)
    link.do(wire.SET, b"l", b"w")
    assert [m.key for m in connection.take(2, "PEER_NOTIFY")] == [b"k", b"l"]
    assert int(link.stats()["not_carried"]) == 2


# Bad input


BAD = {
    "an unknown type": wire.raw(99),
    "a length that lies": wire.raw(44, b"x"),
    "a message for clients": wire.pack("PUT", key=b"k", value=b"v"),
    "an answer": wire.pack("REPLY", tag=1),
    "HELLO again": wire.pack("HELLO", speaks=2, role=3, lanes=1, id=2, nonce=b"x" * 16),
    "REPLICATE of no kind": wire.pack("REPLICATE", seq=1, version=1, key=b"k"),
    "REPLICATE without a version": wire.pack("REPLICATE", seq=1, kind=1, key=b"k"),
    "REPLICATE backwards": wire.pack("REPLICATE", seq=5, kind=1, version=1, key=b"k")
                           + wire.pack("REPLICATE", seq=4, kind=1, version=1, key=b"k"),
    "a deletion with a value": wire.pack("REPLICATE", seq=1, kind=2, version=1, key=b"k",
                                         value=b"v"),
    "a key too long": wire.pack("REPLICATE", seq=1, kind=1, version=1, key=b"k" * 40000),
    "a key of nothing": wire.pack("REPLICATE", seq=1, kind=1, version=1),
    "a summary unasked": wire.pack("SYNC_SUMMARY", bucket=1, last=1),
    "summaries' end unasked": wire.pack("SYNC_SUMMARIES_END"),
    "an end unasked": wire.pack("SYNC_END"),
    "an ask": wire.pack("SYNC_ASK", how=1),
    "an acknowledgement": wire.pack("REPLICATED", seq=1),
    "the balancer's words": wire.pack("PEER", id=5, address=b"127.0.0.1", port=1),
    "SHUTDOWN": wire.pack("SHUTDOWN"),
    "a bucket beyond": wire.pack("SYNC_OFFER") + wire.pack("SYNC_SUMMARY", bucket=9999),
    "a summary that is cut": wire.pack("SYNC_SUMMARY", bucket=1, items=b"123"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_of_a_peer_ends_its_connection_alone(stage, balancer, bad):
    peer, other = stage.fake_peer(2), stage.fake_peer(3)
    worker, link, _ = with_peers(stage, balancer, peer, other)
    mine, good = (p.connect(worker.port_of_peers) for p in (peer, other))
    mine.send(bad)
    error = [m for m in read_all(mine) if m.name == "ERROR"]
    assert len(error) == 1 and error[0].message
    good.say("REPLICATE", seq=1, kind=1, version=1, key=b"fine", value=b"v")
    good.next("REPLICATED")
    assert link.value(b"fine") == b"v"
    assert int(link.stats()["bad_input"]) >= 1
    assert worker.logs("a peer's connection is lost")


def read_all(connection):
    said = []
    try:
        while True:
            said.append(connection.next())
    except Ended:
        return said


BAD_ANSWERS = {
    "an unknown type": wire.raw(99),
    "an acknowledgement of nothing": wire.pack("REPLICATED", seq=7),
    "SYNC_ASK without an offer": wire.pack("SYNC_ASK", how=1),
    "SYNC_WANT without a summary": wire.pack("SYNC_WANT", bucket=1, hashes=b"12345678"),
    "SYNC_WANTS_END alone": wire.pack("SYNC_WANTS_END"),
    "a write": wire.pack("REPLICATE", seq=1, kind=1, version=1, key=b"k"),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_bad_answers_of_a_peer_end_that_connection_and_it_is_tried_anew(stage, balancer, bad):
    peer = stage.fake_peer(2)
    _, link, (connection,) = with_peers(stage, balancer, peer)
    connection.send(bad)
    connection.is_refused(wire.PROTOCOL)
    link.do(wire.SET, b"k", b"v")
    again = peer.accept()
    assert {m.name for m in again.take(2)} == {"SYNC_OFFER", "REPLICATE"}


BAD_ORDERS = {
    "an unknown type": wire.raw(99),
    "a length that lies": wire.raw(42, b"x"),
    "a peer without an address": wire.pack("PEER", id=5, speaks=2, port=1),
    "a peer that is a name": wire.pack("PEER", id=5, speaks=2, address=b"example", port=1),
    "a peer without a port": wire.pack("PEER", id=5, speaks=2, address=b"127.0.0.1"),
    "a client's words": wire.pack("PUT", key=b"k", value=b"v"),
    "a peer's words": wire.pack("REPLICATE", seq=1, kind=1, version=1, key=b"k"),
    "HELLO again": wire.pack("HELLO", speaks=2, role=4, lanes=1, nonce=b"x" * 16),
}


@pytest.mark.parametrize("bad", BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_bad_input_of_the_balancer_is_refused_and_it_is_joined_anew(stage, balancer, bad):
    worker, link = one(stage, balancer)
    link.do(wire.SET, b"k", b"v")
    link.send(bad)
    link.is_refused(wire.PROTOCOL)
    assert balancer.lone_worker().value(b"k") == b"v"


def test_requests_with_bad_fields_are_answered_and_harm_nobody(stage, balancer):
    _, link = one(stage, balancer)
    assert link.do(wire.SET, b"").result == wire.INVALID_KEY
    assert link.do(wire.SET, b"k" * 40000).result == wire.INVALID_KEY
    assert link.do(wire.SET, b"k" * 32768, b"v" * 32000).result == wire.FINE
    assert link.do(77, b"k").result == wire.PROTOCOL
    assert link.store(b"", b"v").result == wire.INVALID_KEY
    assert link.retrieve(b"").result == wire.INVALID_KEY


def test_silent_visitors_are_bounded(stage, balancer):
    worker, link = one(stage, balancer)
    port = link.heard[-1].port
    for _ in range(300):
        stage.clients.append(Connection(dial(port)))
    assert link.do(wire.SET, b"k", b"v").result == wire.FINE
    assert worker.descriptors() < 300


def test_silent_visitors_do_not_keep_peers_out(stage, balancer):
    _, link = one(stage, balancer)
    port = link.heard[-1].port
    for _ in range(300):
        stage.clients.append(Connection(dial(port)))
    peer = stage.fake_peer(2, pool_key=balancer.pool_key)
    link.lists((2, peer.port))
    mine = peer.connect(port)       # has to wait for a place
    mine.say("REPLICATE", seq=1, kind=wire.KIND_SET, version=1, key=b"k", value=b"v")
    mine.next("REPLICATED")


def test_one_of_version_1_may_be_silent(stage, balancer):
    worker, link = one(stage, balancer)
    peer = stage.fake_peer(2, version=1)
    link.lists(dict(id=2, port=peer.port, speaks=1))
    mine = peer.connect(link.heard[-1].port)
    assert mine.silent(6)           # longer than others have for their HELLO
    mine.say("PEER_NOTIFY", key=b"k", value=b"v")
    stage.until(lambda: link.value(b"k") == b"v", "the write is there")


# The log


def test_a_log_that_nobody_reads_holds_up_no_request(stage, balancer, tmp_path):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, False)
    worker = subprocess.Popen(
        [KV_WORKER, "--balancer", f"127.0.0.1:{balancer.workers_port}", "--peers",
         f"127.0.0.1:{stage.port()}", "--data", tmp_path / "data"],
        stderr=writer, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    os.close(writer)
    try:
        link = balancer.lone_worker()

        def lost():
            for _ in range(20):
                worker.send_signal(signal.SIGUSR1)
                assert link.do(wire.SET, b"k", b"v").result == wire.FINE
            return int(link.stats()["log_lost"]) > 0

        stage.until(lost, "lines are lost, and counted")
        read = bytearray()

        def told():
            worker.send_signal(signal.SIGUSR1)
            assert link.value(b"k") == b"v"
            with contextlib.suppress(BlockingIOError):
                read.extend(os.read(reader, 1 << 20))
            return b"lines were lost, the log was full" in read

        stage.until(told, "it is said when it is over")
        worker.send_signal(signal.SIGTERM)
        os.set_blocking(reader, True)
        while piece := os.read(reader, 1 << 16):
            read.extend(piece)
        assert worker.wait(PATIENCE) == 0
        assert read.endswith(b" info stopped\n")
    finally:
        worker.kill()
        worker.wait()
        os.close(reader)
