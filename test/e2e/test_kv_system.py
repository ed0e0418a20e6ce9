"""The whole key-value system as one would run it: balancerd, several kv-workers, clients
under way, and whatever befalls them."""

import json
import signal
import subprocess

import pytest

from harness import kv_wire as wire
from harness.balancerctl import Control
from harness.kv_balancer import new_version
from harness.kv_client import KvClient, get, put
from harness.kv_load import KvLoad
from harness.kv_pool import Pool
from harness.kv_worker import READY
from harness.message import Ended
from harness.patience import PATIENCE, until
from harness.program import OUT


@pytest.fixture
def pool(stage):
    """So many workers that are ready, and their balancer."""
    return lambda count, *options, **settings: Pool(stage, count, options, **settings)


@pytest.fixture
def load(stage):
    def start(pool, **options):
        load = KvLoad(pool.balancer, **options)
        stage.clients.append(load)
        until(lambda: load.answers > 100 or load.wrong, "the load is under way")
        return load
    return start


def goes_on(load, answers=500):
    """Until so many more have been answered."""
    until_there = load.answers + answers
    until(lambda: load.answers >= until_there or load.wrong, "the load goes on")


def write_secret(directory, name, text):
    path = directory / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


# Joining and leaving, under load


def test_a_newcomer_is_filled_under_load(pool, load):
    """It gets what was there and what is written meanwhile, and nobody notices."""
    store = pool(1, threads=1)
    known = store.fill(5000)
    clients = load(store, known=known)
    store.add()
    goes_on(clients)
    clients.stop()
    assert store.agrees() == 5000 + len(clients.written)


def test_a_lost_worker_costs_no_request(pool, load):
    """Each request that it had not answered is answered by another, and what was
    acknowledged is there (acks all)."""
    store = pool(3, pool="acks all", threads=2)
    clients = load(store, fresh=True)
    for _ in range(2):
        goes_on(clients)
        store.kill(store.workers[0])
        goes_on(clients)
        store.add()
    clients.stop()
    store.agrees()
    for held in store.contents(list(clients.written)):
        assert {key: value for key, (_, value) in held.items()} == clients.written


def test_a_worker_that_is_stopped_leaves_in_peace(pool, load):
    store = pool(2)
    clients = load(store, known=store.fill(100))
    leaving = store.workers.pop()
    assert leaving.terminate() == 0
    goes_on(clients)
    clients.stop()


def test_the_last_worker_is_waited_for(pool):
    """A moment without any worker is no error: a request waits."""
    store = pool(1, pool="queue 1024 wait 10s")
    client = store.client()
    store.kill(store.workers[0])
    client.send(put(b"k", b"v").encode())
    assert client.silent(0.05)
    store.add()
    assert client.next("PUT_RESPONSE").result == wire.FINE
    assert client.get(b"k") == b"v"


# The balancer comes and goes


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
def test_workers_come_back_to_a_restarted_balancer(stage, pool, how):
    """By themselves, with all they hold, and with writes that are newer than before."""
    store = pool(3, pool="acks all")
    keys = store.fill(1000)
    before = store.balancer
    if how == signal.SIGKILL:
        before.kill()
    else:
        assert before.terminate() == 0
    store.balancer = stage.start(before.again())
    for worker in store.workers:
        worker.is_ready(2)
    assert store.agrees() == 1000
    client = store.client()
    client.say_all(*(put(key, b"newer") for key in keys[:100]), *map(get, keys))
    client.take(100, "PUT_RESPONSE")
    answers = client.take(1000, "GET_RESPONSE")
    assert [answer.value for answer in answers] == 100 * [b"newer"] + keys[100:]
    assert len(store.workers) == 3 and store.agrees() == 1000


def test_term_drains(pool, load):
    """Each client is answered what it asked, told goodbye, and then disconnected."""
    store = pool(2, threads=2)
    clients = [store.client() for _ in range(8)]
    for client in clients:
        client.say_all(*(put(b"%d" % number, b"v") for number in range(200)))
    for client in clients:
        client.next("PUT_RESPONSE")
    assert store.balancer.terminate() == 0
    for client in clients:
        answered = 1
        while (message := client.next("PUT_RESPONSE", "SHUTDOWN")).name != "SHUTDOWN":
            assert message.key == b"%d" % answered
            answered += 1
        client.sees_the_end()
        assert answered == 200


def test_reloads_in_a_row_under_load_change_nothing(pool, load):
    store = pool(2, threads=2)
    clients = load(store, known=store.fill(500))
    text = store.balancer.configuration.read_text()
    for _ in range(20):
        assert "reloaded" in store.balancer.reload(text)
    goes_on(clients)
    clients.stop()
    assert store.agrees() == 500 + len(clients.written)
    for worker in store.workers:
        assert worker.log.count(READY) == 1, "it registered again"


def test_a_reload_changes_limits_for_those_who_are_connected(pool):
    store = pool(1)
    client = store.client()
    assert refused(client, put(b"k", b"v" * 300)) == wire.INVALID_VALUE
    text = store.balancer.configuration.read_text()
    assert "reloaded" in store.balancer.reload(
        text.replace("pool store {", "pool store { value-size 1000;"))
    until(lambda: refused(client, put(b"k", b"v" * 300)) == wire.FINE, "it counts")
    assert client.get(b"k") == b"v" * 300


def refused(client, question):
    client.send(question.encode())
    answer = client.next("ERROR", "PUT_RESPONSE")
    return answer.code if answer.name == "ERROR" else answer.result


# Several loops


def test_workers_and_clients_of_different_loops_meet(pool):
    """The kernel spreads connections over loops; every client reaches every worker."""
    store = pool(3, threads=2, pool="acks all")
    clients = [store.client(1 + number % 2) for number in range(16)]
    for number, client in enumerate(clients):
        client.put(b"%d" % number, b"%d" % number)
    for client in clients:
        for number in range(16):
            assert client.get(b"%d" % number) == b"%d" % number
    assert store.agrees() == 16


def test_workers_with_several_loops(pool):
    store = pool(2, "--threads", "2", threads=2, pool="acks all")
    keys = store.fill(2000)
    store.add()
    assert store.agrees() == 2000
    for held in store.contents(keys):
        assert {key: value for key, (_, value) in held.items()} == {k: k for k in keys}


# Secrets


def test_who_knows_the_secret_joins(stage, pool):
    secret = write_secret(stage.directory, "secret", "hush")
    store = pool(2, "--secret", secret, secret=secret, pool="acks all")
    client = store.client()
    client.put(b"k", b"v")
    assert [client.get(b"k") for _ in range(4)] == 4 * [b"v"]
    assert store.agrees() == 1


@pytest.mark.parametrize("options", [[], ["--version", "1"], ["--secret"]],
                         ids=["without", "version-1", "another"])
def test_who_does_not_know_it_is_turned_away(stage, pool, options):
    """And both sides say why."""
    secret = write_secret(stage.directory, "secret", "hush")
    if options == ["--secret"]:
        options = ["--secret", write_secret(stage.directory, "other", "hash")]
    store = pool(1, "--secret", secret, secret=secret)
    stranger = stage.worker(store.balancer, *options, identity=99)
    stranger.logs("secret|authori")
    store.balancer.logs("secret|authori")
    client = store.client(2)
    client.put(b"k", b"v")
    assert client.ask(wire.STATS, b"99").result == wire.NOT_FOUND


# Acknowledgements


@pytest.mark.parametrize("acks, waits", [("none", False), ("one", False), ("all", True)])
def test_acks_say_when_a_write_is_answered(stage, pool, acks, waits):
    """Two workers, and a third one that has joined, but acknowledges nothing: with `all`
    a write waits for it, until it is gone."""
    store = pool(2, pool=f"acks {acks}", threads=1)
    silent = stage.fake_worker(store.balancer, 50, 2)
    lines = [silent.peer.accept() for _ in store.workers]
    until(lambda: silent_counts(store, silent), "it counts as ready")
    client = store.client(2)
    keys = [b"%d" % number for number in range(40)]
    for key in keys:
        client.send(client.op(wire.SET, key, b"v"))
    if waits:
        assert len(replies_within(client, 0.3)) < 40
        silent.die()
    until(lambda: len(replies_within(client, 0.05)) == 40, "all are answered")
    assert all(reply.result == wire.FINE for reply in replies_within(client, 0))
    for line in lines:
        line.close()


def silent_counts(store, silent):
    """Whether it is asked."""
    client = KvClient(store.port)
    client.get(b"k")
    client.close()
    return silent.requests


def replies_within(client, seconds):
    """What it has been answered so far, once nothing more has come for so long."""
    while client.fill_within(seconds):
        pass
    while client.parse():
        pass
    return [message for message in client.heard if message.name == "REPLY"]


@pytest.mark.parametrize("verb", [wire.SET, wire.DELETE, wire.EXPIRE],
                         ids=["set", "delete", "expire"])
def test_a_write_that_was_overtaken_is_answered_no_sooner(stage, verb):
    """Two loops of the balancer may send writes in another order than that of their
    versions. The earlier one is done as soon as the later one is, but that has to have
    reached the peers before anybody may rely on it."""
    balancer = stage.fake_balancer()
    peer = stage.fake_peer(2)
    stage.worker(balancer, identity=1)
    link = balancer.lone_worker()
    peer.about["pool_key"] = balancer.pool_key
    link.lists((2, peer.port))
    line = peer.accept()
    early = new_version()
    late = early + 256
    link.ask(wire.SET, b"k", b"late", version=late, flags=wire.ACK_ALL)
    link.ask(verb, b"k", b"early" if verb == wire.SET else b"", version=early,
             flags=wire.ACK_ALL, expires=1 << 50 if verb == wire.EXPIRE else 0)
    said = line.next_of("REPLICATE")
    assert said.version == late
    assert link.silent(0.1), "answered before the peer has anything"
    line.say("REPLICATED", seq=said.seq)
    link.next("REPLY")
    if link.silent(0.1):    # the other one may be told to the peer as well, or the same again
        line.say("REPLICATED", seq=line.next_of("REPLICATE").seq)
    assert link.next("REPLY").result == wire.FINE
    assert link.value(b"k") == b"late"


def test_a_lone_worker_needs_no_acknowledgement(pool):
    store = pool(1, pool="acks all")
    store.client().put(b"k", b"v")


# Deletions and times to end


def test_what_is_deleted_stays_so(pool):
    """On all workers, on those that come later, and for writes that come late."""
    store = pool(2, pool="acks all")
    client = store.client(2)
    keys = store.fill(100)
    for key in keys[:50]:
        client.done(wire.DELETE, key)
    store.add()
    assert store.agrees() == 50
    for _ in range(3):
        assert [client.get(key) for key in keys] == 50 * [None] + keys[50:]
    assert client.ask(wire.DELETE, keys[0]).result == wire.NOT_FOUND


def test_what_has_ended_is_gone_everywhere(pool):
    store = pool(2, pool="acks all")
    client = store.client(2)
    client.done(wire.SET, b"short", b"v", wire.RELATIVE, 50)
    client.done(wire.SET, b"long", b"v", wire.RELATIVE, 100_000)
    store.add()
    until(lambda: all(client.get(b"short") is None for _ in range(6)), "it is gone")
    assert [client.get(b"long") for _ in range(6)] == 6 * [b"v"]


def test_conditions_hold_among_all_clients(stage, pool):
    """Of many who set a key that is not there, one succeeds."""
    store = pool(3, threads=2, pool="acks all")
    clients = [store.client(2) for _ in range(10)]
    for number in range(20):
        for client in clients:
            client.send(client.op(wire.SET, b"%d" % number, b"v", wire.IF_ABSENT))
        results = [client.next("REPLY").result for client in clients]
        assert sorted(results) == [wire.FINE] + 9 * [wire.NOT_MET]


# Both versions in one pool


@pytest.mark.parametrize("versions", [(2, 1), (1, 2), (1, 1), (1, 2, 2), (2, 1, 1)],
                         ids=lambda versions: "".join(map(str, versions)))
def test_workers_of_both_versions_fill_and_tell_each_other(pool, versions):
    store = pool(0, threads=1)
    keys = None
    for version in versions:
        store.add("--version", str(version))
        keys = keys or store.fill(300)
    client = store.client()
    for turn in range(3):
        for key in keys[:20]:
            client.put(key, b"%d" % turn)
    until(lambda: all(client.get(key) == b"2" for key in keys[:20] for _ in versions),
          "overwrites have reached everybody")
    for _ in versions:
        client.say_all(*map(get, keys[20:]))
        answers = client.take(280, "GET_RESPONSE")
        assert [answer.value for answer in answers] == keys[20:]


def test_clients_of_version_1_see_what_version_2_wrote(pool):
    store = pool(2, pool="acks all")
    old, new = store.client(1), store.client(2)
    new.done(wire.SET, b"k", b"v")
    assert [old.get(b"k") for _ in range(2)] == 2 * [b"v"]
    old.put(b"k", b"w")
    assert new.done(wire.GET, b"k").value == b"w"
    new.done(wire.DELETE, b"k")
    assert [old.get(b"k") for _ in range(2)] == 2 * [None]


# Memory, and what is kept


def test_a_worker_without_room_says_so_and_serves_on(pool):
    store = pool(1, "--memory-max", "1m", pool="value-size 60000")
    client = store.client(2)
    fine, value = 0, b"v" * 50_000
    while (reply := client.ask(wire.SET, b"%d" % fine, value)).result == wire.FINE:
        fine += 1
        assert fine < 100
    assert reply.result == wire.MEMORY_FULL
    assert fine > 2
    assert client.done(wire.GET, b"0").value == b"v" * 50_000
    client.done(wire.DELETE, b"0")


def test_a_pool_that_was_all_off_has_its_data_again(stage, pool):
    """Workers keep it in their folders."""
    store = pool(0)
    for number in range(2):
        store.add(data=stage.directory / f"data-{number}")
    keys = store.fill(500)
    store.client(2).done(wire.DELETE, keys[0])
    store.agrees()
    for worker in store.workers:
        assert worker.terminate() == 0
    store.workers = [stage.worker_again(worker) for worker in store.workers]
    for worker in store.workers:
        worker.is_ready(2)
    assert store.agrees() == 499
    client = store.client()
    for _ in range(2):
        client.say_all(*map(get, keys))
        answers = client.take(500, "GET_RESPONSE")
        assert [answer.value for answer in answers] == [b""] + keys[1:]


# What an operator sees and does


def test_balancerctl_shows_the_workers(pool):
    store = pool(3)
    ctl = Control(store.balancer.socket_path)
    shown = ctl("list")
    assert shown.code == 0, shown
    for worker in store.workers:
        assert f"127.0.0.1:{worker.peer_port}" in shown.out, shown
    servers = json.loads(ctl("--json", "list").out)
    assert str(store.workers[0].peer_port) in json.dumps(servers)
    assert "store" in ctl("status").out
    store.kill(store.workers[0])
    until(lambda: str(store.workers[0].peer_port) in ctl("list").out, "it is listed")


def test_a_drained_worker_is_not_asked_until_it_is_enabled(stage, pool, load):
    store = pool(2)
    clients = load(store, known=store.fill(200))
    ctl = Control(store.balancer.socket_path)
    worker = store.workers[0]
    assert ctl("drain", "127.0.0.1", worker.peer_port).code == 0
    until(lambda: stays(clients, store, worker), "it is not asked any more")
    assert ctl("enable", "127.0.0.1", worker.peer_port).code == 0
    until(lambda: not stays(clients, store, worker), "it is asked again")
    clients.stop()
    assert store.agrees() == 200 + len(clients.written)


def stays(load, store, worker):
    """Whether it answers nobody while others are answered much."""
    client = KvClient(store.port, 2)
    before = client.stats(worker.id)
    goes_on(load, 200)
    after = client.stats(worker.id)
    client.close()
    return before["gets"] == after["gets"]


# kv-client


def kv_client(store, *words, stdin=None):
    return subprocess.run([OUT / "kv-client", "--balancer", f"127.0.0.1:{store.port}",
                           *words], input=stdin, capture_output=True, text=True,
                          timeout=3 * PATIENCE, check=False)


def test_kv_client_puts_gets_and_deletes(pool):
    store = pool(1)
    assert kv_client(store, "put", "k", "v").returncode == 0
    assert kv_client(store, "get", "k").stdout == "v\n"
    assert kv_client(store, "del", "k").returncode == 0
    assert kv_client(store, "get", "k").returncode != 0


def test_kv_client_verifies_all_it_reads_while_workers_come_and_go(stage, pool):
    store = pool(2, pool="acks all", threads=2)
    running = stage.aside(kv_client, store, "load", "--time", "3s", "--connections", "20",
                          "--pipeline", "4", "--verify")
    while not running.done():
        store.add()
        store.kill(store.workers[0])
    done = running.result()
    assert done.returncode == 0, done


# The quick form


def test_the_quick_form_serves(stage):
    balancer = stage.quick_kv()
    worker = stage.worker(balancer)
    worker.is_ready()
    client = stage.kv_client(balancer)
    client.put(b"k", b"v")
    assert client.get(b"k") == b"v"
    with pytest.raises(Ended):
        balancer.terminate()
        client.next("SHUTDOWN")
        client.next()
