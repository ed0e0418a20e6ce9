"""kv-client with the real balancer and real workers."""

import json
import signal

import pytest

from harness.kv_program import KvProgram, ended
from harness.patience import until


@pytest.fixture
def pool(stage):
    balancer = stage.kv()
    for identity in (1, 2, 3):
        stage.worker(balancer, identity=identity).is_ready()
    return balancer


@pytest.fixture
def client(pool, tmp_path):
    return KvProgram(pool.port, tmp_path)


def test_all_commands(client):
    assert client("put", "a", "b c").worked() == b"ok\n"
    assert client("get", "a").worked() == b"b c\n"
    assert client("ttl", "a").worked() == b"never\n"
    assert client("expire", "a", "1h").worked() == b"ok\n"
    assert 3_000_000 < int(client("ttl", "a").worked()[:-3]) <= 3_600_000
    assert client("get", "a").worked() == b"b c\n"
    assert client("count").worked() == b"1\n"
    assert client("put", "a", "d", "if-absent").failed() == \
        "put: not written: the key is there already"
    client("put", "a", "d", "if-present", "ttl", "1h").worked()
    assert client("del", "a").worked() == b"ok\n"
    assert client("del", "a").failed() == "del: key not found"
    assert client("put", "a", "e", "if-present").failed() == \
        "put: not written: there is no such key"
    assert client("get", "a").failed() == "get: key not found"
    assert b"ready 3\n" in client("stats").worked()
    assert b"entries " in client("stats", "2").worked()


def test_version_1(client):
    client("--version", "1", "put", "a", "b").worked()
    until(lambda: client("--version", "1", "get", "a").code == 0, "all workers have it")
    assert client("--version", "1", "get", "b").failed() == "get: key not found"


def test_a_time_ends_a_key(client):
    client("put", "a", "b", "ttl", "50ms").worked()
    until(lambda: client("get", "a").code == 1, "the key has ended")


@pytest.mark.parametrize("version", [1, 2])
def test_a_mixed_load_reads_what_was_written(client, version):
    done = client.load("--version", version, "--count", 20000, "--keys", 500,
                       "--connections", 20, "--pipeline", 8, "--value-size", "8-256",
                       "--verify")
    assert done.code == 0 and done.complaints == [], done
    figures = done.figures
    assert figures["operations"] == 20000 and figures["errors"] == figures["lost"] == {}
    assert figures["right"] > 5000


def test_a_single_worker_reads_what_was_written_strictly(stage, tmp_path):
    balancer = stage.kv()
    stage.worker(balancer).is_ready()
    done = KvProgram(balancer.port, tmp_path).load(
        "--count", 20000, "--keys", 500, "--connections", 20, "--pipeline", 8, "--verify",
        "strict")
    assert done.code == 0 and done.figures["wrong"] == 0, done
    assert done.figures["right"] > 5000


def test_what_was_filled_is_all_there(client):
    load = ["--keys", 3000, "--count", 3000, "--pipeline", 16, "--connections", 4]
    assert client.load("--reads", "0%", *load).code == 0
    def complete():
        done = client.load("--reads", "100%", "--verify", *load)
        assert done.code == 0, done
        return done.figures["right"] == 3000
    until(complete, "every worker has all of it")
    assert client("count").worked() == b"3000\n"


def test_thousands_of_connections(client):
    done = client.load("--connections", 2000, "--count", 10000)
    assert done.code == 0 and done.figures["operations"] == 10000, done
    assert done.figures["lost"] == {}


def test_a_load_goes_on_over_a_restart_of_the_balancer(stage, pool, client):
    process = client.start("load", "--json", "--time", "1h", "--connections", "5",
                           "--keys", "5", "--verify")
    until(lambda: int(client("count").out) == 5, "it runs")
    assert pool.terminate() == 0
    stage.start(pool.again()).wait_until_it_accepts()

    def value():
        return client("--timeout", "300ms", "get", "0000000000000003")
    until(lambda: value().code == 0, "workers are back")
    before = value().out
    until(lambda: value().out != before, "it writes again")
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 0 and done.figures["reconnected"] >= 1, done
    assert done.figures["wrong"] == 0 and done.figures["lost"]["stopped"] == 5


def test_a_lost_worker_costs_no_answer(stage, client):
    process = client.start("load", "--json", "--time", "1h", "--connections", "20",
                           "--pipeline", "4", "--keys", "200", "--verify")
    until(lambda: int(client("count").out) == 200, "it runs")
    stage.workers[1].kill()
    until(lambda: b"ready 2\n" in client("stats").out, "the balancer has noticed")
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 0 and done.complaints == [], done
    figures = done.figures
    assert figures["unanswered"] == figures["wrong"] == 0
    assert figures["errors"] == figures["lost"] == {}


def test_a_history_of_a_single_worker_is_linear(stage, tmp_path):
    """Of each key, versions of writes grow with their ids, since one connection writes
    them, and a read between two answered writes sees what they left."""
    balancer = stage.kv()
    stage.worker(balancer).is_ready()
    path = tmp_path / "history"
    done = KvProgram(balancer.port, tmp_path).load(
        "--count", 5000, "--keys", 50, "--connections", 10, "--pipeline", 4, "--verify",
        "strict", "--history", path)
    assert done.code == 0, done
    history = [json.loads(line) for line in path.read_text().splitlines()]
    writes = {}
    for one in history:
        if one["op"] == "put":
            writes.setdefault(one["key"], {})[one["value"]] = one["version"]
    for versions in writes.values():
        ordered = [versions[number] for number in sorted(versions)]
        assert ordered == sorted(set(ordered)) and sorted(versions)[0] == 1
    reads = [one for one in history if one["op"] == "get" and one["result"] == "ok"]
    assert len(reads) > 1000
    for one in reads:
        assert writes[one["key"]][one["value"]] == one["version"]


def test_with_acks_all_every_worker_has_what_was_answered(stage, tmp_path):
    balancer = stage.kv(pool="acks all")
    for identity in (1, 2, 3):
        stage.worker(balancer, identity=identity).is_ready()
    done = KvProgram(balancer.port, tmp_path).load(
        "--count", 20000, "--keys", 200, "--connections", 20, "--pipeline", 4, "--verify",
        "strict")
    assert done.code == 0 and done.figures["wrong"] == 0, done
    assert done.figures["right"] > 5000 and done.figures["errors"] == {}
