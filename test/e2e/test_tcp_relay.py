"""What passes between a TCP client and its server: bytes, ends, resets, within limits."""

import hashlib
import random
import signal
import socket
import threading
import time

import pytest

from harness.flood import Flow, FloodServer, sizes
from harness.patience import PATIENCE, seconds_of, until
from harness.program import OUT
from harness.stage import balancers

MIB = 1 << 20
INSTRUMENTED = OUT.name != "out"        # sanitizers hold memory of their own


def echo(peer):
    """Gives everything back, until the client has ended."""
    while piece := peer.sock.recv(65536):
        peer.received_bytes = getattr(peer, "received_bytes", b"") + piece
        peer.sock.sendall(piece)


def tell_and_echo(name):
    """The same, with its name in front of each piece."""
    def script(peer):
        while piece := peer.sock.recv(65536):
            peer.sock.sendall(name + b" " + piece)
    return script


def everything(sock):
    """What comes until the end."""
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def how_it_ends(sock):
    try:
        everything(sock)
        return "end"
    except ConnectionResetError:
        return "reset"


@pytest.fixture
def tcp(stage):
    """Starts a balancer for these servers, one that relays TCP. The connection that has
    found out that it accepts is over by then."""
    def start(servers, **settings):
        balancer = stage.balancer(servers, kind="tcp", **settings)
        until(lambda: not any(server["in_flight"]
                              for server in balancer.control.servers().values()),
              "the start's own connection is over")
        return balancer
    return start


# Bytes and ends


def test_bytes_pass_both_ways(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)])
    client = stage.client(balancer)
    for word in b"one", b"two", b"x" * 10000:
        client.send(word)
        client.receives(word)
    client.finish()
    client.sees_the_end()
    pool = balancer.served("pool=web")
    assert pool["bytes_up"] == pool["bytes_down"] == 10006


def test_what_is_said_before_the_connection_is_accepted_arrives(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)])
    clients = [stage.client(balancer) for _ in range(50)]
    for number, client in enumerate(clients):
        client.send(b"number %d" % number)
        client.finish()
    for number, client in enumerate(clients):
        client.receives(b"number %d" % number)
        client.sees_the_end()


def test_urgent_bytes_hold_up_no_others(stage, tcp):
    """A read stops in front of an urgent byte, which is left out itself."""
    balancer = tcp([stage.server(on_connection=echo)])
    client = socket.create_connection(("127.0.0.1", balancer.port), PATIENCE)
    client.sendall(b"first")
    assert client.recv(5) == b"first"
    balancer.signal(signal.SIGSTOP)
    client.sendall(b"before")
    client.send(b"!", socket.MSG_OOB)
    client.sendall(b"behind")
    balancer.signal(signal.SIGCONT)
    came = b""
    while len(came) < len(b"beforebehind"):
        came += client.recv(100)
    assert came == b"beforebehind"
    client.close()


def test_a_server_may_speak_first(stage, tcp):
    def greet(peer):
        peer.send(b"220 ready\r\n")
        echo(peer)
    client = stage.client(tcp([stage.server(on_connection=greet)]))
    client.receives(b"220 ready\r\n")
    client.send(b"EHLO")
    client.receives(b"EHLO")


def test_a_client_that_has_said_all_still_gets_its_answer(stage, tcp):
    def count(peer):
        said = everything(peer.sock)
        time.sleep(0.1)
        peer.send(b"%d bytes" % len(said))
    client = stage.client(tcp([stage.server(on_connection=count)]))
    client.send(b"a" * 100000)
    client.finish()
    client.receives(b"100000 bytes")
    client.sees_the_end()
    assert not client.was_reset


def test_a_server_that_has_said_all_still_hears_the_client(stage, tcp):
    heard = []

    def speak_and_listen(peer):
        peer.send(b"that is all")
        peer.finish()
        if said := everything(peer.sock):
            heard.append(said)
    client = stage.client(tcp([stage.server(on_connection=speak_and_listen)]))
    client.receives(b"that is all")
    client.sees_the_end()
    time.sleep(0.05)
    client.send(b"but I have more")
    time.sleep(0.05)
    client.send(b", and more")
    client.close()
    until(lambda: heard == [b"but I have more, and more"], f"the server hears all: {heard}")


def test_a_client_that_says_nothing_and_ends_is_passed_on(stage, tcp):
    def daytime(peer):
        assert everything(peer.sock) == b""
        peer.send(b"noon")
    client = stage.client(tcp([stage.server(on_connection=daytime)]))
    client.finish()
    client.receives(b"noon")
    client.sees_the_end()


def test_a_clients_reset_reaches_the_server(stage, tcp):
    ends = []

    def listen(peer):
        if not peer.sock.recv(100):
            return
        peer.send(b"yes")
        ends.append(how_it_ends(peer.sock))
    client = stage.client(tcp([stage.server(on_connection=listen)]))
    client.send(b"hello")
    client.receives(b"yes")
    client.reset()
    until(lambda: ends, "the server sees the end")
    assert ends == ["reset"]


def test_a_clients_reset_reaches_a_server_that_takes_nothing(stage, tcp):
    ends = []
    let_go = threading.Event()

    def ignore(peer):
        if peer.sock.recv(1):
            let_go.wait(PATIENCE)
            ends.append(how_it_ends(peer.sock))
    balancer = tcp([stage.server(on_connection=ignore)])
    client = stage.client(balancer)
    client.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            client.sock.send(b"a" * 65536)
            time.sleep(0.001)
    client.reset()
    time.sleep(0.1)
    let_go.set()
    until(lambda: ends, "the server sees the end")
    assert ends == ["reset"]


def test_a_servers_reset_reaches_the_client(stage, tcp):
    def answer_and_break(peer):
        peer.sock.recv(100)
        peer.send(b"half of an ans")
        time.sleep(0.005)
        peer.reset()
    client = stage.client(tcp([stage.server(on_connection=answer_and_break)],
                              pool="redistribute idle quiet 1s"))
    client.send(b"well?")
    client.receives(b"half of an ans")
    client.sees_the_end()
    assert client.was_reset


def test_an_answer_that_comes_before_a_reset_arrives(stage, tcp):
    """As of a server that refuses the rest of what it is being sent."""
    def refuse(peer):
        peer.sock.recv(100)
        peer.send(b"too much")
        peer.close()        # unread bytes: the kernel resets
    client = stage.client(tcp([stage.server(on_connection=refuse)]))
    client.send(b"a" * 5 * MIB)
    client.sees_the_next(b"too much")


# Slow readers and much to read


def test_a_slow_reader_holds_the_writer(stage, tcp):
    block = random.Random(1).randbytes(MIB)
    sent = []

    def pour(peer):
        peer.sock.recv(1)
        for _ in range(64):
            peer.sock.sendall(block)
            sent.append(1)
    balancer = tcp([stage.server(on_connection=pour)])
    before = balancer.rss()
    clients = [stage.client(balancer, receive_buffer=16384) for _ in range(4)]
    for client in clients:
        client.send(b"!")
    time.sleep(1)
    assert len(sent) < 4 * 40, "the servers wait"
    assert INSTRUMENTED or balancer.rss() - before < 4 * MIB
    want = hashlib.sha256(block * 64).digest()
    for client in clients:
        assert hashlib.sha256(everything(client.sock)).digest() == want


def test_large_flows_arrive_whole(stage, tcp):
    server = FloodServer(stage.port())
    stage.servers.append(server)
    balancer = tcp([server])
    ups, downs = sizes(160 * MIB, 16, 1), sizes(160 * MIB, 16, 2)
    flows = [Flow(balancer.port, 2 * n, ups[n], downs[n], slow_server=n % 8 == 1,
                  slow_client=n % 8 == 2) for n in range(16)]
    for flow in flows:
        flow.join()
    assert [flow.received for flow in flows] == ["whole"] * 16
    heard = {}
    until(lambda: heard.update(server.heard()) or len(heard) == 16, "the server has all")
    assert set(heard.values()) == {"whole"}
    assert balancer.rss() < 64 * MIB


def test_a_bulk_flow_goes_back_to_words(stage, tcp):
    client = stage.client(tcp([stage.server(on_connection=echo)]))
    data = random.Random(2).randbytes(8 * MIB)
    for _ in range(3):
        sender = threading.Thread(target=client.send, args=[data])
        sender.start()
        got = b""
        while len(got) < len(data):
            got += client.sock.recv(MIB)
        sender.join()
        assert got == data
        for word in b"small", b"words", b"again":
            client.send(word)
            client.receives(word)


def test_idle_connections_hold_no_buffers(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)])
    first = stage.client(balancer)
    first.send(b"hello")
    first.receives(b"hello")
    before = balancer.rss()
    clients = [stage.client(balancer) for _ in range(400)]
    for client in clients:
        client.send(b"hello")
        client.receives(b"hello")
    assert INSTRUMENTED or balancer.rss() - before < 400 * 1024 + 200 * 1024


# Servers that do not take it


def test_a_refused_connection_goes_to_the_next_server(stage, tcp):
    gone = stage.port()
    balancer = tcp([f"127.0.0.1:{gone}", stage.server(on_connection=echo)])
    for _ in range(6):
        client = stage.client(balancer)
        client.send(b"hello")
        client.receives(b"hello")
        client.close()
    assert balancer.served("pool=web ")["retries"] > 0


def test_a_client_of_nobody_is_reset(stage, tcp):
    balancer = tcp([f"127.0.0.1:{stage.port()}", f"127.0.0.1:{stage.port()}"])
    with pytest.raises(ConnectionResetError):       # perhaps before connecting returns
        socket.create_connection(("127.0.0.1", balancer.port), PATIENCE).recv(1)


def test_connecting_has_a_limit(stage, tcp):
    balancer = tcp([f"127.0.0.1:{stage.blackhole()}"],
                   pool="timeout connect 200ms; retry 1")
    client = stage.client(balancer)
    seconds, _ = seconds_of(client.sees_the_end)
    assert 0.15 < seconds < 2
    assert client.was_reset


# Limits


def test_a_server_has_so_many_connections_and_others_wait(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)], pool="parallel 2")
    inside = [stage.client(balancer) for _ in range(2)]
    for client in inside:
        client.send(b"in")
        client.receives(b"in")
    waiting = [stage.client(balancer) for _ in range(3)]
    for client in waiting:
        client.send(b"me too")
    assert all(client.silent(0.1) for client in waiting)
    waiting.pop(1).close()
    inside[0].close()
    until(lambda: sum(not client.silent(0.02) for client in waiting) == 1, "one goes in")
    inside[1].close()
    for client in waiting:
        client.receives(b"me too")


def test_a_queue_has_a_length_and_a_time(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)],
                   pool="parallel 1; queue 1 wait 300ms")
    inside = stage.client(balancer)
    inside.send(b"in")
    inside.receives(b"in")
    first = stage.client(balancer)
    assert first.silent(0.05)
    with pytest.raises(ConnectionResetError):
        stage.client(balancer).sock.recv(1)
    first.sees_the_end()
    assert first.was_reset
    inside.send(b"still in")
    inside.receives(b"still in")


def test_silence_has_a_limit(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)], listen="timeout idle 400ms")
    client = stage.client(balancer)
    for _ in range(4):
        time.sleep(0.2)
        client.send(b"here")
        client.receives(b"here")
    seconds, _ = seconds_of(client.sees_the_end)
    assert 0.3 < seconds < 2
    assert not client.was_reset


def test_a_connection_has_a_lifetime(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)], listen="timeout lifetime 500ms")
    client = stage.client(balancer)

    def talk():
        try:
            while True:
                client.sock.sendall(b"word")
                if not client.sock.recv(100):
                    return
                time.sleep(0.02)
        except OSError:
            pass
    seconds, _ = seconds_of(talk)
    assert 0.4 < seconds < 2


def test_a_listener_has_so_many_connections(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)], listen="connections 2")
    first, second = (stage.client(balancer) for _ in range(2))
    for client in first, second:
        client.send(b"in")
        client.receives(b"in")
    third = stage.client(balancer)
    third.send(b"later")
    assert third.silent(0.1)
    first.close()
    third.receives(b"later")


# The listener and the process


def test_ipv6(stage):
    server, port = stage.server(on_connection=echo), stage.port()
    text = balancers.config(port, [server], kind="tcp").replace(
        f"listen tcp 127.0.0.1:{port}", f"listen tcp [::]:{port}")
    stage.run(text, port)
    with socket.create_connection(("::1", port), timeout=PATIENCE) as sock:
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"


def test_a_drain_lets_connections_go_on_and_cuts_them_in_the_end(stage, tcp):
    balancer = tcp([stage.server(on_connection=echo)], drain="700ms")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"hello")
    balancer.signal(15)
    balancer.logs("draining")
    time.sleep(0.2)
    client.send(b"still here")
    client.receives(b"still here")
    seconds, _ = seconds_of(client.sees_the_end)
    assert seconds < 2
    assert balancer.wait() == 0


def test_a_removed_listeners_connections_have_the_drains_time(stage, tcp):
    server = stage.server(on_connection=echo)
    balancer = tcp([server], drain="500ms")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"hello")
    other = stage.port()
    balancer.reload(balancers.config(other, [server], kind="tcp", drain="500ms"))
    client.send(b"still here")
    client.receives(b"still here")
    with pytest.raises(OSError):
        until(lambda: socket.create_connection(("127.0.0.1", balancer.port), 1).close(), "")
    seconds, _ = seconds_of(client.sees_the_end)
    assert seconds < 2
