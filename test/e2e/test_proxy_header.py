"""The PROXY header of trusted peers: who a request comes from."""

import json
import socket
import struct

import pytest

from harness.program import OUT
from harness.requests import get
from harness.server import response

GET = get("/")
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"


def block(command, family, body):
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


def ip4(source, destination):
    return (socket.inet_aton(source) + socket.inet_aton(destination)
            + struct.pack(">HH", 56324, 443))


def ip6(source, destination):
    return (socket.inet_pton(socket.AF_INET6, source)
            + socket.inet_pton(socket.AF_INET6, destination) + struct.pack(">HH", 1, 2))


BLOCK = block(0x21, 0x11, ip4("192.0.2.1", "198.51.100.7"))


def trusting(stage, server, listen="", **settings):
    return stage.balancer([server], listen="proxy-protocol from 127.0.0.1;" + listen,
                          **settings)


def seen(request):
    return request.fields.all("X-Forwarded-For")


@pytest.mark.parametrize("header, source", [
    (LINE, "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    (BLOCK, "192.0.2.1"),
    (block(0x21, 0x21, ip6("2001:db8::1", "2001:db8::2")), "2001:db8::1"),
    (block(0x21, 0x21, ip6("::ffff:192.0.2.9", "::ffff:192.0.2.8")), "192.0.2.9"),
    (block(0x21, 0x31, b"/a".ljust(216, b"\0")), "127.0.0.1"),
    (block(0x20, 0x00, b""), "127.0.0.1"),
    (block(0x20, 0x11, ip4("192.0.2.1", "192.0.2.2")), "127.0.0.1"),
    (block(0x21, 0x00, b""), "127.0.0.1"),
], ids=["line-4", "line-6", "line-unknown", "line-unknown-long", "block-4", "block-6",
        "block-mapped", "block-unix", "local", "local-with-addresses", "unspecified"])
def test_the_header_says_where_requests_come_from(stage, header, source):
    server = stage.server()
    client = stage.client(trusting(stage, server))
    assert client.ask(header + GET, "GET").status == 200
    assert client.ask(GET).status == 200
    assert [seen(request) for request in server.requests] == [[source], [source]]


def test_forwarded_and_the_access_log_name_the_source(stage, tmp_path):
    server, log = stage.server(), tmp_path / "access"
    balancer = trusting(stage, server, "headers forwarded",
                        top=f"access-log json to {log}")
    client = stage.client(balancer)
    client.ask(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" + GET, "GET")
    [forwarded] = server.requests[0].fields.all("Forwarded")
    assert 'for="[2001:db8::1]"' in forwarded
    stage.until(lambda: log.exists() and log.read_text().endswith("\n"), "a line is there")
    assert json.loads(log.read_text())["peer"] == "2001:db8::1"


def test_keys_go_by_the_source(stage):
    servers = stage.origins(3)
    balancer = stage.balancer(servers, listen="proxy-protocol from 127.0.0.1",
                              pool="balance ring")

    def chosen(number):
        line = b"PROXY TCP4 192.0.2.%d 198.51.100.7 5000 443\r\n" % number
        return stage.client(balancer).ask(line + GET, "GET").body
    first = [chosen(number) for number in range(30)]
    assert len(set(first)) == 3
    assert [chosen(number) for number in range(30)] == first


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["line", "block"])
def test_it_may_come_byte_by_byte(stage, header):
    server = stage.server()
    client = stage.client(trusting(stage, server))
    client.send_bytewise(header + GET)
    assert client.response().status == 200
    assert seen(server.requests[0]) == ["192.0.2.1"]


def test_what_is_pipelined_behind_it_is_answered_in_order(stage):
    server = stage.server(lambda request, peer: response(request.target))
    client = stage.client(trusting(stage, server))
    client.send(BLOCK + get("/1") + get("/2") + get("/3")[:10])
    assert [client.response().body for _ in range(2)] == [b"/1", b"/2"]
    client.send(get("/3")[10:])
    assert client.response().body == b"/3"


@pytest.mark.parametrize("begin, why", [
    (GET, "does not begin with a PROXY header"),
    (b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 99999\r\n" + GET, "malformed"),
    (b"PROXY " + b"x" * 200, "longer than 107 bytes"),
    (block(0x31, 0x11, ip4("192.0.2.1", "192.0.2.2")), "the version is not 2"),
    (block(0x21, 0x11, b"short"), "too short"),
    (block(0x21, 0x11, ip4("192.0.2.1", "192.0.2.2") + b"\x03\0\x04abcd"), "checksum"),
], ids=["missing", "port", "long", "version", "short", "checksum"])
def test_one_that_is_missing_or_bad_ends_the_connection(stage, begin, why):
    server = stage.server()
    balancer = trusting(stage, server)
    client = stage.client(balancer)
    client.send(begin)
    client.sees_the_end()
    assert not client.reader.received and not server.requests
    [line] = balancer.logs("PROXY header refused")
    assert why in line and "peer=127.0.0.1" in line and "refused=1" in line


def test_refusals_are_counted_and_not_all_said(stage):
    balancer = trusting(stage, stage.server())
    for _ in range(50):
        client = stage.client(balancer)
        client.send(GET)
        client.sees_the_end()

    def said():
        client = stage.client(balancer)
        client.send(GET)
        client.sees_the_end()
        return balancer.logs("PROXY header refused", within=1)[1:]
    second = stage.until(said, "a second line")[0]
    assert int(second.split("refused=")[1]) > 50
    assert len(balancer.logs("PROXY header refused")) == 2


def test_one_that_takes_too_long_ends_the_connection(stage):
    balancer = trusting(stage, stage.server(), "timeout head 200ms")
    silent, slow = stage.client(balancer), stage.client(balancer)
    slow.send(LINE[:20])
    slow.sees_the_end()
    silent.sees_the_end()
    assert "took too long" in balancer.logs("PROXY header refused")[0]


def test_one_that_ends_in_its_middle_is_said_and_a_mere_look_is_not(stage):
    balancer = trusting(stage, stage.server())
    stage.client(balancer).close()
    assert "PROXY header refused" not in balancer.log
    client = stage.client(balancer)
    client.send(BLOCK[:20])
    client.finish()
    client.sees_the_end()
    assert "ends in its middle" in balancer.logs("PROXY header refused")[0]


def test_a_peer_that_is_not_trusted_speaks_plain_http(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="proxy-protocol from 127.0.0.2/31")
    assert stage.get(balancer).status == 200
    assert seen(server.requests[0]) == ["127.0.0.1"]
    for header in LINE, BLOCK:
        assert stage.client(balancer).ask(header + GET, "GET").status == 400
    assert len(server.requests) == 1


@pytest.mark.skipif(OUT.name != "out", reason="sanitizers hold memory of their own")
def test_idle_connections_cost_no_more_than_without_it(stage):
    server, count = stage.server(), 300

    def memory(listen, header):
        balancer = stage.balancer([server], listen=listen)
        before = balancer.rss()
        for _ in range(count):
            client = stage.client(balancer)
            assert client.ask(header + GET, "GET").status == 200
        return (balancer.rss() - before) / count
    plain, named = memory("", b""), memory("proxy-protocol from 127.0.0.0/8", BLOCK)
    assert named < plain + 1024, (plain, named)
