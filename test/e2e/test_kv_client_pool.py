"""kv-client with the real balancer and real workers."""

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
                       "--connections", 20, "--pipeline", 8, "--value-size", "8-300",
                       "--verify")
    assert done.code == 0 and done.err == "", done
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
                           "--verify")
    until(lambda: b"requests" in client("stats").out, "it runs")
    assert pool.terminate() == 0
    again = stage.start(pool.again())
    again.wait_until_it_accepts()
    client_again = KvProgram(pool.port, client.state.parent)
    until(lambda: client_again("--timeout", "300ms", "put", "a", "1").code == 0,
          "workers are back")
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 0 and done.figures["reconnected"] >= 5, done
    assert done.figures["wrong"] == 0
