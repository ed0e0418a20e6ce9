"""What becomes of TCP clients whose server leaves: moved where they cannot notice, closed
where no byte stream can be continued honestly."""

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from multiprocessing import Process

import psutil
import pytest

from harness.crowd import Crowd
from harness.echo import EchoServer, forget_what_the_test_holds
from harness.patience import PATIENCE, until
from harness.ports import accepts, share
from harness.stage import balancers


QUEUE = 64      # connections that a server has not accepted yet


def play(port, script):
    forget_what_the_test_holds()
    listener = socket.socket()
    share(listener)
    listener.bind(("127.0.0.1", port))
    listener.listen(QUEUE)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=script, args=[sock], daemon=True).start()


class Mortal:
    """A server in a process of its own, to be killed, that plays a script per connection."""

    def __init__(self, port, script):
        self.port, self.script = port, script
        self.start()

    def start(self):
        self.process = Process(target=play, args=(self.port, self.script), daemon=True)
        self.process.start()
        until(lambda: accepts(self.port), f"the server accepts on {self.port}")

    def kill(self):
        self.process.kill()
        self.process.join()

    @contextmanager
    def gone(self):
        """As if its host had lost its power: nothing is answered any more, no
        connection ends, none comes to be."""
        os.kill(self.process.pid, signal.SIGSTOP)
        fillers = []
        for _ in range(QUEUE + 3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            fillers.append(filler)
        try:
            yield
        finally:
            for filler in fillers:
                filler.close()
            os.kill(self.process.pid, signal.SIGCONT)

    def close(self):
        self.kill()

    def __str__(self):
        return f"127.0.0.1:{self.port}"


def swallow(sock):
    """Reads and never answers."""
    while sock.recv(65536):
        pass


def answer_once(sock):
    """Answers the first piece and no other."""
    if sock.recv(65536):
        sock.sendall(b"first")
    swallow(sock)


def answer_half(sock):
    """Begins an answer and does not end it."""
    if sock.recv(65536):
        while True:
            sock.sendall(b"part of it, ")
            time.sleep(0.002)


def greet(sock):
    sock.sendall(b"welcome")
    while piece := sock.recv(65536):
        sock.sendall(piece)


def end_when_told(sock):
    """Answers; ends the connection politely on `bye` a moment after it has answered."""
    while piece := sock.recv(65536):
        sock.sendall(piece)
        if piece == b"bye":
            time.sleep(0.2)
            break
    sock.close()


@pytest.fixture
def tcp(stage):
    """Starts servers with these scripts (None: an echo), and a balancer in front, which
    takes a short silence for the end of an answer."""
    def start(*scripts, **settings):
        settings.setdefault("pool", "redistribute idle quiet 10ms")
        servers = [Mortal(stage.port(), s) if s else EchoServer(stage.port())
                   for s in scripts]
        stage.servers += servers
        return servers, stage.balancer(servers, kind="tcp", **settings)
    return start


def join(stage, balancer, server, servers, say=b"", hear=b""):
    """A client that is joined to this server: the others are down meanwhile."""
    others = [s for s in servers if s is not server]
    for other in others:
        other.kill()
    client = stage.client(balancer)
    if say:
        client.send(say)
    if hear:
        client.receives(hear)
    until(lambda: connections_to(balancer, server), f"connected to {server}")
    for other in others:
        other.start()
    return client


def connections_to(balancer, server):
    """How many balancerd has."""
    return sum(c.status == "ESTABLISHED" and c.raddr and c.raddr.port == server.port
               for c in psutil.Process(balancer.pid).connections("tcp"))


def moved(balancer, clients):
    """The three counters, after the end."""
    for client in clients:
        client.close()
    balancer.terminate()
    line = balancer.logs("served pool=web retries")[0]
    figures = dict(word.split("=") for word in line.split() if "=" in word)
    return [int(figures[name]) for name in ("moved_replayed", "moved_idle", "not_moved")]


# Nothing answered yet


def test_what_was_not_answered_is_told_to_another_server(stage, tcp):
    servers, balancer = tcp(swallow, None)
    client = join(stage, balancer, servers[0], servers, say=b"hello ")
    client.send(b"again")
    time.sleep(0.05)
    servers[0].kill()
    client.receives(servers[1].name + b" hello again")
    client.send(b"more")
    client.receives(servers[1].name + b" more")
    assert moved(balancer, [client]) == [1, 0, 0]


def test_a_client_that_has_said_all_is_moved_with_its_end(stage, tcp):
    servers, balancer = tcp(swallow_all, None)
    client = join(stage, balancer, servers[0], servers, say=b"hello")
    client.finish()
    time.sleep(0.05)
    servers[0].kill()
    client.receives(servers[1].name + b" hello")
    client.sees_the_end()
    assert not client.was_reset
    assert moved(balancer, [client]) == [1, 0, 0]


def swallow_all(sock):
    """Goes on when the client has ended."""
    swallow(sock)
    time.sleep(PATIENCE)


def test_a_client_that_has_said_nothing_is_moved(stage, tcp):
    servers, balancer = tcp(swallow, None)
    client = join(stage, balancer, servers[0], servers)
    servers[0].kill()
    until(lambda: connections_to(balancer, servers[1]), "it is moved")
    client.send(b"hello")
    client.receives(servers[1].name + b" hello")
    assert moved(balancer, [client]) == [1, 0, 0]


def test_a_later_exchange_is_told_again_too(stage, tcp):
    servers, balancer = tcp(answer_once, None)
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    client.send(b"two")
    time.sleep(0.05)
    servers[0].kill()
    client.receives(servers[1].name + b" two")


def test_what_is_said_into_an_answer_is_not_told_again(stage, tcp):
    """As in a stream both ways: another server could make nothing of a piece of it."""
    servers, balancer = tcp(answer_once, None, pool="redistribute idle quiet 1s")
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    client.send(b"two")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()
    assert not connections_to(balancer, servers[1])


def test_who_has_not_been_heard_is_not_idle(stage, tcp):
    """The server dies with bytes of its client unread: what it said was not the end."""
    def answer_and_stop_reading(sock):
        if sock.recv(3):
            sock.sendall(b"first")
            time.sleep(PATIENCE)
    servers, balancer = tcp(answer_and_stop_reading, None)
    client = join(stage, balancer, servers[0], servers, say=b"one and more", hear=b"first")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()
    assert client.was_reset


def test_with_replay_only_the_first_exchange_is(stage, tcp):
    servers, balancer = tcp(answer_once, None, pool="redistribute replay")
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    client.send(b"two")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()
    client.close()


def test_with_replay_a_first_exchange_is(stage, tcp):
    servers, balancer = tcp(swallow, None, pool="redistribute replay")
    client = join(stage, balancer, servers[0], servers, say=b"one")
    time.sleep(0.05)
    servers[0].kill()
    client.receives(servers[1].name + b" one")


def test_who_has_said_more_than_the_buffer_takes_is_not_moved(stage, tcp):
    servers, balancer = tcp(swallow, None, pool="redistribute idle buffer 1k quiet 10ms")
    client = join(stage, balancer, servers[0], servers, say=b"a" * 1025)
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()


def test_who_has_said_as_much_is_moved(stage, tcp):
    servers, balancer = tcp(swallow, None, pool="redistribute idle buffer 1k quiet 10ms")
    client = join(stage, balancer, servers[0], servers, say=b"a" * 1024)
    time.sleep(0.05)
    servers[0].kill()
    client.receives(servers[1].name + b" " + b"a" * 1024)


def test_nobody_left_is_a_reset(stage, tcp):
    servers, balancer = tcp(swallow)
    client = stage.client(balancer)
    client.send(b"hello")
    time.sleep(0.1)
    servers[0].kill()
    client.sees_the_end()
    assert client.was_reset
    assert moved(balancer, [client]) == [0, 0, 1]


# Between exchanges


def test_between_exchanges_the_next_byte_goes_to_another_server(stage, tcp):
    servers, balancer = tcp(answer_once, None)
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    time.sleep(0.05)
    servers[0].kill()
    until(lambda: not connections_to(balancer, servers[0]), "the server is let go")
    assert client.silent(0.2)
    assert not connections_to(balancer, servers[1]), "nobody is dialed before it speaks"
    client.send(b"two")
    client.receives(servers[1].name + b" two")
    client.send(b"three")
    client.receives(servers[1].name + b" three")
    assert moved(balancer, [client]) == [0, 1, 0]


def test_a_parked_client_may_leave(stage, tcp):
    servers, balancer = tcp(answer_once, None)
    clients = [join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
               for _ in range(1)]
    time.sleep(0.05)
    servers[0].kill()
    until(lambda: not connections_to(balancer, servers[0]), "the server is let go")
    clients[0].finish()
    clients[0].sees_the_end()
    assert not clients[0].was_reset


def test_fifty_idle_clients_go_on_talking(stage):
    servers = [EchoServer(stage.port()) for _ in range(3)]
    stage.servers += servers
    balancer = stage.balancer(servers, kind="tcp", pool="redistribute idle quiet 10ms")
    crowd = Crowd(balancer.port, 50)
    crowd.round()
    time.sleep(0.1)
    servers[0].kill()
    crowd.round()
    crowd.round()
    assert not crowd.ended()
    lost = servers[0].name
    kept = [c for c in crowd.clients if c.servers[0] != lost]
    assert 0 < len(kept) < 50
    assert all(len(c.servers) == 1 for c in kept), "who had another server keeps it"
    assert all(c.server != lost for c in crowd.clients)
    crowd.close()
    assert moved(balancer, []) == [0, 50 - len(kept), 0]


def test_a_server_that_takes_its_time_to_die_is_known_as_dead(stage, tcp):
    """As of one with many connections: they end one after the other, and its listening
    socket last."""
    mine = []

    def echo_and_die(sock):
        mine.append(sock)
        while piece := sock.recv(65536):
            if piece == b"die":
                for one in list(mine):
                    with suppress(OSError):
                        one.shutdown(socket.SHUT_WR)
                    time.sleep(0.001)
                os._exit(1)
            sock.sendall(b"echo " + piece)
    servers, balancer = tcp(echo_and_die, None)
    clients = [stage.client(balancer) for _ in range(300)]
    theirs = 0
    for client in clients:
        client.send(b"one")
        theirs += client.sock.recv(100) == b"echo one"
    time.sleep(0.5)     # silence, many times the 10 ms that make an answer whole
    with socket.create_connection(("127.0.0.1", servers[0].port)) as sock:
        sock.sendall(b"die")
        until(lambda: not accepts(servers[0].port), "the server has died")
    for client in clients:
        client.send(b"two")
        client.receives(servers[1].name + b" two")
    assert moved(balancer, clients) == [0, theirs, 0]
    assert theirs > 100


def test_a_half_closed_client_is_not_parked(stage, tcp):
    def answer_the_end(sock):
        swallow(sock)
        sock.sendall(b"bye")
        time.sleep(PATIENCE)
    servers, balancer = tcp(answer_the_end, None)
    client = join(stage, balancer, servers[0], servers, say=b"one")
    client.finish()
    client.receives(b"bye")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()


# In the middle of an answer


def test_in_the_middle_of_an_answer_it_is_closed(stage, tcp):
    servers, balancer = tcp(answer_half, None, pool="redistribute idle quiet 500ms")
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"part of it, ")
    servers[0].kill()
    while True:
        try:
            if not client.sock.recv(65536):
                break
        except ConnectionResetError:
            break
    assert not connections_to(balancer, servers[1])


def test_a_server_that_greets_is_not_replaced(stage, tcp):
    servers, balancer = tcp(greet, greet)
    client = join(stage, balancer, servers[0], servers, hear=b"welcome")
    client.send(b"thanks")
    client.receives(b"thanks")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()
    client.close()


# Ends that are meant


def test_an_end_in_silence_of_a_living_server_is_passed_on(stage, tcp):
    servers, balancer = tcp(end_when_told)
    clients = [stage.client(balancer) for _ in range(5)]
    for client in clients:
        client.send(b"bye")
    for client in clients:
        client.receives(b"bye")
        client.sees_the_end()
        assert not client.was_reset
    assert moved(balancer, clients) == [0, 0, 0]


def test_a_reset_by_a_living_server_is_passed_on(stage):
    def refuse(peer):
        if peer.sock.recv(100):
            time.sleep(0.05)
            peer.reset()
    balancer = stage.balancer([stage.server(on_connection=refuse)], kind="tcp")
    client = stage.client(balancer)
    client.send(b"hello")
    client.sees_the_end()
    assert client.was_reset
    assert moved(balancer, [client]) == [0, 0, 0]


def test_an_end_right_after_an_answer_costs_no_question(stage):
    accepted = []

    def answer_and_end(peer):
        if peer.sock.recv(100):
            peer.send(b"that is all")
        accepted.append(1)
    balancer = stage.balancer([stage.server(on_connection=answer_and_end)], kind="tcp",
                              pool="redistribute idle quiet 1s")
    until(lambda: accepted, "the start's own connection is over")
    for _ in range(20):
        client = stage.client(balancer)
        client.send(b"hello")
        client.receives(b"that is all")
        client.sees_the_end()
        client.close()
    assert len(accepted) == 21


def test_without_redistribution_everybody_is_closed(stage, tcp):
    servers, balancer = tcp(answer_once, None, pool="redistribute off")
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    time.sleep(0.05)
    servers[0].kill()
    client.sees_the_end()
    assert moved(balancer, [client]) == [0, 0, 0]


# Servers that are taken out


def reload_with(balancer, servers, **settings):
    line = balancer.reload(balancers.config(balancer.port, servers, kind="tcp", **settings))
    assert "reloaded" in line


def test_a_removed_server_keeps_its_clients_for_the_drains_time(stage, tcp):
    servers, balancer = tcp(None, None, drain="600ms")
    client = join(stage, balancer, servers[0], servers, say=b"one",
                  hear=servers[0].name + b" one")
    reload_with(balancer, [servers[1]], drain="600ms")
    client.send(b"two")
    client.receives(servers[0].name + b" two")
    until(lambda: not connections_to(balancer, servers[0]), "its time is over")
    client.send(b"three")
    client.receives(servers[1].name + b" three")
    assert moved(balancer, [client]) == [0, 1, 0]


def test_a_removed_servers_unanswered_clients_are_moved_too(stage, tcp):
    servers, balancer = tcp(swallow, None, drain="300ms")
    client = join(stage, balancer, servers[0], servers, say=b"one")
    reload_with(balancer, [servers[1]], drain="300ms")
    client.receives(servers[1].name + b" one")
    assert moved(balancer, [client]) == [1, 0, 0]


def test_a_removed_server_in_the_middle_of_an_answer_is_cut(stage, tcp):
    servers, balancer = tcp(answer_half, None, drain="300ms")
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"part of it, ")
    reload_with(balancer, [servers[1]], drain="300ms")
    with pytest.raises(ConnectionResetError):
        while client.sock.recv(65536):
            pass
    assert moved(balancer, [client]) == [0, 0, 1]


def test_a_server_that_comes_back_in_time_keeps_its_clients(stage, tcp):
    servers, balancer = tcp(None, None, drain="500ms")
    client = join(stage, balancer, servers[0], servers, say=b"one",
                  hear=servers[0].name + b" one")
    reload_with(balancer, [servers[1]], drain="500ms")
    reload_with(balancer, servers, drain="500ms")
    time.sleep(0.8)
    client.send(b"two")
    client.receives(servers[0].name + b" two")
    assert moved(balancer, [client]) == [0, 0, 0]


# Servers that are gone without a word

GONE = {"check": "tcp every 100ms timeout 100ms fall 2", "pool": "timeout connect 300ms"}


def test_who_waits_for_a_host_that_is_gone_is_moved(stage, tcp):
    servers, balancer = tcp(swallow, None, **GONE)
    client = join(stage, balancer, servers[0], servers, say=b"hello")
    with servers[0].gone():
        client.receives(servers[1].name + b" hello")
        assert moved(balancer, [client]) == [1, 0, 0]


def test_the_next_byte_leaves_a_host_that_is_gone(stage, tcp):
    servers, balancer = tcp(answer_once, None, **GONE)
    client = join(stage, balancer, servers[0], servers, say=b"one", hear=b"first")
    with servers[0].gone():
        balancer.logs(f"down.*{servers[0]}")
        client.send(b"two")
        client.receives(servers[1].name + b" two")
        assert moved(balancer, [client]) == [0, 1, 0]


def test_a_server_that_only_counts_as_down_keeps_who_waits_for_it(stage, tcp):
    """Its port accepts, whatever its health check says."""
    def slowly(sock):
        if sock.recv(100) == b"hello":
            time.sleep(1.5)
            sock.sendall(b"done")
        swallow(sock)
    servers, balancer = tcp(slowly, slowly, check="http / every 100ms timeout 100ms fall 2")
    client = stage.client(balancer)
    client.send(b"hello")
    balancer.logs("down", times=2)
    client.receives(b"done")
    assert moved(balancer, [client]) == [0, 0, 0]
