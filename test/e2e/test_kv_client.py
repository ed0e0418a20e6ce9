"""kv-client asks: commands from the line, a script and a terminal, in both versions, and
what it says when the balancer is gone, silent, old, or lies."""

import signal
import socket
import threading

import pytest

from harness import kv_wire as wire
from harness.kv_balancer import ClientLink, honest
from harness.kv_entries import Entries
from harness.kv_program import KvProgram, ended
from harness.message import Cut, Ended
from harness.patience import until


@pytest.fixture
def balancer(stage):
    return stage.fake_balancer()


@pytest.fixture
def client(balancer, tmp_path):
    return KvProgram(balancer.port, tmp_path)


@pytest.fixture
def entries(balancer):
    return balancer.serve_clients()


class OldBalancer:
    """Speaks version 1 only: `refuse` is what it does to who says HELLO. `first` are the
    names of the messages that connections began with."""

    def __init__(self, balancer, refuse):
        self.balancer, self.refuse = balancer, refuse
        self.entries, self.first = Entries(), []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.balancer.clients_listener.accept()
            except OSError:
                return
            link = ClientLink(sock)
            self.balancer.links.append(link)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        try:
            message = link.next()
            self.first.append(message.name)
            while message.name != "HELLO":
                link.send(honest(message, self.entries))
                message = link.next()
            self.refuse(link)
        except (Ended, Cut, OSError):
            link.close()


def closes(link):
    link.close()


def resets(link):
    link.reset()


def says_error(link):
    link.say("ERROR", code=wire.PROTOCOL, message=b"unknown type 40")
    link.close()


# One command


def test_each_command_asks_and_shows_its_answer(client, entries):
    assert client("put", "a", "b c").worked() == b"ok\n"
    assert client("get", "a").worked() == b"b c\n"
    assert client("ttl", "a").worked() == b"never\n"
    assert client("expire", "a", "1h").worked() == b"ok\n"
    left = client("ttl", "a").worked()
    assert left.endswith(b"ms\n") and 3_000_000 < int(left[:-3]) <= 3_600_000
    assert client("count").worked() == b"1\n"
    assert client("stats").worked() == b"entries 1\n"
    assert client("del", "a").worked() == b"ok\n"
    assert client("get", "a").failed() == "get: key not found"
    assert client("del", "a").failed() == "del: key not found"
    assert client("expire", "a", "1s").failed() == "expire: key not found"
    assert client("ttl", "a").failed() == "ttl: key not found"
    assert len(entries) == 0


def test_a_put_may_have_a_time_and_a_condition(client, entries):
    assert client("put", "a", "1", "if-present").failed() == \
        "put: not written: there is no such key"
    client("put", "a", "1", "if-absent", "ttl", "1h").worked()
    assert 0 < int(client("ttl", "a").worked()[:-3]) <= 3_600_000
    assert client("put", "a", "2", "if-absent").failed() == \
        "put: not written: the key is there already"
    client("put", "a", "3", "if-present").worked()
    assert entries[b"a"] == b"3"


def test_stats_of_a_worker_name_it(balancer, client):
    asked = []
    balancer.serve_clients(lambda op, link: asked.append((op.verb, op.key)))
    client("stats", "4242").worked()
    client("stats").worked()
    assert asked == [(wire.STATS, b"4242"), (wire.STATS, b"")]


def test_any_byte_goes_in_and_comes_out(client, entries):
    value = bytes(range(256))
    text = "".join(f"\\x{byte:02x}" for byte in value)
    client("--escapes", "put", "\\x00k", text).worked()
    assert entries[b"\0k"] == value
    assert client("--escapes", "--raw", "get", "\\x00k").worked() == value
    shown = client("--escapes", "get", "\\x00k").worked().decode()
    assert shown.startswith("\\x00\\x01") and " !\"#" in shown
    assert shown.endswith("\\xff\n") and shown.count("\n") == 1
    client("--escapes", "put", "again", shown.rstrip("\n")).worked()
    assert entries[b"again"] == value


def test_without_escapes_words_are_as_they_are(client, entries):
    client("put", "\\x00", "a\\nb").worked()
    assert entries[b"\\x00"] == b"a\\nb"


def test_text_is_shown_as_it_is_and_what_controls_is_escaped(client, entries):
    client("put", "k", "grüß 'dich' \x1b[2J\n").worked()
    assert client("get", "k").worked().decode() == "grüß 'dich' \\x1b[2J\\n\n"


def test_the_largest_value_fits(client, entries):
    value = "v" * (65503 - 1)
    client("put", "k", value).worked()
    assert client("--raw", "get", "k").worked().decode() == value
    assert client("put", "kk", value).failed(2) == \
        "put: key and value have 65504 bytes, 65503 are the most"
    assert client("get", "k" * 32769).failed(2) == \
        "get: the key has 32769 bytes, 32768 are the most"
    assert client("get", "").failed(2) == "get: a key has at least one byte"


def test_a_name_is_looked_up(balancer, tmp_path, entries):
    KvProgram(balancer.port, tmp_path, "localhost")("put", "a", "b").worked()
    why = KvProgram(5059, tmp_path, "no.such.host.invalid")("get", "a").failed()
    assert why.startswith("no balancer at no.such.host.invalid:5059: "), why


@pytest.mark.parametrize("words, why", [
    (["putt", "a", "b"], 'unknown command "putt"; expected one of put, get, del, expire, '
                         'ttl, count, stats, help, quit; did you mean "put"?'),
    (["put", "a"], "too few words; write: put KEY VALUE [ttl TIME] [if-absent|if-present]"),
    (["get", "a", "b"], "too many words; write: get KEY"),
    (["get"], "too few words; write: get KEY"),
    (["count", "a"], "too many words; write: count"),
    (["put", "a", "b", "ttl", "5"], 'put: "5" has no unit; write 5ms, 5s, 5m or 5h'),
    (["put", "a", "b", "when", "5s"],
     'put: "when" behind the value; expected ttl TIME, if-absent or if-present; a value '
     'with blanks needs quotes'),
    (["expire", "a", "soon"], 'expire: "soon" is no time; expected digits and ms, s, m or h'),
    (["stats", "one"], 'stats: "one" is no worker\'s id, which is a number'),
    (["--escapes", "get", "a\\q"], '"a\\q": column 2: no such escape; there are \\xHH \\n '
                                   '\\r \\t, and for a backslash \\\\'),
    (["--cuont", "5"], 'unknown option "--cuont"; did you mean "--count"?'),
    (["--json", "count"], "--json is for load; write: kv-client load --json"),
    (["--version", "3", "count"], '--version: "3" is too large; expected 1 to 2'),
    (["--timeout", "1", "count"], '--timeout: "1" has no unit; write 1ms, 1s, 1m or 1h'),
    (["--timeout"], "--timeout needs TIME"),
    (["load", "all"], "load takes options only, no words; see kv-client --help"),
    (["load", "--raw"], "load takes no --raw"),
    (["load", "--count", "0"], '--count: "0" is too small; expected 1 to '
                               '18446744073709551615'),
    (["load", "--reads", "101%"], '--reads: "101%" is too large; expected 0% to 100%'),
    (["load", "--value-size", "9-8"], '--value-size: "9-8" begins with the larger one; the '
                                      'smaller comes first'),
    (["load", "--verify", "--value-size", "4"],
     "--verify needs values of at least 8 bytes, since each says which one it is; give "
     "--value-size"),
    (["load", "--verify=loose"], '--verify: "loose" is no way to verify; write --verify or '
                                 '--verify strict'),
    (["load", "--verify", "strict", "--keys", "49"],
     "--verify strict gives each connection keys of its own: --keys has to be at least "
     "--connections"),
    (["load", "--key-size", "3"],
     "--key-size 3 has no room for 10000 different keys; give 4 at least, or fewer --keys"),
])
def test_a_wrong_command_line_is_said_and_nothing_is_asked(stage, tmp_path, words, why):
    client = KvProgram(stage.port(), tmp_path)     # nobody listens there
    assert client(*words).failed(2) == why


@pytest.mark.parametrize("place, why", [
    ("127.0.0.1:99999", '--balancer: '), ("a b:1", "--balancer: "), ("[::1:5", "--balancer: "),
])
def test_a_place_that_is_none_is_said(tmp_path, place, why):
    client = KvProgram(0, tmp_path)
    assert client("--balancer", place, "count").failed().startswith(why)


def test_help_names_every_command_and_option(client):
    text = client("--help").worked().decode()
    for word in ("put KEY VALUE", "stats [WORKER-ID]", "--balancer HOST:PORT", "--verify",
                 "(127.0.0.1:5059)", "load"):
        assert word in text, word
    assert max(map(len, text.splitlines())) <= 100


# A script


def test_a_script_is_run_line_by_line(client, entries):
    script = 'put "a b" \'c d\'\n\n# a comment\nget "a b"\nput bin \\x00\\xff\nget bin\ncount'
    assert client(script=script).worked() == b"ok\nc d\nok\n\\x00\\xff\n2\n"


def test_a_script_goes_on_after_an_error_and_fails(client, entries):
    done = client(script='get nix\nput a 1\nputt\nget "a\nput b\nget a\n')
    assert done.code == 1 and done.out == b"ok\n1\n"
    assert [line.removeprefix("kv-client: ") for line in done.err.splitlines()] == [
        "line 1: get: key not found",
        'line 3: unknown command "putt"; expected one of put, get, del, expire, ttl, count, '
        'stats, help, quit; did you mean "put"?',
        "line 4: column 5: this quote is never closed",
        "line 5: too few words; write: put KEY VALUE [ttl TIME] [if-absent|if-present]",
    ]


def test_quit_ends_a_script(client, entries):
    assert client(script="put a 1\nquit\nput b 2\n").worked() == b"ok\n"
    assert entries[b"b"] is None


def test_a_line_may_hold_any_byte_and_may_not_be_endless(client, entries):
    script = b"put k a\0b\xff\nget k\nput l " + b"x" * (1 << 20) + b"\nget k\n"
    done = client(script=script)
    assert done.code == 1 and done.out == b"ok\na\\x00b\\xff\na\\x00b\\xff\n"
    assert done.err == "kv-client: line 3: longer than 1 MiB, as no command is\n"


def test_an_empty_script_works(client):
    assert client(script="").worked() == b""


def test_an_answer_is_printed_before_the_next_line_comes(client, entries):
    process = client.start()
    for number in range(3):
        process.stdin.write(b"put a %d\nget a\n" % number)
        process.stdin.flush()
        assert process.stdout.readline() == b"ok\n"
        assert process.stdout.readline() == b"%d\n" % number
    assert ended(process).worked() == b""


def test_a_connection_lost_in_between_is_made_again(balancer, client, entries):
    process = client.start()
    for number in range(3):
        process.stdin.write(b"put a %d\n" % number)
        process.stdin.flush()
        assert process.stdout.readline() == b"ok\n"
        for link in balancer.links:
            link.wake()
            link.close()
    assert ended(process).worked() == b""


def test_a_script_ends_where_there_is_no_balancer(balancer, client):
    def leaves(op, link):
        balancer.stop_listening()
        link.wake()
        return b""
    balancer.serve_clients(leaves)
    done = client(script="put a 1\nput b 2\nput c 3\n")
    assert done.code == 1 and done.out == b""
    where = client.at[1]
    assert [line.removeprefix("kv-client: ") for line in done.err.splitlines()] == [
        f"line 1: put: the balancer at {where} closed the connection before it answered",
        "line 1: put: it may have been done all the same",
        f"line 2: no balancer at {where}: connection refused; start one with: balancerd kv"]


# Versions


@pytest.mark.parametrize("refuse", [closes, resets, says_error])
def test_an_old_balancer_is_spoken_to_in_version_1(balancer, client, refuse):
    old = OldBalancer(balancer, refuse)
    script = "put a 1\nget a\nget b\ndel a\nexpire a 1s\nttl a\ncount\nstats\n"
    done = client(script=script + "put a 1 ttl 1s\nput a 1 if-absent\n")
    assert done.code == 1 and done.out == b"ok\n1\n"
    assert done.err.splitlines() == ["kv-client: line 3: get: key not found"] + [
        f"kv-client: line {4 + i}: {name}: version 1 of the protocol has no {name}"
        for i, name in enumerate(["del", "expire", "ttl", "count", "stats"])] + [
        f"kv-client: line {line}: put: version 1 of the protocol has neither times nor "
        "conditions; write: put KEY VALUE" for line in (9, 10)]
    assert old.first == ["HELLO", "PUT"]


def test_version_1_can_be_forced(balancer, client):
    old = OldBalancer(balancer, closes)
    client("--version", "1", "put", "a", "b").worked()
    assert client("--version", "1", "get", "a").worked() == b"b\n"
    assert old.first == ["PUT", "GET"]
    assert client("--version", "1", "stats").failed(2) == \
        "stats: version 1 of the protocol has no stats"


def test_version_2_can_be_forced(balancer, client):
    old = OldBalancer(balancer, closes)
    assert client("--version", "2", "get", "a").failed() == \
        f"the balancer at {client.at[1]} closed the connection instead of greeting; if it " \
        "speaks version 1 only, say --version 1"
    assert old.first == ["HELLO"]


def test_a_balancer_of_version_2_does_not_become_old(balancer, client):
    """It has answered HELLO once; when it closes before HELLO later, that is a loss."""
    greeted = []

    def play():
        greeted.append(balancer.client())
        greeted[0].send(honest(greeted[0].question(), Entries()))
        sock, _ = balancer.clients_listener.accept()
        greeted.append(sock)
        sock.close()
    player = threading.Thread(target=play)
    player.start()
    process = client.start()
    process.stdin.write(b"put a 1\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"ok\n"
    greeted[0].wake()
    process.stdin.write(b"put a 2\n")
    done = ended(process)
    player.join()
    assert done.code == 1
    assert done.err.startswith(f"kv-client: line 2: the balancer at {client.at[1]} ")
    assert len(greeted) == 2


def test_a_balancer_that_does_not_greet_is_not_waited_for(balancer, client):
    held = []
    thread = threading.Thread(
        target=lambda: held.append(balancer.clients_listener.accept()[0]))
    thread.start()
    assert client("--timeout", "100ms", "get", "a").failed() == \
        f"the balancer at {client.at[1]} does not greet within 100ms; if it speaks version " \
        "1 only, say --version 1"
    thread.join()
    held[0].close()


def test_a_refusal_of_hello_is_said(balancer, client):
    def refuse(link):
        link.say("ERROR", code=wire.UNAUTHORISED, message=b"not \x1byou")
        link.close()
    OldBalancer(balancer, refuse)
    assert client("get", "a").failed() == \
        f"the balancer at {client.at[1]} refuses us: not \\x1byou"


# What can go wrong


def test_no_balancer_is_said_with_a_remedy(stage, tmp_path):
    port = stage.port()
    assert KvProgram(port, tmp_path)("get", "a").failed() == \
        f"no balancer at 127.0.0.1:{port}: connection refused; start one with: balancerd kv"


def test_connecting_is_not_waited_for_either(stage, tmp_path):
    client = KvProgram(stage.blackhole(), tmp_path)
    assert client("--timeout", "100ms", "get", "a").failed() == \
        f"no balancer at {client.at[1]}: connecting timed out"


def test_silence_is_not_waited_for(balancer, client):
    balancer.serve_clients(lambda op, link: b"")
    assert client("--timeout", "100ms", "get", "a").failed() == \
        f"get: the balancer at {client.at[1]} does not answer within 100ms"


@pytest.mark.parametrize("said, why", [
    (lambda op: wire.pack("REPLY", tag=op.tag + 1, value=b"x"),
     "sent nonsense: REPLY: nothing of this tag was asked"),
    (lambda op: wire.pack("PUT_RESPONSE", key=op.key),
     "sent nonsense: PUT_RESPONSE: something else was asked"),
    (lambda op: wire.pack("GET_RESPONSE", key=b"other", value=b"x"),
     "sent nonsense: GET_RESPONSE: it is for another key than was asked for"),
    (lambda op: wire.pack("STORE_REQUEST", id=1, key=b"a", value=b"x"),
     "sent nonsense: STORE_REQUEST: no balancer says this to a client"),
    (lambda op: wire.raw(77), "sent nonsense: "),
    (lambda op: wire.pack("REPLY", tag=op.tag)[:-1] + b"\1", "sent nonsense: "),
    (lambda op: b"HTTP/1.1 400 Bad Request\r\n\r\n", "sent nonsense: "),
], ids=["tag", "kind", "key", "role", "type", "length", "protocol"])
def test_nonsense_is_not_believed(balancer, client, said, why):
    balancer.serve_clients(lambda op, link: said(op))
    done = client("get", "a").failed()
    assert done.startswith(f"get: the balancer at {client.at[1]} {why}"), done


def test_an_error_is_the_answer_to_what_was_asked(balancer, client):
    def busy(op, link):
        return wire.pack("ERROR", code=wire.BUSY, message=b"no workers available")
    balancer.serve_clients(busy)
    done = client(script="get a\nput a 1\n")
    assert done.code == 1 and done.err.splitlines() == [
        "kv-client: line 1: get: server busy: no workers available",
        "kv-client: line 2: put: server busy: no workers available"]


def test_shutdown_is_said(balancer, client):
    def stop(op, link):
        link.say("SHUTDOWN")
        link.wake()
        return b""
    balancer.serve_clients(stop)
    assert client("get", "a").failed() == f"get: the balancer at {client.at[1]} stops"


def test_a_balancer_that_stops_is_left_after_its_answer(balancer, client):
    def stop(op, link):
        link.say("SHUTDOWN")
        return None                  # it answers, and does not close
    balancer.serve_clients(stop)
    assert client(script="put a 1\nget a\n").worked() == b"ok\n1\n"
    assert len(balancer.links) == 2


def test_answers_may_come_in_pieces(balancer, client):
    entries = Entries({b"a": b"v" * 300})

    def bytewise(op, link):
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in honest(op, entries):
            link.send(bytes([byte]))
        return b""
    balancer.serve_clients(bytewise)
    assert client(script="get a\nget a\n").worked() == (b"v" * 300 + b"\n") * 2


# A terminal


@pytest.fixture
def person(client, entries):
    sessions = []

    def person():
        sessions.append(client.terminal())
        sessions[-1].expect_exact('"help" says what can be asked')
        sessions[-1].expect_exact("kv> ")
        return sessions[-1]
    yield person
    for session in sessions:
        session.close(force=True)


def says(session, line, answer):
    session.sendline(line)
    session.expect_exact(f"\r\n{answer}\r\n")
    session.expect_exact("kv> ")


def leaves(session):
    session.sendeof()
    session.expect_exact(["\r\n"])
    session.wait()
    assert session.exitstatus == 0


def test_a_person_asks_at_a_prompt(person, entries):
    session = person()
    says(session, 'put "my key" \'my value\'', "ok")
    says(session, 'get "my key"', "my value")
    says(session, "get nix", "kv-client: get: key not found")
    says(session, "put bin \\x00\\x1b", "ok")
    says(session, "get bin", "\\x00\\x1b")
    says(session, "count", "2")
    session.sendline("help")
    session.expect_exact("stats [WORKER-ID]")
    session.expect_exact("kv> ")
    session.sendline("quit")
    session.wait()
    assert session.exitstatus == 0


def test_commands_are_completed(person, entries):
    session = person()
    session.send("pu\ta 1\r")
    session.expect_exact("\r\nok\r\n")
    assert entries[b"a"] == b"1"
    session.expect_exact("kv> ")
    session.send("ge\ta\r")
    session.expect_exact("\r\n1\r\n")


def test_the_line_is_edited_and_remembered(person, client, entries):
    session = person()
    says(session, "put a 1", "ok")
    session.send("\x10\x7f2\r")          # the line before, its last letter another
    session.expect_exact("\r\nok\r\n")
    assert entries[b"a"] == b"2"
    leaves(session)

    history = client.state / "balancerd" / "kv-client"
    assert "put" in history.read_text() and history.stat().st_mode & 0o077 == 0
    session = person()
    session.send("\x10\x7f3\r")          # of the session before
    session.expect_exact("\r\nok\r\n")
    assert entries[b"a"] == b"3"


def test_an_interrupt_clears_the_line(person, entries):
    session = person()
    session.send("put a 1")
    session.expect_exact("put a 1")
    session.sendintr()
    session.expect_exact("kv> ")
    says(session, "count", "0")
    leaves(session)


def test_an_interrupt_ends_the_waiting(balancer, client):
    asked = threading.Event()

    def silent(op, link):
        if op.verb == wire.GET:
            asked.set()
            return b""
        return None
    balancer.serve_clients(silent)
    session = client.terminal()
    session.expect_exact("kv> ")
    session.sendline("get a")
    until(asked.is_set, "the question has come")
    session.sendintr()
    session.expect_exact("kv-client: get: interrupted")
    session.expect_exact("kv> ")
    says(session, "count", "0")           # by a connection of its own
    leaves(session)


def test_a_newer_balancer_in_the_place_of_an_old_one_is_noticed(balancer, client):
    OldBalancer(balancer, closes)
    session = client.terminal()
    session.expect_exact("version 1;")
    session.expect_exact("kv> ")
    says(session, "put a 1", "ok")
    says(session, "del a", "kv-client: del: version 1 of the protocol has no del")
    balancer.stop_listening()
    for link in balancer.links:
        link.wake()
    balancer.listen_again()
    balancer.serve_clients()
    says(session, "put a 1", "ok")
    says(session, "del a", "ok")
    leaves(session)


def test_a_terminated_session_ends(person):
    session = person()
    session.kill(signal.SIGTERM)
    session.wait()
    assert session.signalstatus == signal.SIGTERM


def test_a_person_is_told_that_nobody_is_there(stage, tmp_path):
    session = KvProgram(stage.port(), tmp_path).terminal()
    session.expect_exact("connection refused; start one with: balancerd kv")
    session.wait()
    assert session.exitstatus == 1


def test_a_session_outlives_the_balancer(balancer, person, entries):
    session = person()
    says(session, "put a 1", "ok")
    balancer.stop_listening()
    for link in balancer.links:
        link.wake()
    session.sendline("get a")
    session.expect_exact("connection refused; start one with: balancerd kv")
    session.expect_exact("kv> ")
    balancer.listen_again()
    balancer.serve_clients(entries=entries)
    says(session, "get a", "1")
    leaves(session)
