"""Datagrams: flows that keep their server, and what becomes of them when it goes."""

import re
import socket
import threading
import time

import pytest

from harness.patience import PATIENCE
from harness.ports import share

LONGEST = 65_507
SILENCE = 0.3  # how long nothing comes, where nothing must


class EchoServer:
    """Answers each datagram with its own name and what came; remembers from where."""

    def __init__(self, stage, port=None, host="127.0.0.1"):
        self.host, self.port = host, port or stage.datagram_port()
        self.sources = set()
        self.sock = None
        self.start()
        stage.servers.append(self)

    def __str__(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        share(self.sock)
        self.sock.bind((self.host, self.port))
        threading.Thread(target=self.serve, args=[self.sock], daemon=True).start()

    def serve(self, sock):
        while True:
            try:
                data, source = sock.recvfrom(1 << 16)
            except OSError:
                return
            if sock is not self.sock:
                return
            self.sources.add(source[1])
            try:
                sock.sendto(self.answer(data), source)
            except OSError:
                pass

    def answer(self, data):
        return data if len(data) in (0, LONGEST) else f"{self.port} ".encode() + data

    def die(self):
        """From now on the port refuses: what comes is answered with ICMP."""
        sock, self.sock = self.sock, None
        # A thread that waits in recvfrom would keep the socket: wake it.
        waker = socket.socket(sock.family, socket.SOCK_DGRAM)
        waker.sendto(b"", (self.host, self.port))
        waker.close()
        time.sleep(0.05)
        sock.close()

    def close(self):
        if self.sock is not None:
            self.die()


class Client:
    def __init__(self, stage, port, host="127.0.0.1", source=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(PATIENCE)
        self.to = (host, port)
        stage.clients.append(self)

    def send(self, data):
        self.sock.sendto(data, self.to)

    def receive(self):
        data, self.answered_from = self.sock.recvfrom(1 << 16)
        return data

    def ask(self, data=b"x"):
        self.send(data)
        return self.receive()

    def server(self, data=b"x"):
        """The port of the server that answers."""
        name, echoed = self.ask(data).split(b" ", 1)
        assert echoed == data
        return int(name)

    def loses(self, data=b"x"):
        self.send(data)
        self.sock.settimeout(SILENCE)
        try:
            return not self.sock.recvfrom(1 << 16)
        except (socket.timeout, TimeoutError):
            return True
        finally:
            self.sock.settimeout(PATIENCE)

    def close(self):
        self.sock.close()


def config(port, servers, listen="", pool="", threads=1, host="127.0.0.1", drain="5s"):
    """Datagrams on this port; HTTP on the same, which tells when it is there."""
    lines = [f"threads {threads}", f"drain {drain}",
             f"listen udp {host}:{port} {{", "to echo", *listen.split(";"), "}",
             f"listen http 127.0.0.1:{port} {{", "to echo", "}",
             "pool echo {", "check off", *pool.split(";"),
             *(f"server {server}" for server in servers), "}"]
    return "\n".join(line.strip() for line in lines if line.strip()) + "\n"


def run(stage, servers, **settings):
    port = stage.datagram_port()
    return stage.run(config(port, servers, **settings), port)


def echoes(stage, count):
    return [EchoServer(stage) for _ in range(count)]


def figures(balancer):
    """What the last line about the UDP listener says, once it has ended."""
    balancer.terminate()
    line = [line for line in balancer.log.splitlines() if "datagrams_dropped" in line][-1]
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)(?:\s|$)", line)}


def test_a_flow_keeps_its_server_and_flows_spread(stage):
    servers = echoes(stage, 3)
    balancer = run(stage, servers)
    clients = [Client(stage, balancer.port) for _ in range(9)]
    first = [client.server() for client in clients]
    assert sorted(first) == sorted([server.port for server in servers] * 3)
    for _ in range(5):
        assert [client.server() for client in clients] == first
    assert sum(len(server.sources) for server in servers) == 9


def test_many_flows_over_two_loops_get_their_own_answers(stage):
    servers = echoes(stage, 4)
    balancer = run(stage, servers, threads=2)
    clients = [Client(stage, balancer.port) for _ in range(400)]
    for turn in range(3):
        for i, client in enumerate(clients):
            client.send(f"{turn}-{i}".encode())
        for i, client in enumerate(clients):
            assert client.receive().split(b" ")[1] == f"{turn}-{i}".encode()
    assert figures(balancer) == {"flows": 400, "flows_full": 0, "datagrams_dropped": 0}


def test_a_burst_of_one_flow_stays_in_order(stage):
    balancer = run(stage, echoes(stage, 1))
    client = Client(stage, balancer.port)
    client.ask()
    for _ in range(5):
        for i in range(100):
            client.send(b"%d" % i)
        assert [int(client.receive().split(b" ")[1]) for _ in range(100)] == list(range(100))


@pytest.mark.parametrize("length", [0, 1, 1472, 1473, 9000, LONGEST])
def test_datagrams_of_any_size_pass_unbroken(stage, length):
    server = EchoServer(stage)
    server.answer = lambda data: data
    balancer = run(stage, [server])
    client = Client(stage, balancer.port)
    data = bytes(i % 251 for i in range(length))
    for _ in range(3):
        assert client.ask(data) == data


def test_an_idle_flow_ends_and_its_client_begins_another(stage):
    server = EchoServer(stage)
    balancer = run(stage, [server], listen="timeout idle 300ms")
    client = Client(stage, balancer.port)
    for _ in range(6):      # busy for longer than the limit
        client.ask()
        time.sleep(0.1)
    assert len(server.sources) == 1
    busy = balancer.descriptors()
    stage.until(lambda: balancer.descriptors() < busy, "the flow's socket is closed")
    client.ask()
    assert len(server.sources) == 2


def test_answers_keep_a_flow_alive_too(stage):
    server = EchoServer(stage)
    balancer = run(stage, [server], listen="timeout idle 300ms")
    client = Client(stage, balancer.port)
    client.ask()
    [source] = server.sources
    for _ in range(6):
        time.sleep(0.1)
        server.sock.sendto(b"news", ("127.0.0.1", source))
        assert client.receive() == b"news"
    client.ask()
    assert server.sources == {source}


def test_flows_of_a_server_that_refuses_go_on_with_another(stage):
    servers = echoes(stage, 2)
    balancer = run(stage, servers)
    clients = [Client(stage, balancer.port) for _ in range(10)]
    before = [client.server() for client in clients]
    dead, other = servers
    dead.die()
    for client, was in zip(clients, before):
        if was == dead.port:
            # The kernel tells of the first one or two, which are lost.
            stage.until(lambda: not client.loses(), "another server answers")
        assert client.server() == other.port
    assert balancer.logs("is down")
    # What has come back is found by a later flow, not by those that have settled.
    assert all(client.server() == other.port for client in clients)


def test_the_only_server_is_asked_again_when_it_is_back(stage):
    server = EchoServer(stage)
    balancer = run(stage, [server], pool="passive off")
    client = Client(stage, balancer.port)
    client.ask()
    server.die()
    for _ in range(5):
        assert client.loses()
    server.start()

    def answers():
        return not client.loses()
    stage.until(answers, "it is asked again")


def test_flows_leave_a_server_that_a_reload_takes_out(stage):
    servers = echoes(stage, 3)
    balancer = run(stage, servers)
    clients = [Client(stage, balancer.port) for _ in range(9)]
    before = [client.server() for client in clients]
    gone, *stay = servers
    balancer.reload(config(balancer.port, stay))
    after = [client.server() for client in clients]
    for was, now in zip(before, after):
        assert now != gone.port
        assert was == gone.port or now == was
    assert [client.server() for client in clients] == after


def test_a_listener_that_a_reload_takes_out_is_silent_and_comes_back(stage):
    servers = echoes(stage, 1)
    balancer = run(stage, servers)
    client, port = Client(stage, balancer.port), balancer.port
    client.ask()
    text = config(port, servers)
    balancer.reload(re.sub(r"listen udp [^}]*}\n", "", text))
    assert client.loses()
    balancer.reload(text)
    stage.until(lambda: not client.loses(), "the listener is back")


def test_further_flows_than_allowed_are_dropped_and_counted(stage):
    balancer = run(stage, echoes(stage, 1), listen="connections 3", threads=2)
    clients = [Client(stage, balancer.port) for _ in range(5)]
    assert [client.loses() for client in clients] == [False, False, False, True, True]
    assert [client.loses() for client in clients] == [False, False, False, True, True]
    assert figures(balancer) == {"flows": 3, "flows_full": 4, "datagrams_dropped": 4}


def test_a_wildcard_listener_answers_from_the_address_that_was_asked(stage):
    balancer = run(stage, echoes(stage, 1), host="0.0.0.0", threads=2)
    client = Client(stage, balancer.port)
    for address in "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.0.0.1":
        client.to = (address, balancer.port)
        client.ask()
        assert client.answered_from == client.to


@pytest.mark.parametrize("host, server", [
    ("[::1]", "127.0.0.1"), ("[::]", "127.0.0.1"), ("[::]", "::1"), ("127.0.0.1", "::1"),
])
def test_ip6(stage, host, server):
    balancer = run(stage, [EchoServer(stage, host=server)], host=host)
    asked = ["::1", "127.0.0.2"] if host == "[::]" else [host.strip("[]")]
    for address in asked:
        client = Client(stage, balancer.port, address)
        client.ask()
        assert client.answered_from[:2] == client.to


def test_a_ring_sends_an_address_to_one_server_whoever_balances(stage):
    servers = echoes(stage, 4)
    balancers = [run(stage, servers, pool="balance ring", threads=n) for n in (1, 2)]
    sources = [f"127.0.1.{i}" for i in range(1, 31)]
    chosen = [[Client(stage, balancer.port, source=source).server() for source in sources]
              for balancer in balancers * 2]
    assert all(choice == chosen[0] for choice in chosen)
    assert len(set(chosen[0])) == 4


def test_port_and_address_are_the_key_where_that_is_asked(stage):
    servers = echoes(stage, 4)
    balancer = run(stage, servers, pool="balance ring;key address-port")
    clients = [Client(stage, balancer.port) for _ in range(40)]
    assert len({client.server() for client in clients}) == 4


def test_a_drain_waits_for_the_flows_that_still_speak(stage):
    balancer = run(stage, echoes(stage, 1))
    client, late = Client(stage, balancer.port), Client(stage, balancer.port)
    client.ask()
    balancer.signal(15)
    for _ in range(6):      # longer than the silence after which it would end
        time.sleep(0.25)
        client.ask()
    assert late.loses()
    began = time.monotonic()
    assert balancer.wait() == 0
    assert 0.3 < time.monotonic() - began < 3


def test_a_drain_without_flows_ends_at_once_and_a_long_one_at_its_limit(stage):
    servers = echoes(stage, 1)
    balancer = run(stage, servers)
    began = time.monotonic()
    assert balancer.terminate() == 0
    assert time.monotonic() - began < 0.5
    balancer = run(stage, servers, drain="600ms")
    client = Client(stage, balancer.port)
    client.ask()
    began = time.monotonic()
    balancer.signal(15)
    client.sock.settimeout(0.05)
    while balancer.process.poll() is None and time.monotonic() - began < PATIENCE:
        client.send(b"x")
        try:
            client.receive()
        except (socket.timeout, TimeoutError, ConnectionError):
            pass
    assert balancer.wait() == 0
    assert time.monotonic() - began < 2


def test_where_no_server_is_there_is_no_flow(stage):
    balancer = run(stage, [f"127.0.0.1:{stage.port()} drain"])
    for _ in range(5):
        assert Client(stage, balancer.port).loses()
    assert figures(balancer) == {"flows": 0, "flows_full": 0, "datagrams_dropped": 5}


def test_a_port_in_use_is_an_error_of_the_start(stage):
    taken = EchoServer(stage)
    port = stage.datagram_port()
    balancer = run(stage, [taken])
    text = config(port, [taken]).replace(f"udp 127.0.0.1:{port}", f"udp {taken}")
    assert "in use" in balancer.reload(text)
    assert Client(stage, balancer.port).server() == taken.port
