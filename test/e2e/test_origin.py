"""origin, the HTTP server for demos and tests: what it serves, and how it misbehaves."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

import psutil
import pytest

from harness.client import RawClient
from harness.message import Cut
from harness.patience import PATIENCE, until
from harness.program import OUT, REPORTS, ROOT

MIB = 1 << 20
UNIT = b"0123456789abcdefghijklmnopqrstuvwxyz\n"
IDLE_LEEWAY = 8 * MIB       # of resident memory, whatever the size of a body
ENVIRONMENT = {"ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99", **os.environ}


def pattern(length):
    return (UNIT * (length // len(UNIT) + 1))[:length]


class Origin:
    """origin on ports of its own choice; must end well and report nothing."""

    def __init__(self, directory, *options, ports=1):
        self.directory = directory / "www"
        self.directory.mkdir()
        self.clients = []
        self.errors = open(directory / "stderr", "w+b")
        self.process = subprocess.Popen(
            [OUT / "origin", *["0"] * ports, "--dir", self.directory, *map(str, options)],
            stdout=subprocess.PIPE, stderr=self.errors, text=True, env=ENVIRONMENT)
        self.ports = []
        for _ in range(ports):
            line = self.process.stdout.readline()
            said = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
            assert said, f"origin said {line!r}"
            self.ports.append(int(said[1]))
        self.port = self.ports[0]

    def client(self, port=None, **settings):
        client = RawClient(port or self.port, **settings)
        self.clients.append(client)
        return client

    def get(self, target, *fields):
        return self.client().get(target, *fields)

    def counts(self, port=None):
        answer = self.client(port).get("/healthcheck")
        assert answer.status == 200
        errors, total = re.fullmatch(rb"(\d+)\n(\d+)\n", answer.body).groups()
        return int(errors), int(total)

    def rss(self):
        return psutil.Process(self.process.pid).memory_info().rss

    def threads(self):
        return psutil.Process(self.process.pid).num_threads()

    def end(self):
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        took = time.monotonic() - began
        for client in self.clients:
            client.close()
        self.process.stdout.close()
        self.errors.seek(0)
        report = self.errors.read().decode()
        self.errors.close()
        assert not REPORTS.search(report), report
        return took


@pytest.fixture
def start(tmp_path):
    origins = []

    def start(*options, **settings):
        folder = tmp_path / str(len(origins))
        folder.mkdir()
        origins.append(Origin(folder, *options, **settings))
        return origins[-1]
    yield start
    for origin in origins:
        if origin.process.returncode is None:
            origin.end()


@pytest.fixture
def origin(start):
    return start()


def request(method, target, body=None, *fields, version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: test", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def chunked(method, target, *chunks, trailer=b""):
    head = request(method, target, None, "Transfer-Encoding: chunked")
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks)
    return head + body + b"0\r\n" + trailer + b"\r\n"


# Command line


def run(*arguments):
    return subprocess.run([OUT / "origin", *arguments], capture_output=True, text=True,
                          timeout=PATIENCE, env=ENVIRONMENT)


@pytest.mark.parametrize("arguments, complaint", [
    ([], "no port"), (["80x"], "'80x'"), (["65536"], "'65536'"), (["81", "81"], "twice"),
    (["0", "-N", "0"], "-N"), (["0", "-N", "65"], "-N"), (["0", "--slow", "x"], "--slow"),
    (["0", "--die-how", "off"], "rst|fin"), (["0", "--error-rate", "101"], "100"),
    (["0", "--what"], "--help"),
])
def test_a_wrong_command_line_is_explained(arguments, complaint):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert complaint in ended.stderr


@pytest.mark.parametrize("arguments, complaint", [
    (["0", "--dir", "/nowhere"], "/nowhere"), (["0", "--bind", "example.org"], "numeric"),
])
def test_what_cannot_run_says_why(arguments, complaint):
    ended = run(*arguments)
    assert ended.returncode == 1
    assert complaint in ended.stderr


def test_a_port_in_use_is_not_shared(origin):
    ended = run(str(origin.port))
    assert ended.returncode == 1
    assert "in use" in ended.stderr


def test_help_and_manual_page_name_everything():
    said = run("--help")
    assert said.returncode == 0
    page = (ROOT / "doc" / "origin.1").read_text()
    switches = re.findall(r"^  --([a-z-]+)", said.stdout, re.M)
    routes = re.findall(r"^  (/[a-z]+)", said.stdout, re.M)
    assert len(switches) == 12 and len(routes) == 10
    for word in switches:
        assert f".It Fl -{word}" in page.replace(".It Fl N , -threads", ".It Fl -threads")
    for word in routes:
        assert word in page


def test_options_stand_anywhere(start):
    one, three = start("-N", 1), start("--delay=0", "-N3", ports=2)
    assert three.threads() == one.threads() + 2
    assert three.get("/bytes/1").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(origin, number):
    client = origin.client()
    client.send(request("GET", "/delay/60000"))
    upload = origin.client()
    upload.send(request("PUT", "/half", None, "Content-Length: 100") + b"begun")
    until(lambda: os.listdir(origin.directory), "the upload has begun")
    origin.process.send_signal(number)
    assert origin.process.wait(2) == 0
    assert os.listdir(origin.directory) == []
    client.sees_the_end()


# Files


@pytest.mark.parametrize("length", [0, 1, 65535, 65536, 65537, 3 * MIB + 1])
def test_a_file_comes_as_it_is(origin, length):
    data = os.urandom(length)
    (origin.directory / "a file").write_bytes(data)
    client = origin.client()
    for _ in range(2):
        answer = client.get("/a%20file")
        assert (answer.status, answer.framing) == (200, "length")
        assert answer.fields.get("x-origin") == str(origin.port)
        assert answer.fields.get("date").endswith(" GMT")
        assert answer.length == length
        assert length > MIB or answer.body == data
    answer = client.ask(request("HEAD", "/a%20file"))
    assert answer.fields.get("content-length") == str(length)
    assert client.get("/bytes/1").body == b"0"


def test_a_small_answer_is_one_segment(origin):
    (origin.directory / "file").write_bytes(pattern(60_000))
    client = origin.client()
    client.send(request("GET", "/file"))
    until(lambda: len(client.sock.recv(1 << 17, socket.MSG_PEEK)) > 60_000, "all of it")
    assert client.response().body == pattern(60_000)


@pytest.mark.parametrize("target, status, status_of_put", [
    ("/missing", 404, 201), ("/file", 200, 204), ("//file", 200, 204),
    ("http://test/file", 200, 204), ("http://test", 403, 403), ("/", 403, 403),
    ("/file/below", 404, 404), ("/nowhere/below", 404, 404), ("/folder", 403, 403),
    ("/folder/", 403, 403), ("/fifo", 403, 403), ("/..", 403, 403),
    ("/../secret", 403, 403), ("/folder/../../secret", 403, 403),
    ("/%2e%2e/secret", 403, 403), ("/folder%2f..%2f..%2fsecret", 403, 403),
    ("/out", 403, 403), ("/outside/secret", 403, 403), ("/loop", 403, 403),
    ("/inside", 200, 403), ("/a%00b", 400, 400), ("/a%zz", 400, 400),
    ("/" + "a" * 300, 404, 404), ("/" + "a" * 5000, 404, 404),
])
def test_nothing_outside_of_the_directory_is_reached(origin, target, status,
                                                     status_of_put):
    folder = origin.directory
    (folder.parent / "secret").write_text("secret")
    (folder / "file").write_text("file")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "out").symlink_to("../secret")
    (folder / "outside").symlink_to(folder.parent)
    (folder / "loop").symlink_to("loop")
    (folder / "inside").symlink_to("folder/../file")
    answer = origin.get(target)
    assert (answer.status, b"secret" in answer.body) == (status, False)
    assert origin.client().ask(request("PUT", target, b"x")).status == status_of_put
    assert (folder.parent / "secret").read_text() == "secret"


def test_put_creates_and_replaces(origin):
    client = origin.client()
    first, second = os.urandom(200_000), os.urandom(10)
    created = client.ask(request("PUT", "/new", first))
    assert (created.status, created.fields.get("content-length")) == (201, "0")
    assert (origin.directory / "new").read_bytes() == first
    replaced = client.ask(chunked("PUT", "/new", second[:3], second[3:],
                                  trailer=b"X-A: b\r\n"))
    assert (replaced.status, "content-length" in replaced.fields) == (204, False)
    assert client.get("/new").body == second
    assert client.ask(request("PUT", "/empty", b"")).status == 201
    assert client.get("/empty").body == b""
    assert sorted(os.listdir(origin.directory)) == ["empty", "new"]


def test_an_upload_that_is_cut_leaves_the_old_file(origin):
    (origin.directory / "file").write_text("old")
    client = origin.client()
    client.send(request("PUT", "/file", None, "Content-Length: 100") + b"half")
    until(lambda: len(os.listdir(origin.directory)) == 2, "the upload has begun")
    assert origin.get("/file").body == b"old"
    client.close()
    until(lambda: os.listdir(origin.directory) == ["file"], "the upload is forgotten")
    client = origin.client()
    client.send(request("PUT", "/file", None, "Transfer-Encoding: chunked"))
    assert client.ask(b"4\r\nhalfx", "PUT").status == 400
    client.sees_the_end()
    assert os.listdir(origin.directory) == ["file"]
    assert (origin.directory / "file").read_text() == "old"


def test_100_continue_is_said_to_whom_it_helps(origin):
    client = origin.client()
    waits = ("Content-Length: 4", "Expect: 100-continue")
    client.send(request("PUT", "/file", None, *waits))
    assert client.interim().status == 100
    client.send(b"body")
    assert client.response().status == 201
    client.send(request("PUT", "/file", b"body", "Expect: 100-continue"))
    assert client.reader.response().status == 204
    client.send(request("POST", "/file", None, *waits))
    refused = client.reader.response()
    assert (refused.status, refused.fields.get("connection")) == (405, "close")
    client.sees_the_end()


def test_large_bodies_take_no_memory(origin):
    before = origin.rss()
    client = origin.client()
    size, block = 256 * MIB, os.urandom(MIB)

    client.send(request("PUT", "/large", None, f"Content-Length: {size}"))
    for _ in range(size // MIB):
        client.send(block)
    assert client.response().status == 201
    assert (origin.directory / "large").stat().st_size == size
    for target in ("/large", f"/bytes/{size}", f"/chunked/{size}"):
        assert client.get(target).length == size
    assert origin.rss() < before + IDLE_LEEWAY


# Generated answers


@pytest.mark.parametrize("length", [0, 1, 37, 16384, 65536, 65537, 3 * MIB])
@pytest.mark.parametrize("kind", ["bytes", "chunked"])
def test_generated_bodies_are_the_pattern(origin, kind, length):
    client = origin.client()
    answer = client.get(f"/{kind}/{length}")
    assert answer.framing == ("length" if kind == "bytes" else "chunked")
    assert answer.length == length
    assert bytes(answer.kept) == pattern(length)[:MIB]
    if kind == "chunked":
        assert all(size == 16384 for size in answer.chunks[:-1])
    head = client.ask(request("HEAD", f"/{kind}/{length}"))
    assert [f for f in head.fields.items if f[0] != "Date"] == \
           [f for f in answer.fields.items if f[0] != "Date"]
    assert client.get("/bytes/1").body == b"0"


def test_a_trailer_follows_when_asked(origin):
    client = origin.client()
    answer = client.get("/chunked/20000?trailer")
    assert answer.fields.get("trailer") == "X-Body-Length"
    assert answer.trailers.items == [("X-Body-Length", "20000")]
    assert client.get("/chunked/20000").trailers.items == []


@pytest.mark.parametrize("code", [200, 204, 205, 299, 304, 404, 500, 599])
def test_any_status_can_be_had(origin, code):
    client = origin.client()
    answer = client.get(f"/status/{code}")
    assert answer.status == code
    assert client.ask(request("DELETE", f"/status/{code}")).status == code
    assert client.get("/bytes/1").status == 200


def test_interim_answers_can_be_had(origin):
    client = origin.client()
    client.send(request("GET", "/status/103"))
    assert client.interim().status == 103
    assert client.response().status == 200
    old = origin.client().ask(request("GET", "/status/103", version="1.0"))
    assert old.status == 200


@pytest.mark.parametrize("target", [
    "/bytes/", "/bytes/x", "/bytes/-1", "/bytes/1125899906842625", "/status/101",
    "/status/99", "/status/600", "/delay/3600001", "/bytes/1?delay=x", "/x?die-how=y",
])
def test_a_number_that_makes_no_sense_is_refused(origin, target):
    assert origin.get(target).status == 400


def test_headers_are_shown_as_they_came(origin):
    head = request("GET", "/headers?a=b", None, "X-Odd:  spaced \t", "x-odd:")
    answer = origin.client().ask(b"\r\n" + head)
    assert answer.body == head


def test_methods_are_known_or_not(origin):
    client = origin.client()
    answer = client.ask(request("POST", "/bytes/1", b"ignored"))
    assert (answer.status, answer.fields.get("allow")) == (405, "GET, HEAD")
    answer = client.ask(request("DELETE", "/file"))
    assert (answer.status, answer.fields.get("allow")) == (405, "GET, HEAD, PUT")
    assert client.ask(request("PURGE", "/file")).status == 501
    assert client.ask(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").status == 501
    assert client.ask(request("OPTIONS", "*")).status == 204
    assert client.get("/bytes/1").body == b"0"


# Echo and upgrade


def test_echo_gives_back_what_it_gets(origin):
    client = origin.client()
    for body in (b"", b"x", os.urandom(300_000)):
        answer = client.ask(request("POST", "/echo", body))
        assert (answer.framing, answer.body) == ("length", body)
        answer = client.ask(chunked("PUT", "/echo", *([body] if body else [])))
        assert (answer.framing, answer.body) == ("chunked", body)
    assert client.ask(request("POST", "/echo")).body == b""


def test_echo_answers_while_it_is_asked(origin):
    client = origin.client()
    client.send(request("POST", "/echo", None, "Transfer-Encoding: chunked",
                        "Expect: 100-continue"))
    assert client.interim().status == 100
    assert client.silent(0.05)
    client.send(b"3\r\nabc\r\n")
    client.reader.until(b"\r\n\r\n", "in the head")
    client.receives(b"3\r\nabc\r\n")
    client.send(b"2\r\nde")
    client.receives(b"2\r\nde\r\n")
    client.send(b"\r\n0\r\n\r\n")
    client.receives(b"0\r\n\r\n")


def test_echo_reads_no_more_than_it_can_send(origin):
    before = origin.rss()
    client = origin.client(receive_buffer=4096)
    client.send(request("POST", "/echo", None, f"Content-Length: {1 << 30}"))
    client.sock.settimeout(0.3)
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            sent += client.sock.send(b"x" * MIB)
    assert sent < 64 * MIB
    assert origin.rss() < before + IDLE_LEEWAY
    assert origin.get("/bytes/1").status == 200


def test_upgrade_echoes_until_both_have_ended(origin):
    client = origin.client()
    client.send(request("GET", "/upgrade", None, "Connection: Upgrade", "Upgrade: Echo")
                + b"early")
    answer = client.reader.response()
    assert (answer.status, answer.fields.get("upgrade")) == (101, "echo")
    client.receives(b"early")
    data = os.urandom(MIB)
    sender = threading.Thread(target=lambda: (client.send(data), client.finish()))
    sender.start()
    client.receives(data)
    sender.join()
    client.sees_the_end()


def test_upgrade_needs_to_be_asked_for(origin):
    client = origin.client()
    for fields in ([], ["Upgrade: echo"], ["Connection: upgrade", "Upgrade: websocket"]):
        assert client.get("/upgrade", *fields).status == 426


# Counts


def test_each_port_counts_for_itself(start):
    origin = start(ports=2)
    first, second = origin.ports
    client = origin.client(first)
    for target in ("/bytes/1", "/missing", "/status/500", "/status/399"):
        client.get(target)
    assert origin.counts(first) == (2, 5)
    assert origin.counts(first) == (2, 6)
    assert origin.counts(second) == (0, 1)
    assert origin.client(second).get("/bytes/1").fields.get("x-origin") == str(second)


def test_all_threads_are_counted(start):
    origin = start("-N", 4)
    for _ in range(40):
        origin.get("/status/404")
    assert origin.counts() == (40, 41)


# Connections


def test_pipelined_requests_are_answered_in_order(origin):
    client = origin.client()
    lengths = [1, 70_000, 0, 5, 3, 100_000, 9] * 10
    asked = b"".join(request("GET", f"/bytes/{n}") for n in lengths)
    asked += request("POST", "/echo", b"echo") + chunked("PUT", "/echo", b"chunk")
    threading.Thread(target=client.send, args=(asked,)).start()
    for length in lengths:
        assert client.response().body == pattern(length)
    assert client.response().body == b"echo"
    assert client.response().body == b"chunk"


def test_how_a_request_is_cut_makes_no_difference(origin):
    client = origin.client()
    client.send_bytewise(chunked("PUT", "/echo", b"one", b"two")
                         + request("GET", "/bytes/3"))
    assert client.response().body == b"onetwo"
    assert client.response().body == b"012"


def test_versions_and_connection_decide_who_stays(origin):
    client = origin.client()
    answer = client.ask(request("GET", "/bytes/1", None, "Connection: keep-alive",
                                version="1.0"))
    assert answer.fields.get("connection") == "keep-alive"
    answer = client.get("/bytes/1", "Connection: close")
    assert answer.fields.get("connection") == "close"
    client.sees_the_end()
    client = origin.client()
    answer = client.ask(request("GET", "/chunked/100", version="1.0"))
    assert (answer.framing, answer.body) == ("close", pattern(100))


def test_a_client_that_has_ended_gets_its_answers(origin):
    client = origin.client()
    client.send(request("GET", "/delay/100") + request("GET", "/bytes/100000"))
    client.finish()
    assert client.response().body == b"100 ms\n"
    assert client.response().length == 100_000
    client.sees_the_end()


@pytest.mark.parametrize("bad, status", [
    (b"GET /\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505), (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    (request("GET", "/", None, "A : b"), 400),
    (request("GET", "/", None, "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
    (request("GET", "/", None, "A: " + "b" * 17_000), 431),
    (request("GET", "/", None, *["A: b"] * 200), 431),
    (request("GET", "/" + "a" * 9000), 414),
    (request("PUT", "/echo", None, "Transfer-Encoding: gzip"), 501),
])
def test_a_malformed_request_is_answered_and_ends(origin, bad, status):
    client = origin.client()
    client.send(request("GET", "/bytes/1") + bad + request("GET", "/bytes/1"))
    assert client.response().body == b"0"
    answer = client.response()
    assert (answer.status, answer.fields.get("connection")) == (status, "close")
    client.sees_the_end()
    assert origin.counts() == (1, 3)


def test_an_unwanted_body_is_read_but_not_forever(origin):
    client = origin.client()
    assert client.ask(request("POST", "/missing", b"x" * 1000)).status == 405
    assert client.ask(request("GET", "/bytes/1", b"x" * MIB)).body == b"0"
    answer = client.ask(request("GET", "/bytes/1", b"x" * (MIB + 1)))
    assert answer.fields.get("connection") == "close"
    client.sees_the_end()


def test_idle_connections_hold_no_buffers(origin):
    clients = [origin.client() for _ in range(400)]
    before, threads = origin.rss(), origin.threads()
    for client in clients:
        assert client.get("/bytes/60000").length == 60_000
    assert origin.rss() < before + IDLE_LEEWAY
    assert origin.threads() == threads


# Faults


def test_delay_comes_before_the_answer(start):
    origin = start("--delay", 100)
    client = origin.client()
    cases = ("/bytes/1", 0.1), ("/bytes/1?delay=0", 0), ("/delay/200", 0.2)
    for target, least in cases:
        began = time.monotonic()
        assert client.get(target).status == 200
        assert least <= time.monotonic() - began < least + 1


def test_errors_come_as_often_as_asked_but_not_to_health_checks(start):
    origin = start("--error-rate", 30)
    client = origin.client()
    codes = [client.get("/bytes/1").status for _ in range(400)]
    assert set(codes) == {200, 500}
    assert 60 < codes.count(500) < 180
    assert all(client.get("/healthcheck").status == 200 for _ in range(20))
    assert client.get("/bytes/1?error-rate=0").status == 200
    assert client.ask(request("PUT", "/file?error-rate=100", b"body")).status == 500
    assert os.listdir(origin.directory) == []


@pytest.mark.parametrize("how", ["rst", "fin"])
@pytest.mark.parametrize("target", ["/bytes/1000", "/bytes/1000000", "/chunked/100000"])
def test_dying_cuts_the_body_in_half(start, how, target):
    origin = start("--die-mid-body", 100, "--die-how", how)
    client = origin.client()
    with pytest.raises(Cut) as cut:
        client.get(target)
    assert cut.value.message.length == int(target.split("/")[2]) / 2
    assert client.was_reset == (how == "rst")
    assert origin.get("/healthcheck").status == 200


def test_an_echo_dies_in_mid_body_too(origin):
    client = origin.client()
    with pytest.raises(Cut) as cut:
        client.ask(request("POST", "/echo?die-mid-body=100", b"x" * 5000))
    assert cut.value.message.length == 2500
    with pytest.raises(Cut):
        origin.client().ask(chunked("POST", "/echo?die-mid-body=100", b"x" * 5000))


def test_a_connection_closes_after_so_many_answers(start):
    origin = start("--close-after", 3)
    client = origin.client()
    for _ in range(3):
        answer = client.get("/bytes/1")
        assert "connection" not in answer.fields
    client.sees_the_end()
    client = origin.client()
    assert client.get("/bytes/1?close-after=1").body == b"0"
    client.sees_the_end()


def test_slow_keeps_its_rate(start):
    origin = start("--slow", 10_000)
    for target in ("/bytes/4000", "/chunked/4000"):
        began = time.monotonic()
        assert origin.get(target).body == pattern(4000)
        assert 0.3 < time.monotonic() - began < 1.5
    began = time.monotonic()
    answer = origin.client().ask(request("POST", "/echo?slow=20000", pattern(8000)))
    assert answer.body == pattern(8000)
    assert 0.3 < time.monotonic() - began < 1.5
    assert origin.get("/bytes/1000000?slow=0").length == 1_000_000


def test_health_checks_fail_when_told_to(start):
    origin = start("--fail-health")
    assert origin.get("/healthcheck").status == 500
    assert origin.get("/healthcheck?fail-health=0").body == b"1\n2\n"
    assert origin.get("/bytes/1").status == 200


def test_health_checks_are_never_answered_when_told_so(start):
    origin = start("--silent-health")
    client = origin.client()
    client.send(request("GET", "/healthcheck"))
    assert client.silent(0.2)
    assert origin.get("/bytes/1").status == 200
    client.finish()
    client.sees_the_end()


def test_it_waits_for_descriptors(start):
    origin = start("-N", 1)
    process = psutil.Process(origin.process.pid)
    limit = process.num_fds() + 20
    process.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))
    clients = [origin.client() for _ in range(30)]
    for client in clients[:10]:
        assert client.get("/bytes/1").status == 200
    cpu = sum(process.cpu_times()[:2])
    time.sleep(0.3)
    assert sum(process.cpu_times()[:2]) - cpu < 0.15
    for client in clients[:15]:
        client.close()
    for client in clients[15:]:
        assert client.get("/bytes/1").status == 200


def test_a_reset_client_leaves_nothing_behind(origin):
    process = psutil.Process(origin.process.pid)
    before = process.num_fds()
    for target in ("/bytes/100000000", "/chunked/100000000", "/delay/60000"):
        client = origin.client()
        client.send(request("GET", "/bytes/1") + request("GET", target))
        assert client.response().body == b"0"
        client.reset()
    until(lambda: process.num_fds() == before, "all descriptors are closed")
