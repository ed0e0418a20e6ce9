"""The PROXY header in TCP mode: of trusted peers, and for servers."""

import contextlib
import socket
import struct
import time

import pytest

from harness.patience import until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"


def block(command, family, body):
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


def ip4(source, destination, ports=(56324, 443)):
    return (socket.inet_aton(source) + socket.inet_aton(destination)
            + struct.pack(">HH", *ports))


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


NAME = tlv(0x02, b"example.com")     # PP2_TYPE_AUTHORITY
BLOCK = block(0x21, 0x11, ip4("192.0.2.1", "198.51.100.7") + NAME)


class Listener:
    """A server's script that notes what each connection has said."""

    def __init__(self):
        self.heard = []

    def __call__(self, peer):
        at = len(self.heard)
        self.heard.append(b"")
        while piece := peer.sock.recv(65536):
            self.heard[at] += piece
            peer.sock.sendall(b"yes")

    def hears(self, last):
        """Some connection ends with this; returns what came before it."""
        def found():
            return [said for said in self.heard if said.endswith(last)]
        return until(found, f"{last} is heard in {self.heard}")[0][:-len(last)]


def trusting(stage, script, pool="", listen=""):
    return stage.balancer([stage.server(on_connection=script)], kind="tcp", pool=pool,
                          listen="proxy-protocol from 127.0.0.1;" + listen)


# From peers


@pytest.mark.parametrize("header", [LINE, BLOCK, b"PROXY UNKNOWN\r\n", block(0x20, 0, b"")],
                         ids=["line", "block", "unknown", "local"])
def test_the_header_is_taken_off(stage, header):
    script = Listener()
    client = stage.client(trusting(stage, script))
    client.send(header + b"hello")
    client.receives(b"yes")
    assert script.hears(b"hello") == b""


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["line", "block"])
def test_it_may_come_in_pieces(stage, header):
    script = Listener()
    client = stage.client(trusting(stage, script))
    for i in range(len(header)):
        client.send(header[i:i + 1])
        time.sleep(0.001)
    client.send(b"hello")
    client.receives(b"yes")
    assert script.hears(b"hello") == b""


@pytest.mark.parametrize("bytes_sent", [b"hello, I am no proxy\r\n", b"PROXY TCP4 1 2 3 4\r\n",
                                        BLOCK[:-1]],
                         ids=["none", "bad", "cut"])
def test_without_a_good_one_the_connection_ends(stage, bytes_sent):
    script = Listener()
    balancer = trusting(stage, script)
    client = stage.client(balancer)
    client.send(bytes_sent)
    with contextlib.suppress(OSError):      # refused already
        client.finish()
    client.sees_the_end()
    balancer.logs("PROXY header refused")
    assert not any(b"hello" in said for said in script.heard)


def test_others_need_none(stage):
    script = Listener()
    balancer = stage.balancer([stage.server(on_connection=script)], kind="tcp",
                              listen="proxy-protocol from 192.0.2.0/24")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"yes")
    assert script.hears(b"hello") == b""


def test_a_client_of_a_proxy_has_the_key_of_its_address(stage):
    """The same named address has the same server, whoever it comes through."""
    servers = [stage.server(on_connection=lambda peer, name=name: (
        peer.sock.recv(100), peer.send(name))) for name in (b"a", b"b", b"c")]
    balancer = stage.balancer(servers, kind="tcp", pool="balance ring",
                              listen="proxy-protocol from 127.0.0.1")

    def server_of(host):
        client = stage.client(balancer)
        client.send(b"PROXY TCP4 192.0.2.%d 198.51.100.7 1 2\r\nhello" % host)
        name = client.sock.recv(1)
        client.close()
        return name
    names = [server_of(host) for host in range(24)]
    assert set(names) == {b"a", b"b", b"c"}
    assert names == [server_of(host) for host in range(24)]


# For servers


def test_servers_are_told_whom_they_serve_in_a_line(stage):
    script = Listener()
    balancer = stage.balancer([stage.server(on_connection=script)], kind="tcp",
                              pool="proxy-protocol v1")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"yes")
    port = client.sock.getsockname()[1]
    assert script.hears(b"hello") == (
        f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {balancer.port}\r\n".encode())


def test_servers_are_told_whom_they_serve_in_a_block(stage):
    script = Listener()
    balancer = stage.balancer([stage.server(on_connection=script)], kind="tcp",
                              pool="proxy-protocol v2")
    client = stage.client(balancer)
    client.send(b"hello")
    client.receives(b"yes")
    port = client.sock.getsockname()[1]
    header = script.hears(b"hello")
    assert header[:14] == SIGNATURE + b"\x21\x11"
    assert header[16:28] == ip4("127.0.0.1", "127.0.0.1", (port, balancer.port))


def test_a_server_that_speaks_first_is_told_too(stage):
    heard = []

    def greet(peer):
        heard.append(peer.sock.recv(100))
        peer.send(b"welcome")
        peer.sock.recv(1)
    client = stage.client(stage.balancer([stage.server(on_connection=greet)], kind="tcp",
                                         pool="proxy-protocol v1"))
    client.receives(b"welcome")
    assert heard[-1].startswith(b"PROXY TCP4 127.0.0.1 ")


def test_what_a_peer_said_is_passed_on(stage):
    script = Listener()
    client = stage.client(trusting(stage, script, pool="proxy-protocol v2"))
    client.send(BLOCK + b"hello")
    client.receives(b"yes")
    header = script.hears(b"hello")
    assert ip4("192.0.2.1", "198.51.100.7") in header
    assert NAME in header


def test_the_next_server_is_told_as_well(stage):
    first, second = Listener(), Listener()
    servers = [stage.server(on_connection=first), stage.server(on_connection=second)]
    servers[1].refuse()
    balancer = stage.balancer([servers[0], servers[1]], kind="tcp",
                              pool="proxy-protocol v1; redistribute idle quiet 10ms")
    client = stage.client(balancer)
    client.send(b"one")
    client.receives(b"yes")
    header = first.hears(b"one")
    time.sleep(0.05)
    servers[1].listen()
    servers[0].die()
    time.sleep(0.1)
    client.send(b"two")
    client.receives(b"yes")
    assert second.hears(b"two") == header
