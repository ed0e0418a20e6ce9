"""Moments that seldom come: bytes that arrive between two steps, ends that come in an
unusual order, clients that read slowly."""

import re
import signal
import threading
import time
from pathlib import Path

import pytest

from harness.balancer import Balancer, config
from harness.patience import PATIENCE
from harness.ports import Blackhole
from harness.requests import GET
from harness.server import response


def get(target, *fields, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post_head(target, length):
    return (f"POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}"
            "\r\n\r\n").encode()


# Bytes of the next request behind a body


def test_what_follows_a_body_that_was_begun_from_kept_bytes(stage):
    """The body's beginning waits behind a request that runs; its end and the next
    request come before that one is answered."""
    answer = threading.Event()

    def play(request, peer):
        if request.target == "/1":
            answer.wait(PATIENCE)
        return response(request.target)

    server = stage.server(play)
    client = stage.client(stage.balancer([server], threads=1))
    client.send(get("/1") + post_head("/2", 2000) + b"b" * 1000)
    server.waits_for(1)
    time.sleep(0.3)
    client.send(b"b" * 1000 + get("/3"))
    time.sleep(0.2)
    answer.set()
    for target in (b"/1", b"/2", b"/3"):
        assert client.response().body == target
    assert server.requests[1].body == b"b" * 2000


def test_what_follows_a_body_that_is_larger_than_one_read(stage):
    server = stage.server(lambda request, peer: response(request.target))
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    assert client.get("/1").body == b"/1"
    body = b"b" * 80_000
    balancer.signal(signal.SIGSTOP)
    client.send(post_head("/2", len(body)) + body + get("/3"))
    balancer.signal(signal.SIGCONT)
    for target in (b"/2", b"/3"):
        assert client.response().body == target
    assert server.requests[1].body == body


# Clients that read slowly

PIECE = b"x" * 30_000  # is copied, not spliced: its end may wait in balancerd


class SlowReader:
    """Asks, and does not read, until balancerd holds the end of an answer that the
    sockets have no room for."""

    def __init__(self, stage, listen):
        self.stage = stage
        self.server = stage.server(response(PIECE))
        self.balancer = stage.balancer([self.server], listen=listen, threads=1)
        self.client, self.asked = self.connect(), 0
        while self.ask(self.client):
            self.asked += 1

    def connect(self):
        return self.stage.client(self.balancer, receive_buffer=4096)

    def ask(self, client, *fields):
        """Whether the request got through to the server."""
        before = len(self.server.requests)
        client.send(get("/", *fields))
        end = time.monotonic() + 0.3
        while len(self.server.requests) == before and time.monotonic() < end:
            time.sleep(0.001)
        return len(self.server.requests) > before

    def asks_for_the_last_time(self, count):
        """A client that has asked so often, and then says that it will not again."""
        client = self.connect()
        for _ in range(count - 1):
            self.ask(client)
        client.send(get("/", "Connection: close"))
        time.sleep(0.1)
        return client

    @staticmethod
    def takes(client, count):
        for _ in range(count):
            assert client.response().length == len(PIECE)


def test_an_answer_is_taken_slower_than_the_keep_alive_limit(stage):
    slow = SlowReader(stage, "timeout keep-alive 500ms head 500ms")
    time.sleep(1)
    slow.takes(slow.client, slow.asked + 1)


def test_the_last_answer_is_taken_slower_than_the_linger_limit(stage):
    slow = SlowReader(stage, "timeout linger 300ms")
    for count in (slow.asked - 1, slow.asked, slow.asked + 1):
        client = slow.asks_for_the_last_time(count)
        time.sleep(0.6)
        slow.takes(client, count)
        client.sees_the_end()


def test_a_client_that_sends_no_more_still_takes_its_last_answer(stage):
    slow = SlowReader(stage, "")
    for count in (slow.asked - 1, slow.asked, slow.asked + 1):
        client = slow.asks_for_the_last_time(count)
        client.finish()
        time.sleep(0.1)
        slow.takes(client, count)
        client.sees_the_end()


def test_a_drain_does_not_cut_an_answer_that_is_taken_slowly(stage):
    slow = SlowReader(stage, "")
    slow.balancer.signal(signal.SIGTERM)
    time.sleep(1)
    slow.takes(slow.client, slow.asked)


def test_a_connection_is_kept_when_room_and_the_last_bytes_are_told_together(stage):
    """The client's turn comes first, and reads all that the server has sent. What was told
    of the server is no reason any more to take its connection for closed."""
    last, lasts = threading.Event(), []

    def play(request, peer):
        if request.target == "/short":
            return response()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not peer_waits(peer):
            peer.send(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
        lasts.append(True)
        last.wait(PATIENCE)
        return b"0\r\n\r\n"

    def peer_waits(peer):
        """balancerd leaves what was sent unread."""
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            if not unread_from(peer.server.port):
                return False
            time.sleep(0.001)
        return True

    server = stage.server(play)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer, receive_buffer=4096)
    client.send(get("/long"))
    stage.until(lambda: lasts, "the client's connection is full", 60)
    balancer.signal(signal.SIGSTOP)
    takes_what_is_there(client)
    before = unread_from(server.port)
    last.set()
    stage.until(lambda: unread_from(server.port) > before, "the end is there")
    balancer.signal(signal.SIGCONT)
    assert client.response().status == 200
    assert client.get("/short").status == 200
    assert len(server.peers) == 1


def takes_what_is_there(client):
    """Leaves it to be looked at as a message later."""
    client.sock.settimeout(0.1)
    try:
        while client.reader.fill():
            pass
    except TimeoutError:
        client.sock.settimeout(PATIENCE)


def unread_from(port):
    """Bytes from this port that wait in the kernel to be read, at all connections to it."""
    lines = re.findall(rb" [0-9A-F]{8}:%04X [0-9A-F]{2} [0-9A-F]{8}:([0-9A-F]{8}) " % port,
                       Path("/proc/net/tcp").read_bytes())
    return sum(int(waiting, 16) for waiting in lines)


# Answers that come before the body


def goes_on_sending(client):
    """Takes no notice of the answer. A reset would make the second send fail."""
    for _ in range(2):
        time.sleep(0.1)
        client.sock.sendall(b"b" * 50_000)
    client.sees_the_end()
    assert not client.was_reset


def test_a_client_that_sends_on_after_a_refusal_is_not_reset(stage):
    client = stage.client(stage.balancer([stage.server()], listen="body-size 1k"))
    client.send(post_head("/", 100_000))
    assert client.response().status == 413
    goes_on_sending(client)


def test_a_client_that_sends_on_after_an_early_answer_is_not_reset(stage):
    def impatient(peer):
        peer.reader.until(b"\r\n\r\n", "in a head")
        peer.send(response("too large", "413 Content Too Large", "Connection: close"))
    client = stage.client(stage.balancer([stage.server(on_connection=impatient)]))
    client.send(post_head("/", 100_000))
    assert client.response().status == 413
    goes_on_sending(client)


# Tunnels

UPGRADE = get("/chat", "Connection: Upgrade", "Upgrade: websocket")
SWITCHING = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
             b"Upgrade: websocket\r\n\r\n")


def counts_after_its_end(received, begin):
    """A server that ends its half at once, and counts what still comes from `begin`."""
    def play(peer):
        peer.next_request()
        peer.send(SWITCHING)
        peer.finish()
        begin.wait(PATIENCE)
        while peer.reader.fill():
            pass
        received.append(len(peer.reader.waiting))
    return play


@pytest.mark.parametrize("size", [1000, 8_000_000], ids=["few", "many"])
def test_what_a_client_says_last_into_a_half_closed_tunnel_arrives(stage, size):
    received, begin = [], threading.Event()
    server = stage.server(on_connection=counts_after_its_end(received, begin))
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    assert client.ask(UPGRADE).status == 101
    client.sees_the_end()
    sender = stage.aside(lambda: (client.send(b"x" * size), client.finish()))
    if size == 1000:
        balancer.signal(signal.SIGSTOP)  # bytes and end are told together
        sender.result()
        balancer.signal(signal.SIGCONT)
    else:
        time.sleep(0.3)  # they wait in every buffer of the way
    begin.set()
    stage.until(lambda: received == [size], "all of it arrives")


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_ends_a_half_closed_tunnel(stage, who):
    half, over = threading.Event(), threading.Event()

    def play(peer):
        peer.next_request()
        peer.send(SWITCHING)
        if who == "server":
            peer.finish()
            half.wait(PATIENCE)
            peer.reset()
        else:
            while peer.reader.fill():
                pass
            half.set()
            over.wait(PATIENCE)

    balancer = stage.balancer([stage.server(on_connection=play)])
    balancer.logs("listening")  # and opens nothing more of its own
    before = balancer.descriptors()
    client = stage.client(balancer)
    assert client.ask(UPGRADE).status == 101
    if who == "client":
        client.finish()
        assert half.wait(PATIENCE)
        client.reset()
    else:
        client.sees_the_end()
        half.set()
    stage.until(lambda: balancer.descriptors() <= before, "both connections are closed")
    over.set()


# Clients that have said all


def test_a_client_that_sends_no_more_is_answered_by_a_new_connection_too(stage):
    """No connection to a server stands yet: its end is seen while one is dialed."""
    balancer = stage.balancer([stage.server()])
    client = stage.client(balancer)
    balancer.signal(signal.SIGSTOP)
    client.send(get("/"))
    client.finish()
    balancer.signal(signal.SIGCONT)
    assert client.response().status == 200


# Places for connections


def test_waiting_for_a_place_costs_nothing_even_on_two_threads(stage):
    answer = threading.Event()

    def waits(request, peer):
        answer.wait(PATIENCE)
        return response()

    server = stage.server(waits)
    balancer = stage.balancer([server], listen="connections 4", threads=2)
    clients = [stage.client(balancer) for _ in range(40)]  # some wait on each thread
    for client in clients:
        client.send(get("/", "Connection: close"))
    stage.until(
        lambda: sum(bool(peer.requests) for peer in server.peers) == 4, "four are served")
    before = balancer.cpu_seconds()
    time.sleep(0.5)
    assert balancer.cpu_seconds() - before < 0.2
    answer.set()
    for client in clients:
        assert client.response().status == 200


@pytest.mark.parametrize("places", [3, 8])
def test_as_many_clients_as_there_are_places_stay_connected(stage, places):
    balancer = stage.balancer([stage.server()], listen=f"connections {places}", threads=1)
    balancer.signal(signal.SIGSTOP)
    clients = [stage.client(balancer) for _ in range(places)]
    for client in clients:
        client.send(get("/"))
    balancer.signal(signal.SIGCONT)
    for client in clients:
        assert "connection" not in client.response().fields
    for client in clients:
        assert "connection" not in client.get("/").fields


def test_a_request_that_has_come_is_not_cut_off_for_somebody_elses_place(stage):
    """An idle connection gives way, but not one whose next request was sent before."""
    balancer = stage.balancer([stage.server()], listen="connections 1", threads=1)
    first = stage.client(balancer)
    assert "connection" not in first.get("/").fields
    balancer.signal(signal.SIGSTOP)
    second = stage.client(balancer)
    second.send(get("/"))
    first.send(get("/"))
    time.sleep(0.1)  # so that it has been idle for long when both are told of
    balancer.signal(signal.SIGCONT)
    assert first.response().status == 200
    first.close()
    assert second.response().status == 200


# Signals at the wrong moment


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
def test_a_signal_during_the_start_waits_for_its_end(stage, number):
    """So many names take a while to be looked up in vain."""
    port = stage.port()
    names = [f"n{i}.invalid:80" for i in range(1000)]
    directory = stage.directory_of_next()
    path = directory / "balancerd.conf"
    path.write_text(config(port, names, threads=1))
    balancer = Balancer(port, ["run", path], directory)
    stage.balancers.append(balancer)
    status, blocked = Path(f"/proc/{balancer.pid}/status"), 0
    for each in ("HUP", "INT", "USR1", "USR2", "TERM"):
        blocked |= 1 << (signal.Signals["SIG" + each] - 1)
    stage.until(lambda: f"SigBlk:\t{blocked:016x}" in status.read_text(),
                "it has blocked the signals")
    balancer.signal(number)
    if number == signal.SIGHUP:
        balancer.logs("reloaded")
        balancer.signal(signal.SIGTERM)
    assert balancer.wait() == 0


def test_a_reload_that_is_refused_changes_no_weight(stage):
    servers = stage.origins(2)
    balancer = stage.balancer(servers)
    taken = stage.server().port
    text = config(balancer.port, [f"{servers[0]} drain", f"{servers[1]} weight 50"])
    said = balancer.reload(text + f"listen http 127.0.0.1:{taken} {{ to web }}\n")
    assert "refused" in said
    assert stage.spread(balancer, 20) == {0: 10, 1: 10}


# Servers that are quick


def test_a_server_that_answers_unasked_is_heard(stage):
    """Its answer is there when balancerd learns that the connection stands: both are
    told at once, and nothing is told again."""
    full = Blackhole()
    stage.ports.append(full)
    balancer = stage.balancer([f"127.0.0.1:{full.number}"], pool="timeout connect 8s")
    client = stage.client(balancer)
    client.send(get("/"))
    time.sleep(0.2)
    balancer.signal(signal.SIGSTOP)
    full.listener.settimeout(PATIENCE)
    full.listener.listen(64)  # the next SYN of each finds room
    ours = {filler.getsockname() for filler in full.fillers}
    while True:
        server, peer = full.listener.accept()
        if peer not in ours:
            break
        server.close()
    server.sendall(response("busy", "503 Service Unavailable"))
    balancer.signal(signal.SIGCONT)
    assert client.response().body == b"busy"
    server.close()


# Queues


def test_a_request_that_may_not_take_a_place_lets_another_have_it(stage):
    """The first in the queue has been failed by the server that is free now."""
    answers = {"/long": threading.Event(), "/short": threading.Event()}

    def play(request, peer):
        if request.target in answers:
            answers[request.target].wait(PATIENCE)
        if request.target == "/choosy" and "/long" not in peer.server.targets:
            peer.reset()
            return None
        return response(request.target)

    servers = [stage.server(play), stage.server(play)]
    balancer = stage.balancer(servers, threads=1,
                              pool="parallel 1; queue 9 wait 8s; passive off")
    long, short, choosy, last = (stage.client(balancer) for _ in range(4))
    long.send(get("/long"))
    stage.until(lambda: any("/long" in s.targets for s in servers), "one is busy")
    failing = next(s for s in servers if "/long" not in s.targets)
    choosy.send(get("/choosy"))
    failing.waits_for(1)
    assert choosy.silent(0.1), "it waits for the other"
    short.send(get("/short"))
    failing.waits_for(2)
    last.send(get("/last"))
    assert last.silent(0.1), "both are busy"
    answers["/short"].set()
    assert last.response().body == b"/last"
    answers["/long"].set()
    for client, target in ((short, b"/short"), (long, b"/long"), (choosy, b"/choosy")):
        assert client.response().body == target


def test_a_server_is_not_blamed_for_a_client_that_does_not_read(stage):
    """The client's answers, which were held to leave together, fill its socket while the
    next one is awaited: that is there, and cannot be read."""
    def play(request, peer):
        if request.target == "/long":
            return response(PIECE)
        time.sleep(0.005)  # for longer than answers are held
        return response(b"s" * 4000)

    server = stage.server(play)
    balancer = stage.balancer([server], pool="timeout response 500ms", threads=1)
    full, longs = stage.client(balancer, receive_buffer=4096), 0
    while server_gets(server, full, get("/long")):
        longs += 1
    client, shorts = stage.client(balancer, receive_buffer=4096), 100
    for _ in range(longs - 2):
        assert server_gets(server, client, get("/long"))
    client.send(get("/short") * shorts)
    while grows(server.requests, 0.3):
        pass
    assert len(server.requests) < 2 * longs - 2 + shorts, "not all are answered"
    time.sleep(1)
    assert [client.response().status for _ in range(longs - 2 + shorts)] == \
        [200] * (longs - 2 + shorts)


def server_gets(server, client, request):
    """Whether what the client asks gets through to the server."""
    before = len(server.requests)
    client.send(request)
    return grows(server.requests, 0.3, before)


def grows(what, seconds, before=None):
    before = len(what) if before is None else before
    end = time.monotonic() + seconds
    while len(what) == before and time.monotonic() < end:
        time.sleep(0.001)
    return len(what) > before


def test_a_slow_reader_is_not_cut_while_it_takes_something(stage):
    """The kernel tells of room only when much of its buffer is free; a reader may take
    longer than the body's limit for that."""
    size = 6 << 20
    server = stage.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    balancer = stage.balancer([server], listen="timeout body 300ms")
    client = stage.client(balancer)
    client.send(GET)
    taken = 0
    until = time.monotonic() + 3
    while time.monotonic() < until:
        taken += len(client.sock.recv(8192))
        time.sleep(0.02)
    while taken < size and (piece := client.sock.recv(1 << 20)):
        taken += len(piece)
    assert taken > size


# A balancer that was stopped, or late


def stopped(balancer, seconds, meanwhile):
    """Stops it for so long, and until `meanwhile` has come."""
    balancer.signal(signal.SIGSTOP)
    begin = time.monotonic()
    try:
        meanwhile()
        time.sleep(max(0, begin + seconds - time.monotonic()))
    finally:
        balancer.signal(signal.SIGCONT)


def test_an_answer_that_came_while_it_was_stopped_is_no_504(stage):
    """The limit is over when it goes on; the answer came before."""
    answer = threading.Event()

    def play(request, peer):
        answer.wait(PATIENCE)
        return response("done")

    server = stage.server(play)
    balancer = stage.balancer([server], pool="timeout response 2s", threads=1)
    client = stage.client(balancer)
    client.send(get("/"))
    server.waits_for(1)
    time.sleep(0.3)  # it has begun to look after the client, too

    def comes():
        answer.set()
        stage.until(lambda: unread_from(server.port) > 0, "the answer is there")

    stopped(balancer, 2, comes)
    assert client.response().body == b"done"
