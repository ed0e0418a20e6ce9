"""Heads and routes: what goes through unchanged, and what a proxy has to change
(RFC 9110, RFC 9112).
"""

import pytest

from harness.message import Cut
from harness.requests import GET, get, post
from harness.server import response


# Heads


def test_method_target_and_fields_reach_the_server(one):
    one.client.send(b"PURGE /a%20b;c?d=e&f HTTP/1.1\r\nHost: test\r\n"
                    b"X-One: 1\r\nx-two:  a  b \t\r\nX-One: 3\r\nEmpty:\r\n\r\n")
    assert one.client.response().status == 200
    request = one.server.requests[0]
    assert request.line == b"PURGE /a%20b;c?d=e&f HTTP/1.1"
    assert request.fields.get("host") == "test"
    assert request.fields.all("x-one") == ["1", "3"]
    assert request.fields.get("x-two") == "a  b"
    assert request.fields.get("empty") == ""


@pytest.mark.parametrize("method", ["get", "M" * 32, "A!#$%&'*+-.^_`|~9"])
def test_a_method_nobody_knows_is_passed_on_as_it_is(one, method):
    one.client.send(f"{method} / HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    assert one.client.response().status == 200
    assert one.server.requests[0].method == method


def test_status_reason_and_fields_reach_the_client(stage):
    server = stage.server(response("x", "299 Odd But Fine", "X-One: 1", "X-One: 2",
                                   "Set-Cookie: a=b", "Set-Cookie: c=d"))
    answer = stage.get(stage.balancer([server]))
    assert (answer.status, answer.reason) == (299, "Odd But Fine")
    assert answer.fields.all("x-one") == ["1", "2"]
    assert answer.fields.all("set-cookie") == ["a=b", "c=d"]


@pytest.mark.parametrize("value", ["caf\xe9", "a\tb", '"quoted"', "~!@#$%^&*()"])
def test_any_allowed_byte_of_a_value_goes_both_ways(stage, value):
    server = stage.server(response("x", "200 OK", f"X-Value: {value}"))
    answer = stage.get(stage.balancer([server]), "/", f"X-Value: {value}")
    assert answer.fields.get("x-value") == value
    assert server.requests[0].fields.get("x-value") == value


def test_four_empty_lines_before_a_request_are_skipped(one):
    assert one.client.ask(b"\r\n" * 4 + GET, "GET").status == 200


def test_a_head_byte_by_byte(one):
    one.client.send_bytewise(get("/slowly", "X-Field: value"))
    assert one.client.response().status == 200
    assert one.server.requests[0].fields.get("x-field") == "value"


def test_a_response_byte_by_byte(stage):
    def bytewise(request, peer):
        for byte in response("hello", "200 OK", "X-Field: value"):
            peer.send(bytes([byte]))
    answer = stage.get(stage.balancer([stage.server(bytewise)]))
    assert answer.body == b"hello" and answer.fields.get("x-field") == "value"


# Fields that a proxy removes, sets and adds to


HOP_BY_HOP = ["Connection: keep-alive", "Keep-Alive: timeout=5",
              "Proxy-Connection: close", "TE: trailers, deflate", "Upgrade: websocket",
              "HTTP2-Settings: AAMAAABk"]


@pytest.mark.parametrize("field", HOP_BY_HOP)
def test_a_hop_by_hop_field_does_not_reach_the_server(one, field):
    one.client.get("/", field)
    name, _, value = field.partition(": ")
    values = one.server.requests[0].fields.all(name)
    assert value not in values
    assert name.lower() in ("connection", "te") or not values


def test_what_connection_names_does_not_reach_the_server(one):
    one.client.get("/", "X-Secret: 1", "Connection: X-Secret, x-other", "X-Other: 2",
                   "X-Kept: 3", "Connection: X-Third", "X-Third: 4")
    fields = one.server.requests[0].fields
    assert fields.get("x-kept") == "3"
    for gone in ("x-secret", "x-other", "x-third"):
        assert gone not in fields
    assert not any("x-" in value.lower() for value in fields.all("connection"))


def test_what_connection_names_does_not_reach_the_client(stage):
    server = stage.server(response("x", "200 OK", "Connection: X-Secret", "X-Secret: 1",
                                   "Keep-Alive: timeout=5", "X-Kept: 2",
                                   "Proxy-Connection: keep-alive"))
    fields = stage.client(stage.balancer([server])).get("/").fields
    assert fields.get("x-kept") == "2"
    for gone in ("x-secret", "keep-alive", "proxy-connection"):
        assert gone not in fields


def test_te_trailers_is_passed_on_only_as_trailers(one):
    one.client.get("/", "TE: trailers, deflate", "Connection: TE")
    values = one.server.requests[0].fields.all("te")
    assert values in ([], ["trailers"])


def test_a_server_that_closes_does_not_close_the_clients_connection(stage):
    def last(request, peer):
        peer.send(response("x", "200 OK", "Connection: close"))
        peer.close()
    server = stage.server(last)
    client = stage.client(stage.balancer([server], threads=1))
    for _ in range(3):
        answer = client.get("/")
        assert answer.status == 200 and "connection" not in answer.fields
    assert len(server.peers) == 3


def test_a_client_that_closes_does_not_close_the_servers_connection(stage):
    server = stage.server()
    balancer = stage.balancer([server], threads=1)
    for _ in range(5):
        client = stage.client(balancer)
        assert client.get("/", "Connection: close").fields.get("connection") == "close"
        client.sees_the_end()
    assert len(server.peers) == 1 and len(server.requests) == 5


def test_via_and_x_forwarded_are_set(one):
    one.client.get("/")
    fields = one.server.requests[0].fields
    assert fields.get("via") == "1.1 balancerd"
    assert fields.get("x-forwarded-for") == "127.0.0.1"
    assert fields.get("x-forwarded-proto") == "http"
    assert fields.get("x-forwarded-host") == "test"


def test_via_and_x_forwarded_for_are_added_to(one):
    one.client.get("/", "Via: 1.0 first", "X-Forwarded-For: 192.0.2.1",
                   "X-Forwarded-Proto: gopher", "X-Forwarded-Host: spoofed")
    fields = one.server.requests[0].fields
    joined = ", ".join(fields.all("via"))
    assert joined == "1.0 first, 1.1 balancerd"
    assert ", ".join(fields.all("x-forwarded-for")) == "192.0.2.1, 127.0.0.1"
    assert fields.get("x-forwarded-proto") == "http", "a client cannot set it"
    assert fields.get("x-forwarded-host") == "test", "a client cannot set it"


def test_via_names_the_version_that_came(one):
    one.client.send(get("/", version="1.0"))
    one.client.response()
    assert one.server.requests[0].fields.get("via") == "1.0 balancerd"
    assert one.server.requests[0].line == b"GET / HTTP/1.1"


def test_forwarded_by_choice(stage):
    server = stage.server()
    balancer = stage.balancer([server], listen="headers forwarded")
    stage.get(balancer)
    fields = server.requests[0].fields
    parts = set(fields.get("forwarded").lower().replace('"', "").split(";"))
    assert {"for=127.0.0.1", "proto=http", "host=test"} <= parts
    assert "via" not in fields and "x-forwarded-for" not in fields


def test_no_such_fields_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], listen="headers none"))
    names = server.requests[0].fields.names()
    assert not [n for n in names if "forwarded" in n or n == "via"]


# Host and the forms of a target


@pytest.mark.parametrize(
    "host", ["test", "test:8080", "127.0.0.1:80", "[::1]:80", "TeSt."])
def test_host_is_preserved(one, host):
    one.client.ask(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert one.server.requests[0].fields.get("host") == host


def test_host_of_the_server_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], pool="host server"))
    assert server.requests[0].fields.get("host") == str(server)


def test_a_fixed_host_by_choice(stage):
    server = stage.server()
    stage.get(stage.balancer([server], pool="host www.example.com"))
    assert server.requests[0].fields.get("host") == "www.example.com"


@pytest.mark.parametrize("target, line", [
    ("http://other/a?b", b"GET /a?b HTTP/1.1"),
    ("http://other", b"GET / HTTP/1.1"),
    ("http://other?b", b"GET /?b HTTP/1.1"),
    ("HTTP://other/", b"GET / HTTP/1.1"),
])
def test_an_absolute_target_becomes_a_path_and_its_authority_the_host(one, target, line):
    one.client.ask(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    assert one.server.requests[0].line == line
    assert one.server.requests[0].fields.get("host") == "other"


def test_options_of_the_whole_server(one):
    one.client.ask(b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n")
    assert one.server.requests[0].line == b"OPTIONS * HTTP/1.1"


def test_options_of_an_absolute_target_without_a_path_is_of_the_whole_server(one):
    """RFC 9112, section 3.2.4."""
    one.client.ask(b"OPTIONS http://other HTTP/1.1\r\nHost: other\r\n\r\n")
    assert one.server.requests[0].line == b"OPTIONS * HTTP/1.1"


# Routes


def test_routes_by_host_and_path(stage):
    api, files, rest = stage.origins(3)
    port = stage.port()
    balancer = stage.run(f"""
        threads 1
        listen http 127.0.0.1:{port} {{
            route host api.example.com path /v1/ to api
            route path /files/ to files
            route host *.example.org to files
            to rest
        }}
        pool api {{ check off; server {api} }}
        pool files {{ check off; server {files} }}
        pool rest {{ check off; server {rest} }}
    """, port)
    client = stage.client(balancer)

    def where(host, path):
        return client.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).body

    assert where("api.example.com", "/v1/users") == b"0"
    assert where("API.Example.COM", "/v1/users") == b"0"
    assert where("api.example.com:8080", "/v1/users") == b"0"
    assert where("api.example.com", "/v2/users") == b"2"
    assert where("any", "/files/x?y") == b"1"
    assert where("www.example.org", "/") == b"1"
    assert where("example.com", "/V1/") == b"2"
    assert where("other", "http://api.example.com/v1/") == b"0", "the authority decides"


def test_no_route_fits(stage):
    server = stage.server()
    port = stage.port()
    balancer = stage.run(f"""
        listen http 127.0.0.1:{port} {{ route host known to web }}
        pool web {{ check off; server {server} }}
    """, port)
    client = stage.client(balancer)
    assert client.get("/").status == 404
    assert client.ask(b"GET / HTTP/1.1\r\nHost: known\r\n\r\n").status == 200
    assert client.ask(post(b"x" * 1000)).status == 404
    assert len(server.requests) == 1


def test_a_body_cut_by_the_server_is_cut_for_the_client(stage):
    def dies(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        peer.reset()
    client = stage.client(stage.balancer([stage.server(dies)], pool="passive off"))
    with pytest.raises(Cut):
        client.get("/")
