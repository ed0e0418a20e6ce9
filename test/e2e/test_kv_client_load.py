"""kv-client loads: what it writes, what it verifies, and how it counts what goes wrong."""

import json
import signal
import threading
from collections import Counter

import pexpect
import pytest

from harness import kv_wire as wire
from harness.kv_balancer import honest
from harness.kv_entries import Entries
from harness.kv_program import KV_CLIENT, KvProgram, ended
from harness.patience import PATIENCE, until


@pytest.fixture
def balancer(stage):
    return stage.fake_balancer()


@pytest.fixture
def client(balancer, tmp_path):
    return KvProgram(balancer.port, tmp_path)


@pytest.fixture
def entries(balancer):
    return balancer.serve_clients()


def numbered(count, size=16):
    return {b"%0*d" % (size, number) for number in range(count)}


class Counting:
    """Leaves answers to the entries, but for what `but(number, op, link)` says about the
    nth operation."""

    def __init__(self, but):
        self.but, self.lock, self.count = but, threading.Lock(), 0

    def __call__(self, op, link):
        with self.lock:
            self.count += 1
            number = self.count
        return self.but(number, op, link)


# What is written and read


def test_it_fills_all_keys_and_reads_them_back(client, entries):
    filled = client.load("--reads", "0%", "--keys", 500, "--count", 500,
                         "--value-size", "8-200", "--connections", 7, "--pipeline", 3)
    assert filled.code == 0 and filled.complaints == []
    assert filled.figures["put"]["answers"] == filled.figures["operations"] == 500
    assert filled.figures["get"]["answers"] == 0
    pairs = entries.pairs()
    assert set(pairs) == numbered(500)
    sizes = {len(value) for value in pairs.values()}
    assert min(sizes) >= 8 and max(sizes) <= 200 and len(sizes) > 50
    assert len(set(pairs.values())) == 500

    read = client.load("--reads", "100%", "--keys", 500, "--count", 500, "--verify",
                       "--value-size", "8-200", "--connections", 7)
    assert read.code == 0
    assert (read.figures["right"], read.figures["wrong"]) == (500, 0)
    assert read.figures["missing"] == 0

    other = client.load("--reads", "100%", "--keys", 500, "--count", 500, "--verify",
                        "--value-size", "8-200", "--seed", 2)
    assert other.code == 1 and other.figures["verdicts"] == {"foreign": 500}


def test_the_same_seed_writes_the_same(client, balancer):
    first, second, third = Entries(), Entries(), Entries()
    for entries, seed in (first, 5), (second, 5), (third, 6):
        balancer.serve_clients(entries=entries)
        client.load("--count", 300, "--connections", 1, "--keys", 50, "--seed", seed)
        balancer.stop_listening()
        balancer.listen_again()
    assert first.pairs() == second.pairs() != third.pairs()


@pytest.mark.parametrize("how", [[], ["--verify"], ["--verify", "strict"]])
def test_an_honest_balancer_is_found_honest(client, entries, how):
    done = client.load("--count", 3000, "--keys", 40, "--connections", 8, "--pipeline", 8,
                       *how)
    assert done.code == 0 and done.complaints == [], done
    figures = done.figures
    assert figures["operations"] == 3000 and figures["wrong"] == 0
    assert figures["put"]["answers"] + figures["get"]["answers"] == 3000
    assert 1200 < figures["get"]["answers"] < 1800
    assert figures["right"] == (figures["get"]["answers"] - figures["missing"] if how else 0)
    assert figures["errors"] == figures["lost"] == figures["verdicts"] == {}
    assert figures["version"] == 2


def test_key_and_value_sizes_are_those_asked_for(client, entries):
    client.load("--reads", "0%", "--count", 3, "--keys", 3, "--key-size", 300,
                "--value-size", 5).figures
    assert set(entries.pairs()) == numbered(3, 300)
    assert {len(value) for value in entries.pairs().values()} == {5}


def test_requests_are_pipelined_as_deep_as_asked(balancer, client):
    process = client.start("load", "--json", "--connections", "1", "--pipeline", "7",
                           "--count", "17", "--verify", "strict", "--keys", "5")
    link = balancer.client()
    entries = Entries()
    taken = 0
    while taken < 17:
        ops = link.take(min(7, 17 - taken), "OP")     # none of them is answered yet
        taken += len(ops)
        if taken < 17:
            assert link.silent(0.02), "more than 7 requests wait"
        answers = [honest(op, entries) for op in ops]
        link.send(b"".join(reversed(answers)))        # and in another order
    done = ended(process)
    assert done.code == 0 and done.figures["operations"] == 17, done


def test_a_rate_is_not_exceeded(client, entries):
    done = client.load("--rate", 100, "--count", 51, "--connections", 5)
    assert done.figures["operations"] == 51
    assert done.figures["seconds"] >= 0.49     # the 51st is due half a second after the first


def test_late_requests_of_a_rate_count_from_when_they_were_due(balancer, client):
    """One answer is held back for so long that others become due meanwhile: their times
    begin there, or the load would hide what it waited for."""
    release = threading.Event()

    def hold(number, op, link):
        if number == 1:
            release.wait(0.3)
        return None
    balancer.serve_clients(Counting(hold))
    done = client.load("--rate", 100, "--count", 20, "--connections", 1, "--reads", "0%")
    assert done.figures["put"]["p50_us"] > 50_000


def test_it_ends_when_its_time_is_over(client, entries):
    done = client.load("--time", "300ms", "--connections", 3)
    assert done.code == 0 and done.figures["operations"] > 0
    assert done.figures["seconds"] >= 0.299


def test_version_1_is_loaded_too(client, entries):
    done = client.load("--version", 1, "--count", 1000, "--verify", "strict",
                       "--pipeline", 4, "--connections", 5)
    assert done.code == 0 and done.figures["version"] == 1, done
    assert done.figures["operations"] == 1000 and done.figures["right"] > 0


# What is wrong is found


def test_a_changed_byte_is_found(balancer, client):
    entries = Entries()

    def lie(number, op, link):
        if op.verb != wire.GET or entries[op.key] is None or number % 10:
            return None
        value = bytearray(entries[op.key])
        value[number % len(value)] ^= 1
        return wire.pack("REPLY", tag=op.tag, value=bytes(value))
    balancer.serve_clients(Counting(lie), entries)
    done = client.load("--count", 2000, "--keys", 20, "--verify")
    assert done.code == 1 and set(done.figures["verdicts"]) == {"foreign"}
    wrong = done.figures["wrong"]
    assert wrong == done.figures["verdicts"]["foreign"] > 0
    lines = done.err.splitlines()
    assert len(lines) == min(wrong, 10)
    assert lines[0].startswith("kv-client: wrong value for key 00000000000000")
    assert lines[0].endswith(": it was never written for this key")


def test_the_value_of_another_key_is_found(balancer, client):
    entries = Entries()

    def lie(op, link):
        if op.verb != wire.GET:
            return None
        return wire.pack("REPLY", tag=op.tag, value=entries[b"%016d" % 0] or b"")
    balancer.serve_clients(lie, entries)
    client.load("--reads", "0%", "--count", 10, "--keys", 10)
    done = client.load("--reads", "100%", "--count", 10, "--keys", 10, "--verify")
    assert done.code == 1 and done.figures["verdicts"] == {"foreign": 9}
    assert done.figures["right"] == 1


def old_values(entries):
    """Of each key the first value that it ever had."""
    first = {}

    def answer(op, link):
        if op.verb == wire.SET:
            first.setdefault(op.key, op.value)
        elif op.verb == wire.GET and op.key in first:
            return wire.pack("REPLY", tag=op.tag, value=first[op.key])
        return None
    return answer


def test_an_old_value_is_found_strictly(balancer, client):
    entries = Entries()
    balancer.serve_clients(old_values(entries), entries)
    load = ["--count", 500, "--keys", 10, "--connections", 2]
    done = client.load(*load, "--verify")
    assert done.code == 0 and done.figures["wrong"] == 0
    balancer.stop_listening()
    balancer.listen_again()
    entries = Entries()
    balancer.serve_clients(old_values(entries), entries)
    done = client.load(*load, "--verify", "strict")
    assert done.code == 1 and set(done.figures["verdicts"]) == {"stale"}
    assert "number 1, though number " in done.err


def test_a_vanished_value_is_found_strictly(balancer, client):
    def forget(op, link):
        if op.verb == wire.GET:
            return wire.pack("REPLY", tag=op.tag, result=wire.NOT_FOUND)
        return None
    balancer.serve_clients(forget)
    done = client.load("--count", 300, "--keys", 10, "--connections", 2, "--verify")
    assert done.code == 0 and done.figures["missing"] == done.figures["get"]["answers"] > 0
    done = client.load("--count", 300, "--keys", 10, "--connections", 2, "--verify", "strict")
    assert done.code == 1 and set(done.figures["verdicts"]) == {"vanished"}


def test_a_value_from_the_future_is_found_strictly(balancer, client, tmp_path):
    """A run with the same seed has written more than this one."""
    entries = balancer.serve_clients()
    client.load("--reads", "0%", "--count", 500, "--keys", 10)
    future = dict(entries.pairs())
    balancer.stop_listening()
    balancer.listen_again()

    def lie(op, link):
        if op.verb == wire.GET:
            return wire.pack("REPLY", tag=op.tag, value=future[op.key])
        return None
    balancer.serve_clients(lie)
    done = client.load("--count", 60, "--keys", 10, "--connections", 1, "--verify", "strict")
    assert done.code == 1 and set(done.figures["verdicts"]) == {"unwritten"}


# What goes wrong is counted


def test_a_lost_connection_is_made_again(balancer, client):
    def lose(number, op, link):
        if number % 100:
            return None
        link.wake()
        return b""
    balancer.serve_clients(Counting(lose))
    done = client.load("--count", 1000, "--connections", 3, "--pipeline", 4, "--verify",
                       "strict")
    figures = done.figures
    assert done.code == 0 and figures["wrong"] == 0, done
    assert figures["operations"] + figures["unanswered"] == 1000
    assert figures["unanswered"] >= 9
    assert figures["lost"]["closed"] >= figures["reconnected"] >= 5


@pytest.mark.parametrize("how", [[], ["--rate", "5000"]])
def test_a_balancer_that_stops_loses_nothing(balancer, client, how):
    """After SHUTDOWN nothing is asked on that connection; what waits is answered."""
    def stop(number, op, link):
        if number % 100 == 0:
            link.say("SHUTDOWN")
        return None
    balancer.serve_clients(Counting(stop))
    done = client.load("--count", 1000, "--connections", 3, *how)
    assert done.code == 0 and done.figures["operations"] == 1000, done
    assert done.figures["unanswered"] == 0 and set(done.figures["lost"]) == {"stopped"}


def test_a_silent_connection_is_given_up(balancer, client):
    def silent(number, op, link):
        return b"" if number == 50 else None
    balancer.serve_clients(Counting(silent))
    done = client.load("--timeout", "200ms", "--count", 200, "--connections", 2)
    assert done.code == 0, done
    assert done.figures["lost"] == {"silent": 1}
    assert done.figures["unanswered"] == 1 and done.figures["operations"] == 199


def test_errors_are_counted_by_kind(balancer, client):
    def fail(number, op, link):
        if number % 10 == 0:
            return wire.pack("REPLY", tag=op.tag, result=wire.BUSY, value=b"no workers")
        if number % 10 == 1:
            return wire.pack("ERROR", code=wire.MEMORY_FULL, message=b"memory is full")
        return None
    balancer.serve_clients(Counting(fail))
    done = client.load("--count", 1000, "--pipeline", 5)
    assert done.code == 0
    assert done.figures["errors"] == {"server busy": 100, "memory full": 100}
    assert done.figures["put"]["answers"] + done.figures["get"]["answers"] == 800


def test_nothing_but_errors_is_a_failure(balancer, client):
    balancer.serve_clients(
        lambda op, link: wire.pack("REPLY", tag=op.tag, result=wire.BUSY))
    done = client.load("--count", 10)
    assert done.code == 1 and done.err == "kv-client: no operation worked\n"
    assert done.figures["errors"] == {"server busy": 10}


def test_nonsense_ends_a_connection(balancer, client):
    def nonsense(number, op, link):
        return wire.raw(99, b"x") if number == 50 else None
    balancer.serve_clients(Counting(nonsense))
    done = client.load("--count", 200, "--connections", 2)
    assert done.figures["lost"] == {"malformed": 1} and done.figures["unanswered"] == 1


def test_no_balancer_at_the_start_is_an_error(stage, tmp_path):
    port = stage.port()
    assert KvProgram(port, tmp_path)("load", "--count", 5).failed() == \
        f"no balancer at 127.0.0.1:{port}: connection refused; start one with: balancerd kv"


def test_a_balancer_that_stays_away_is_given_up(balancer, client):
    def leaves(number, op, link):
        if number < 20:
            return None
        balancer.stop_listening()
        for each in list(balancer.links):
            each.wake()
        return b""
    balancer.serve_clients(Counting(leaves))
    done = client.load("--timeout", "300ms", "--time", "1h", "--connections", 2)
    assert done.code == 1, done
    assert 0 < done.figures["operations"] < 25 and done.figures["unanswered"] > 0
    assert done.figures["lost"]["unreachable"] > 0
    assert done.err.endswith("connection refused; start one with: balancerd kv\n")


def test_an_interrupt_ends_it_with_the_figures_so_far(balancer, client):
    counting = Counting(lambda number, op, link: None)
    balancer.serve_clients(counting)
    process = client.start("load", "--json", "--time", "1h", "--connections", "3")
    until(lambda: counting.count > 200, "it has begun")
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 0 and done.figures["operations"] > 100, done
    assert done.figures["unanswered"] == 0


def test_a_second_interrupt_does_not_wait(balancer, client):
    counting = Counting(lambda number, op, link: None if number < 100 else b"")
    balancer.serve_clients(counting)
    process = client.start("load", "--json", "--time", "1h", "--connections", "1")
    until(lambda: counting.count >= 100, "the last request hangs")
    process.send_signal(signal.SIGINT)
    with pytest.raises(Exception):
        process.wait(0.2)
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 0, done
    assert done.figures["operations"] == 99 and done.figures["unanswered"] == 1


# What is shown


def test_figures_for_people(client, entries):
    done = client("load", "--count", 500, "--keys", 50, "--verify", "strict")
    text = done.worked().decode()
    for words in ("operations  500 in ", "(50 connections, pipeline 1, version 2)",
                  "p50", "p99.9", "\nput ", "\nget ", "values right, 0 wrong",
                  "\nerrors      0\n", "lost        0 requests"):
        assert words in text, text
    assert max(map(len, text.splitlines())) <= 90


def test_progress_is_a_line_now_and_then(client, entries):
    done = client("load", "--time", "2300ms", "--rate", 500)
    assert done.code == 0
    lines = done.err.splitlines()
    assert len(lines) == 1 and " operations  " in lines[0] and "%" in lines[0], done
    assert "\033" not in done.err


def test_progress_stays_on_one_line_of_a_terminal(client, entries):
    process = pexpect.spawn(str(KV_CLIENT), [*client.at, "load", "--time", "3s", "--rate",
                            "500"], env=client.environment, timeout=PATIENCE,
                            encoding="utf-8", dimensions=(24, 120))
    process.expect(r"\r +2\.\d s +\d+ %  \d+ operations  \d+/s\x1b\[K")
    before = process.before
    process.expect(r"\r +2\.\d s ")
    assert "\n" not in before + process.before
    process.expect_exact("\r\x1b[Koperations")
    process.expect(pexpect.EOF)
    process.wait()
    assert process.exitstatus == 0


# The history


def read_history(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_history_has_each_operation(client, entries, tmp_path):
    path = tmp_path / "history"
    done = client.load("--count", 1000, "--keys", 20, "--connections", 4, "--pipeline", 3,
                       "--history", path)
    history = read_history(path)
    assert len(history) == 1000
    kinds = Counter(one["op"] for one in history)
    assert kinds["put"] == done.figures["put"]["answers"]
    assert kinds["get"] == done.figures["get"]["answers"]
    versions = {}
    for one in history:
        assert list(one) == ["op", "connection", "key", "value", "invoke_us", "complete_us",
                             "version", "result"]
        assert 0 < one["invoke_us"] <= one["complete_us"] and one["connection"] < 4
        if one["result"] == "missing":
            assert one["op"] == "get" and one["value"] is one["version"] is None
            continue
        assert one["result"] == "ok"
        # A version of a key is one value, whoever wrote or read it.
        assert versions.setdefault((one["key"], one["version"]), one["value"]) == one["value"]
    writes = [(one["key"], one["value"]) for one in history if one["op"] == "put"]
    assert len(set(writes)) == len(writes)
    assert Counter(one["result"] == "missing" for one in history)[True] == \
        done.figures["missing"]


def test_the_history_tells_what_is_uncertain(balancer, client, tmp_path):
    path = tmp_path / "history"

    def odd(number, op, link):
        if number == 30:
            link.wake()
            return b""
        if number == 40:
            return wire.pack("REPLY", tag=op.tag, result=wire.BUSY)
        if op.verb == wire.GET and number > 50:
            return wire.pack("REPLY", tag=op.tag, value=b"not mine")
        return None
    balancer.serve_clients(Counting(odd))
    done = client.load("--count", 200, "--keys", 20, "--connections", 1, "--history", path)
    history = read_history(path)
    assert done.code == 0 and len(history) == 200
    lost = [one for one in history if one["result"] == "lost"]
    assert len(lost) == 1 and lost[0]["complete_us"] is lost[0]["version"] is None
    assert (lost[0]["value"] is None) == (lost[0]["op"] == "get")
    assert [one["result"] for one in history].count("server busy") == 1
    foreign = [one for one in history if one["result"] == "foreign"]
    assert foreign and all(one["value"] is None for one in foreign)


@pytest.mark.parametrize("path, why", [
    ("/nowhere/history", "cannot write the history to"),
    ("/dev/full", "is not complete: "),
])
def test_a_history_that_cannot_be_written_is_an_error(client, entries, path, why):
    done = client.load("--count", 2000, "--history", path)
    assert done.code == 1 and why in done.err, done


# Many


def test_hundreds_of_connections_are_one_thread(client, entries):
    done = client.load("--connections", 400, "--count", 4000, "--verify", "strict")
    assert done.code == 0, done
    assert done.figures["operations"] == 4000 and done.figures["lost"] == {}


def test_more_connections_than_descriptors_are_refused(stage, tmp_path):
    client = KvProgram(stage.port(), tmp_path)
    limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", str(KV_CLIENT), *client.at]
    seen = pexpect.run(" ".join(f"'{word}'" for word in
                                [*limited, "load", "--connections", "100"]), encoding="utf-8")
    assert seen == ("kv-client: --connections 100 needs more descriptors than the limit of "
                    "64; raise it with ulimit -n\r\n")
