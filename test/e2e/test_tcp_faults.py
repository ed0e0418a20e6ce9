"""TCP clients and servers at their worst: what must come of ends, resets, moves and
reloads that meet at a bad moment."""

import contextlib
import socket
import threading
import time

import pytest

from harness.patience import PATIENCE, seconds_of, until
from harness.stage import balancers

MIB = 1 << 20


class UnixServer:
    """Plays a script for each connection, on a UNIX socket."""

    def __init__(self, path, script, backlog=128):
        self.path, self.script = str(path), script
        self.socks = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(backlog)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.socks.append(sock)
            time.sleep(0.003)
            threading.Thread(target=self.play, args=[sock], daemon=True).start()

    def play(self, sock):
        try:
            with sock:
                self.script(sock)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for sock in self.socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __str__(self):
        return f"unix:{self.path}"


def swallow(sock):
    """Reads and never answers."""
    while sock.recv(65536):
        pass


def echo(sock):
    while piece := sock.recv(65536):
        sock.sendall(piece)


def echo_of(name):
    """An echo that says who it is."""
    def script(sock):
        while piece := sock.recv(65536):
            sock.sendall(name + b" " + piece)
    return script


def of_peer(script):
    """The same script for a server of the stage."""
    return lambda peer: script(peer.sock)


@pytest.fixture
def unix(stage):
    """Starts a server on a UNIX socket."""
    def start(name, script, **settings):
        server = UnixServer(stage.directory / name, script, **settings)
        stage.servers.append(server)
        return server
    return start


@pytest.fixture
def tcp(stage):
    def start(servers, **settings):
        return stage.balancer(servers, kind="tcp", **settings)
    return start


# UNIX sockets as servers


def test_the_end_of_a_unix_server_is_no_reset(stage, unix, tcp):
    def answer(sock):
        sock.recv(100)
        sock.sendall(b"that is all")
    client = stage.client(tcp([unix("a", answer)]))
    client.send(b"well?")
    client.receives(b"that is all")
    client.sees_the_end()
    assert not client.was_reset


def test_a_long_answer_of_a_unix_server_arrives_whole(stage, unix, tcp):
    def answer(sock):
        sock.recv(100)
        sock.sendall(b"a" * 3 * MIB)
    client = stage.client(tcp([unix("a", answer)]), receive_buffer=16384)
    client.send(b"well?")
    time.sleep(0.3)
    client.receives(b"a" * 3 * MIB)
    client.sees_the_end()
    assert not client.was_reset


def test_a_unix_server_with_a_short_queue_takes_a_burst(stage, unix, tcp):
    balancer = tcp([unix("a", echo, backlog=2)])
    clients = [stage.client(balancer) for _ in range(40)]
    for client in clients:
        client.send(b"hello")
    for client in clients:
        client.receives(b"hello")


def test_who_moves_from_a_removed_unix_server_stays_with_the_next(stage, unix, tcp):
    first, second = unix("a", swallow), unix("b", echo_of(b"b"))
    balancer = tcp([first], drain="200ms")
    clients = [stage.client(balancer) for _ in range(5)]
    for client in clients:
        client.send(b"hello")
    time.sleep(0.1)
    line = balancer.reload(balancers.config(balancer.port, [second], kind="tcp",
                                            drain="200ms"))
    assert "reloaded" in line
    for client in clients:
        client.receives(b"b hello")
    time.sleep(0.5)
    for client in clients:
        client.send(b"again")
        client.receives(b"b again")
    assert balancer.served("pool=web retries")["moved_replayed"] == 5


# Clients that are parked


@pytest.mark.parametrize("piece", [12000, 65536])
def test_who_is_owed_bytes_upwards_is_not_parked(stage, tcp, piece):
    """What the server has not taken is the rest of something: nobody else can use it."""
    go = threading.Event()
    first, others = [], []

    def answer_early(peer):
        if not peer.sock.recv(1):
            return
        if first:
            others.append(peer)
            return
        first.append(peer)
        go.wait(PATIENCE)
        peer.send(b"early")
        time.sleep(0.1)
        peer.server.refuse()
        peer.reset()
    servers = [stage.server(on_connection=answer_early) for _ in range(2)]
    client = stage.client(tcp(servers))
    client.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        while True:
            client.sock.sendall(b"a" * piece)
            time.sleep(0.0005)
    client.sock.settimeout(PATIENCE)
    go.set()
    client.receives(b"early")
    client.sees_the_end()
    assert client.was_reset
    assert not others


# Fairness


def test_neither_direction_starves_the_other(stage, tcp):
    stop = threading.Event()
    came = [0, 0]       # at servers, at clients

    def pour(sock):
        block = b"a" * MIB
        while not stop.is_set():
            sock.sendall(block)

    def drink(sock, side):
        while not stop.is_set():
            came[side] += len(sock.recv(MIB))

    def both(peer):
        if peer.sock.recv(1):
            stage.aside(pour, peer.sock)
            drink(peer.sock, 0)
    clients = []
    balancer = tcp([stage.server(on_connection=both)])
    for _ in range(8):
        clients.append(stage.client(balancer))
        clients[-1].send(b"!")
        stage.aside(pour, clients[-1].sock)
        stage.aside(drink, clients[-1].sock, 1)
    try:
        until(lambda: min(came) > 64 * MIB, "much has come at either side")
    finally:
        stop.set()
        for client in clients:
            with contextlib.suppress(OSError):      # its server may have ended it already
                client.sock.shutdown(socket.SHUT_RDWR)


# Reloads


def test_a_listener_may_turn_from_http_to_tcp(stage, tcp):
    def greet(peer):
        peer.send(b"welcome")
        swallow(peer.sock)
    server = stage.server(on_connection=greet)
    balancer = stage.balancer([server], listen="connections 100")
    line = balancer.reload(balancers.config(balancer.port, [server], kind="tcp"))
    assert "reloaded" in line
    client = stage.client(balancer)
    seconds, _ = seconds_of(lambda: client.receives(b"welcome"))
    assert seconds < 1


def test_connections_of_a_kind_that_a_removed_listener_had_end_too(stage, tcp):
    server = stage.server(on_connection=of_peer(echo))
    balancer = tcp([server], drain="300ms")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"hello")
    balancer.reload(balancers.config(balancer.port, [server], drain="300ms"))
    other = stage.port()
    balancer.reload(balancers.config(other, [server], kind="tcp", drain="300ms"))
    seconds, _ = seconds_of(client.sees_the_end)
    assert seconds < 2


# Figures


def test_who_waits_too_long_for_a_place_is_counted(stage, tcp):
    balancer = tcp([stage.server(on_connection=of_peer(echo))],
                   pool="parallel 1; queue 1 wait 200ms")
    inside = stage.client(balancer)
    inside.send(b"in")
    inside.receives(b"in")
    stage.client(balancer).sees_the_end()
    inside.close()
    assert balancer.served("pool=web retries")["queue_timeouts"] == 1


# Time


def test_a_slow_upload_is_not_idle(stage, tcp):
    """Its last bytes wait in the kernel, and the server takes them all the time."""
    size = 2 * MIB

    def drink(peer):
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        got = 0
        while got < size:
            piece = peer.sock.recv(32768)
            if not piece:
                return
            got += len(piece)
            time.sleep(0.03)
        peer.send(b"thanks")
        peer.sock.recv(1)
    client = stage.client(tcp([stage.server(on_connection=drink)],
                              listen="timeout idle 500ms"))
    client.send(b"a" * size)
    client.receives(b"thanks")
