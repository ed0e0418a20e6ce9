"""Clients of Redis at a port of the key-value mode: redis-cli, redis-benchmark, Python's
redis, and what they do not send, byte by byte. A stand-in for a worker of version 2 holds
the entries, so that it is seen what it was asked."""

import re
import subprocess
import time
from types import SimpleNamespace

import pytest
import redis

from harness import kv_wire as wire
from harness.client import RawClient
from harness.kv_connection import now_ms
from harness.patience import PATIENCE, until

VALUE_MAX = 1000


@pytest.fixture
def store(stage):
    """A balancer with a port for clients of Redis, and a worker that is ready."""
    balancer = stage.kv(redis=True, threads=1, pool=f"value-size {VALUE_MAX}")
    worker = stage.fake_worker(balancer, 1, 2)
    worker.listed()
    return SimpleNamespace(balancer=balancer, worker=worker, port=balancer.redis_port)


@pytest.fixture
def cli(store):
    """redis-cli with these words; what it prints."""
    def cli(*words, stdin=None):
        done = subprocess.run(["redis-cli", "-p", str(store.port), *words], input=stdin,
                              capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        return (done.stdout + done.stderr).rstrip("\n")
    return cli


@pytest.fixture
def library(store):
    """Python's client, which decodes nothing."""
    client = redis.Redis(port=store.port, socket_timeout=PATIENCE)
    yield client
    client.connection_pool.disconnect()


@pytest.fixture
def raw(stage, store):
    """Says exactly these bytes and hears exactly those."""
    client = RawClient(store.port)
    stage.clients.append(client)
    return client


def command(*words):
    """As a client sends it."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def line(client):
    """The next line of an answer, without its end."""
    return bytes(client.reader.until(b"\r\n", "in a line")[:-2])


# redis-cli


def test_redis_cli_sets_gets_and_deletes(cli):
    assert cli("PING") == "PONG"
    assert cli("SET", "k", "v") == "OK"
    assert cli("GET", "k") == "v"
    assert cli("EXISTS", "k", "nothing", "k") == "2"
    assert cli("DEL", "k", "nothing") == "1"
    assert cli("GET", "k") == ""
    assert cli("DBSIZE") == "0"


def test_redis_cli_with_a_prompt(cli):
    """Which asks for COMMAND first, to help with typing."""
    said = cli(stdin="SET k v\nGET k\nnonsense\n").splitlines()
    assert said[:2] == ["OK", "v"]
    assert said[2].startswith("ERR unknown command")


def test_redis_cli_pipes_a_mass_of_commands(cli, store):
    """--pipe ends with ECHO, by which it knows that all was answered."""
    mass = b"".join(command("SET", f"key:{i}", i) for i in range(2000)).decode()
    said = cli("--pipe", stdin=mass)
    assert "errors: 0, replies: 2000" in said
    assert len(store.worker.entries) == 2000


def test_redis_cli_shows_what_a_pool_says_of_itself(cli):
    until(lambda: re.search(r"^workers_ready:1\r?$", cli("INFO"), re.M), "it is ready")
    assert re.search(r"^# Server", cli("INFO"), re.M)


# redis-benchmark


def test_redis_benchmark_ends_without_an_error(store):
    done = subprocess.run(
        ["redis-benchmark", "-p", str(store.port), "-t", "ping,set,get,mset", "-n", "400",
         "-c", "20", "-P", "4", "-d", "64", "-r", "100", "--csv"],
        capture_output=True, text=True, timeout=6 * PATIENCE, check=False)
    assert done.returncode == 0, done
    said = done.stdout + done.stderr
    for name in ("PING_INLINE", "PING_MBULK", "SET", "GET", "MSET (10 keys)"):
        assert f'"{name}","' in done.stdout, said
    assert "rror" not in said.replace("WARNING: Could not fetch server CONFIG", ""), said


# Python's library


def test_the_library_stores_what_it_is_given(library):
    assert library.ping()
    assert library.set("k", "v") is True
    assert library.get("k") == b"v"
    assert library.get("nothing") is None
    assert library.exists("k") == 1
    assert library.delete("k") == 1
    assert library.delete("k") == 0


def test_many_keys_at_once(library, store):
    pairs = {f"key {i}": f"value {i}" for i in range(50)}
    assert library.mset(pairs)
    assert library.dbsize() == 50
    keys = [*pairs, "nothing", "key 0"]
    assert library.mget(keys) == [
        *(value.encode() for value in pairs.values()), None, b"value 0"]
    assert library.exists(*keys) == 51
    assert library.delete(*keys[:10], "nothing") == 10
    assert len(store.worker.entries) == 40


def test_set_only_where_there_is_none(library):
    assert library.set("k", "first", nx=True) is True
    assert library.set("k", "second", nx=True) is None
    assert library.get("k") == b"first"


def test_set_only_where_there_is_one(library):
    assert library.set("k", "first", xx=True) is None
    assert library.get("k") is None
    library.set("k", "first")
    assert library.set("k", "second", xx=True) is True
    assert library.get("k") == b"second"


def test_conditions_are_judged_by_the_worker(library, store):
    """Where all writes of a key pass; the balancer cannot know."""
    library.set("k", "v", nx=True)
    library.set("k", "v", xx=True)
    assert [request.flags & 3 for request in store.worker.requests] == [
        wire.IF_ABSENT, wire.IF_PRESENT]


@pytest.mark.parametrize("unit, factor", [("ex", 1000), ("px", 1)])
def test_set_with_a_time_to_end(library, store, unit, factor):
    before = now_ms()
    library.set("k", "v", **{unit: 100_000 // factor})
    request, = store.worker.requests
    assert before + 100_000 <= request.expires <= now_ms() + 100_000
    assert library.ttl("k") in (99, 100)
    assert 0 < library.pttl("k") <= 100_000


def test_what_has_ended_is_gone(library):
    library.set("k", "v", px=30)
    library.set("other", "v")
    until(lambda: library.get("k") is None, "its time is over")
    assert library.exists("k") == 0
    assert library.ttl("k") == -2
    assert library.ttl("other") == -1


def test_a_set_without_a_time_takes_it_away(library):
    library.set("k", "v", ex=100)
    library.set("k", "w")
    assert library.ttl("k") == -1


def test_expire_gives_a_time_to_what_is_there(library):
    library.set("k", "v")
    assert library.expire("k", 100) is True
    assert library.ttl("k") in (99, 100)
    assert library.get("k") == b"v"
    assert library.expire("nothing", 100) is False


def test_expire_in_the_past_deletes(library):
    """As Redis has it."""
    library.set("k", "v")
    assert library.expire("k", 0) is True
    assert library.get("k") is None
    library.set("k", "v")
    assert library.expire("k", -5) is True
    assert library.exists("k") == 0


def test_ttl_of_what_is_not_there(library):
    assert library.ttl("nothing") == -2
    assert library.pttl("nothing") == -2


@pytest.mark.parametrize("key, value", [
    (bytes(range(256)), bytes(range(256))), (b"\r\n", b"\r\n"), (b"\0", b""),
    (b"$5\r\nhello\r\n", b"*1\r\n$4\r\nPING\r\n"), (b"k" * 256, b"v" * VALUE_MAX)],
    ids=["every-byte", "line-ends", "nul", "like-the-protocol", "longest"])
def test_keys_and_values_are_any_bytes(library, key, value):
    library.set(key, value)
    assert library.get(key) == value
    assert library.mget([key, b"no" + key[:9]]) == [value, None]
    assert library.delete(key) == 1


def test_keys_and_values_over_the_limit(library):
    for words in [("SET", "k" * 257, "v"), ("GET", "k" * 257), ("SET", "k", "v" * 1001),
                  ("DEL", "fine", "k" * 257), ("MGET", "fine", "k" * 257),
                  ("SET", "", "v"), ("MSET", "fine", "v", "k", "v" * 1001)]:
        with pytest.raises(redis.ResponseError, match="key|value"):
            library.execute_command(*words)
    library.set("k", "v")
    assert library.get("k") == b"v"


def test_a_pipeline_of_many_commands_is_answered_in_order(library):
    pipeline = library.pipeline(transaction=False)
    expected, held = [], {}
    for i in range(1000):
        key = f"key {i % 37}"
        if i % 5 == 0:
            held[key] = b"%d" % i
            pipeline.set(key, i)
            expected.append(True)
        elif i % 5 == 1:
            pipeline.get(key)
            expected.append(held.get(key))
        elif i % 5 == 2:
            pipeline.exists(key, "nothing")
            expected.append(int(key in held))
        elif i % 5 == 3:
            pipeline.mget(key, "nothing")
            expected.append([held.get(key), None])
        elif i % 10 == 4:
            pipeline.delete(key)
            expected.append(int(held.pop(key, None) is not None))
        else:
            pipeline.echo(key)
            expected.append(key.encode())
    assert pipeline.execute() == expected


def test_answers_keep_their_order_though_the_worker_does_not(store, raw):
    store.worker.hold()
    raw.send(b"".join(command("GET", f"key {i}") + command("ECHO", i) for i in range(20)))
    store.worker.waits_for(20)
    assert raw.silent(0.02)
    store.worker.release(backwards=True)
    raw.receives(b"".join(b"$-1\r\n$%d\r\n%d\r\n" % (len(str(i)), i) for i in range(20)))


# What libraries ask when they connect


def test_a_connection_may_have_a_name(store):
    client = redis.Redis(port=store.port, client_name="somebody", db=0)
    assert client.ping()
    client.connection_pool.disconnect()


@pytest.mark.parametrize("said, heard", [
    (("PING",), b"+PONG\r\n"),
    (("ping",), b"+PONG\r\n"),
    (("PING", "hello"), b"$5\r\nhello\r\n"),
    (("ECHO", "hello"), b"$5\r\nhello\r\n"),
    (("SELECT", "0"), b"+OK\r\n"),
    (("CLIENT", "SETNAME", "me"), b"+OK\r\n"),
    (("client", "setname", "me"), b"+OK\r\n"),
    (("GET", "nothing"), b"$-1\r\n"),
    (("MGET", "nothing", "either"), b"*2\r\n$-1\r\n$-1\r\n"),
    (("SET", "k", "v"), b"+OK\r\n"),
    (("SET", "k", "v", "xx"), b"$-1\r\n"),
    (("MSET", "a", "1", "b", "2"), b"+OK\r\n"),
    (("DEL", "nothing"), b":0\r\n"),
    (("DBSIZE",), b":0\r\n"),
    (("TTL", "nothing"), b":-2\r\n"),
    (("COMMAND", "DOCS"), b"*0\r\n"),
], ids=lambda value: "-".join(value) if isinstance(value, tuple) else "")
def test_exact_answers(raw, said, heard):
    raw.send(command(*said))
    raw.receives(heard)


def test_config_get_save(raw):
    """redis-benchmark asks for it."""
    raw.send(command("CONFIG", "GET", "save"))
    raw.receives(b"*2\r\n$4\r\nsave\r\n$0\r\n\r\n")


def test_command_is_answered_by_a_list(library):
    assert isinstance(library.execute_command("COMMAND COUNT"), int)
    assert library.execute_command("COMMAND")


def test_hello_2_is_understood(library):
    answer = library.execute_command("HELLO", 2)
    facts = dict(zip(answer[::2], answer[1::2]))
    assert facts[b"proto"] == 2 and b"server" in facts


def test_hello_3_is_refused_in_the_words_that_libraries_know(raw):
    """They go on with version 2 then."""
    raw.send(command("HELLO", 3))
    assert line(raw).startswith(b"-NOPROTO ")
    raw.send(command("PING"))
    raw.receives(b"+PONG\r\n")


def test_quit_is_answered_and_ends_it(raw):
    raw.send(command("SET", "k", "v") + command("QUIT") + command("PING"))
    raw.receives(b"+OK\r\n+OK\r\n")
    raw.sees_the_end()


@pytest.mark.parametrize("said, heard", [
    (b"PING\r\n", b"+PONG\r\n"),
    (b"PING\n", b"+PONG\r\n"),
    (b"  SET   k  v \r\nGET k\r\n", b"+OK\r\n$1\r\nv\r\n"),
    (b"\r\n\r\nPING\r\n", b"+PONG\r\n"),
    (b"ECHO \"a b\"\r\n", b"$3\r\na b\r\n"),
], ids=["crlf", "lf", "blanks", "empty-lines", "quotes"])
def test_commands_in_line(raw, said, heard):
    raw.send(said)
    raw.receives(heard)


def test_a_command_in_pieces(raw):
    raw.send_bytewise(command("SET", "key", "value") + command("GET", "key"))
    raw.receives(b"+OK\r\n$5\r\nvalue\r\n")


# Refused, and the connection kept


@pytest.mark.parametrize("said, error", [
    (("NONSENSE",), "ERR unknown command"),
    (("LPUSH", "k", "v"), "ERR unknown command"),
    (("FLUSHALL",), "ERR unknown command"),
    (("SUBSCRIBE", "k"), "ERR unknown command"),
    (("GET",), "ERR wrong number of arguments for 'get' command"),
    (("GET", "a", "b"), "ERR wrong number of arguments for 'get' command"),
    (("SET", "k"), "ERR wrong number of arguments for 'set' command"),
    (("MSET", "a", "1", "b"), "ERR wrong number of arguments for 'mset' command"),
    (("DEL",), "ERR wrong number of arguments for 'del' command"),
    (("EXPIRE", "k"), "ERR wrong number of arguments for 'expire' command"),
    (("ECHO",), "ERR wrong number of arguments for 'echo' command"),
    (("SET", "k", "v", "NONSENSE"), "ERR syntax error"),
    (("SET", "k", "v", "EX"), "ERR syntax error"),
    (("SET", "k", "v", "NX", "XX"), "ERR syntax error"),
    (("SET", "k", "v", "EX", "1", "PX", "1"), "ERR syntax error"),
    (("SET", "k", "v", "EX", "soon"), "ERR value is not an integer or out of range"),
    (("SET", "k", "v", "EX", "1.5"), "ERR value is not an integer or out of range"),
    (("SET", "k", "v", "EX", "99999999999999999999"),
     "ERR value is not an integer or out of range"),
    (("SET", "k", "v", "EX", "0"), "ERR invalid expire time in 'set' command"),
    (("SET", "k", "v", "PX", "-1"), "ERR invalid expire time in 'set' command"),
    (("EXPIRE", "k", "soon"), "ERR value is not an integer or out of range"),
    (("SELECT", "1"), "ERR"),
    (("SELECT", "one"), "ERR"),
    (("SET", "k", "v", "KEEPTTL"), "ERR"),
    (("SET", "k", "v", "GET"), "ERR"),
    (("AUTH", "password"), "ERR"),
    (("MULTI",), "ERR unknown command"),
    (("EVAL", "return 1", "0"), "ERR unknown command"),
])
def test_what_is_refused(raw, store, said, error):
    raw.send(command(*said))
    answer = line(raw).decode()
    assert answer.startswith(f"-{error}"), answer
    assert not store.worker.requests
    raw.send(command("PING"))
    raw.receives(b"+PONG\r\n")


def test_keepttl_is_refused_by_its_name(raw):
    raw.send(command("SET", "k", "v", "KEEPTTL"))
    assert b"KEEPTTL" in line(raw)


# No Redis at all: told, and disconnected


@pytest.mark.parametrize("said", [
    b"*1\r\n+PING\r\n", b"*1\r\n$x\r\n", b"*1\r\n$-1\r\n", b"*x\r\n", b"*99999999\r\n",
    b"*-99999999999999999999\r\n", b"*1\r\n$99999999999\r\n", b"*1\r\n$4\r\nPINGxx",
    b"*1\r\n$4\rPING", b"a" * 100_000, b"\xff\xfe\xfd" * 30_000,
    b"\0" * 70_000], ids=[
    "no-bulk", "no-length", "null", "no-count", "many", "count-too-large", "long-bulk",
    "no-line-end", "half-a-line-end", "a-line-without-end", "garbage", "nuls"])
def test_what_is_no_command(raw, said):
    """What was right before it is answered, the rest is told of once."""
    raw.send(command("SET", "k", "v") + said)
    raw.receives(b"+OK\r\n")
    assert line(raw).startswith(b"-ERR Protocol error: ")
    raw.sees_the_end()


# Nobody there


def test_when_no_worker_is_there(stage):
    balancer = stage.kv(redis=True, threads=1, pool="queue 1024 wait 100ms")
    client = redis.Redis(port=balancer.redis_port, socket_timeout=PATIENCE)
    with pytest.raises(redis.ResponseError, match="no workers available"):
        client.get("k")
    assert client.ping()
    stage.fake_worker(balancer, 1, 2)
    assert client.set("k", "v")
    client.connection_pool.disconnect()


def test_a_worker_that_has_no_room(stage):
    balancer = stage.kv(redis=True, threads=1)
    stage.fake_worker(balancer, 1, 2, answer=lambda request, _: wire.pack(
        "REPLY", tag=request.tag, result=wire.MEMORY_FULL))
    client = redis.Redis(port=balancer.redis_port, socket_timeout=PATIENCE)
    with pytest.raises(redis.ResponseError, match="OOM|memory"):
        client.set("k", "v")
    client.connection_pool.disconnect()


def test_a_lost_worker_costs_no_answer(stage, store, raw):
    store.worker.hold()
    raw.send(b"".join(command("SET", f"key {i}", i)
                      + command("MGET", f"key {i}", "nothing") for i in range(10)))
    store.worker.waits_for(30)
    heir = stage.fake_worker(store.balancer, 2, 2)
    heir.listed()
    store.worker.die()
    raw.receives(b"".join(b"+OK\r\n*2\r\n$%d\r\n%d\r\n$-1\r\n" % (len(str(i)), i)
                          for i in range(10)))


def test_both_kinds_of_clients_see_the_same_entries(stage, store, library):
    client = stage.kv_client(store.balancer)
    client.put(b"k", b"v")
    assert library.get("k") == b"v"
    library.set("k", "w")
    assert client.get(b"k") == b"w"


def test_a_worker_of_version_1_keeps_redis_out_of_what_it_cannot_do(stage):
    """GET and SET go by version 1, too; DEL does not, and is answered clearly."""
    balancer = stage.kv(redis=True, threads=1)
    stage.fake_worker(balancer, 1, 1).listed()
    client = redis.Redis(port=balancer.redis_port, socket_timeout=PATIENCE)
    assert client.set("k", "v")
    assert client.get("k") == b"v"
    for words in (("DEL", "k"), ("SET", "k", "v", "EX", "10"), ("EXPIRE", "k", "10"),
                  ("TTL", "k"), ("EXISTS", "k"), ("DBSIZE",)):
        with pytest.raises(redis.ResponseError):
            client.execute_command(*words)
    assert client.get("k") == b"v"
    client.connection_pool.disconnect()


def test_stopping_ends_connections_in_peace(store, raw):
    raw.send(command("SET", "k", "v"))
    raw.receives(b"+OK\r\n")
    began = time.monotonic()
    assert store.balancer.terminate() == 0
    raw.sees_the_end()
    assert time.monotonic() - began < PATIENCE / 2
