"""What two readers could understand in two ways is refused (RFC 9112, section 11).

Every case is sent with a second request behind it in the same segment. Whatever the
first one is taken for: it is answered once, the connection ends, the second one is
read by nobody, and balancerd goes on serving others.
"""

from dataclasses import dataclass

import pytest

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"


@dataclass
class Bad:
    shows: str
    request: bytes
    status: tuple = (400,)
    forwarded: bool = False     # its head is good, so the server may have seen it


def head(*lines, start=b"POST / HTTP/1.1", host=b"Host: test"):
    """A head with these field lines, ended properly."""
    every = [start, *([host] if host else []), *lines, b"", b""]
    return b"\r\n".join(every)


def chunked(body):
    return head(b"Transfer-Encoding: chunked") + body


FIRST_LINE = [
    Bad("a-line-of-rubbish", b"hello\r\n\r\n"),
    Bad("a-tls-client-hello",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32)),
    Bad("a-socks-greeting", b"\x05\x01\x00\r\n\r\n"),
    Bad("a-version-0.9-request", b"GET /\r\n"),
    Bad("a-lone-method", b"GET\r\n\r\n"),
    Bad("no-target", b"GET HTTP/1.1\r\nHost: test\r\n\r\n"),
    Bad("an-empty-target", b"GET  HTTP/1.1\r\nHost: test\r\n\r\n"),
    Bad("the-http2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,)),
    Bad("version-2.0", head(start=b"GET / HTTP/2.0"), (505,)),
    Bad("version-3.1", head(start=b"GET / HTTP/3.1"), (505,)),
    Bad("a-version-with-a-tail", head(start=b"GET / HTTP/1.1x")),
    Bad("a-version-of-two-digits", head(start=b"GET / HTTP/1.10")),
    Bad("a-version-of-one-number", head(start=b"GET / HTTP/1")),
    Bad("a-version-in-lower-case", head(start=b"GET / http/1.1")),
    Bad("another-protocol", head(start=b"GET / ICAP/1.1")),
    Bad("two-spaces-before-the-target", head(start=b"GET  / HTTP/1.1")),
    Bad("two-spaces-before-the-version", head(start=b"GET /  HTTP/1.1")),
    Bad("tabs-between-the-words", head(start=b"GET\t/\tHTTP/1.1")),
    Bad("a-space-after-the-version", head(start=b"GET / HTTP/1.1 ")),
    Bad("a-space-before-the-method", head(start=b" GET / HTTP/1.1")),
    Bad("a-space-in-the-target", head(start=b"GET /a b HTTP/1.1")),
    Bad("a-tab-in-the-target", head(start=b"GET /a\tb HTTP/1.1")),
    Bad("a-fragment-in-the-target", head(start=b"GET /a#b HTTP/1.1")),
    Bad("a-byte-above-127-in-the-target", head(start=b"GET /caf\xc3\xa9 HTTP/1.1")),
    Bad("a-nul-in-the-target", head(start=b"GET /a\0b HTTP/1.1")),
    Bad("a-delete-byte-in-the-target", head(start=b"GET /a\x7fb HTTP/1.1")),
    Bad("a-target-without-a-slash", head(start=b"GET index.html HTTP/1.1")),
    Bad("an-authority-with-get", head(start=b"GET test:80 HTTP/1.1")),
    Bad("an-asterisk-with-get", head(start=b"GET * HTTP/1.1")),
    Bad("a-path-with-connect", head(start=b"CONNECT / HTTP/1.1"), (400, 501)),
    Bad("connect",
        head(start=b"CONNECT test:80 HTTP/1.1", host=b"Host: test:80"), (501,)),
    Bad("user-information-in-the-target", head(start=b"GET http://me:pw@test/ HTTP/1.1")),
    Bad("an-absolute-target-without-a-host", head(start=b"GET http:///path HTTP/1.1")),
    Bad("an-absolute-target-of-ftp", head(start=b"GET ftp://test/ HTTP/1.1")),
    Bad("a-byte-above-127-in-the-method", head(start=b"G\xc9T / HTTP/1.1")),
    Bad("a-separator-in-the-method", head(start=b"GE(T / HTTP/1.1")),
    Bad("a-colon-in-the-method", head(start=b"GET: / HTTP/1.1")),
    Bad("a-nul-in-the-method", head(start=b"G\0T / HTTP/1.1")),
    Bad("a-method-of-33-bytes", head(start=b"M" * 33 + b" / HTTP/1.1")),
    Bad("five-empty-lines-before-the-first", b"\r\n" * 5 + head(start=b"GET / HTTP/1.1")),
    Bad("a-bare-lf-after-the-first-line", b"GET / HTTP/1.1\nHost: test\r\n\r\n"),
    Bad("a-bare-cr-after-the-first-line", b"GET / HTTP/1.1\rHost: test\r\n\r\n"),
    Bad("two-crs-after-the-first-line", b"GET / HTTP/1.1\r\r\nHost: test\r\n\r\n"),
]

FIELD_LINES = [
    Bad("a-space-before-the-colon", head(b"Name : value")),
    Bad("a-tab-before-the-colon", head(b"Name\t: value")),
    Bad("no-colon", head(b"Name value")),
    Bad("an-empty-name", head(b": value")),
    Bad("a-space-in-a-name", head(b"Na me: value")),
    Bad("a-separator-in-a-name", head(b"Na(me): value")),
    Bad("a-byte-above-127-in-a-name", head(b"N\xe4me: value")),
    Bad("a-nul-in-a-name", head(b"Na\0me: value")),
    Bad("a-control-byte-before-a-name", head(b"\x0bName: value")),
    Bad("a-space-before-the-first-name",
        b"GET / HTTP/1.1\r\n Name: value\r\nHost: test\r\n\r\n"),
    Bad("a-nul-in-a-value", head(b"Name: a\0b")),
    Bad("a-control-byte-in-a-value", head(b"Name: a\x01b")),
    Bad("a-delete-byte-in-a-value", head(b"Name: a\x7fb")),
    Bad("a-bare-cr-in-a-value", head(b"Name: a\rb")),
    Bad("a-bare-cr-before-a-field", head(b"Name: a\rTransfer-Encoding: chunked")),
    Bad("a-bare-lf-in-a-value", head(b"Name: a\nOther: b")),
    Bad("a-bare-lf-as-the-empty-line", b"GET / HTTP/1.1\r\nHost: test\r\n\n"),
    Bad("bare-lfs-only", b"GET / HTTP/1.1\nHost: test\n\n"),
    Bad("a-bare-cr-as-the-empty-line", b"GET / HTTP/1.1\r\nHost: test\r\n\r\r\n"),
    Bad("a-line-folded-with-a-space", head(b"Name: a", b" b")),
    Bad("a-line-folded-with-a-tab", head(b"Name: a", b"\tb")),
    Bad("a-folded-line-of-blanks", head(b"Name: a", b" ")),
    Bad("a-folded-coding", head(b"Transfer-Encoding:", b" chunked") + b"0\r\n\r\n"),
    Bad("a-folded-length", head(b"Content-Length: 1", b" 0")),
]

HOSTS = [
    Bad("no-host", head(host=None)),
    Bad("two-hosts", head(b"Host: other")),
    Bad("the-same-host-twice", head(b"Host: test")),
    Bad("two-hosts-in-one-field", head(host=b"Host: test, other")),
    Bad("a-space-in-the-host", head(host=b"Host: te st")),
    Bad("a-path-in-the-host", head(host=b"Host: test/path")),
    Bad("user-information-in-the-host", head(host=b"Host: me@test")),
    Bad("a-host-with-two-ports", head(host=b"Host: test:80:80")),
    Bad("a-host-with-a-word-as-port", head(host=b"Host: test:http")),
    Bad("a-host-with-an-open-bracket", head(host=b"Host: [::1")),
    Bad("an-absolute-target-but-two-hosts",
        head(b"Host: other", start=b"GET http://test/ HTTP/1.1")),
]

LENGTHS = [
    Bad(f"content-length-{name}", head(b"Content-Length: " + value) + b"hello")
    for name, value in {
        "with-a-plus": b"+5", "with-a-minus": b"-5", "minus-zero": b"-0",
        "in-hexadecimal": b"0x5", "with-a-point": b"5.0", "with-an-exponent": b"5e0",
        "with-a-space-inside": b"5 5", "with-a-word": b"five", "empty": b"",
        "as-a-list-of-equals": b"5,5", "as-a-list-with-blanks": b"5 , 6",
        "as-a-list-with-a-gap": b"5,", "in-quotes": b'"5"', "with-a-semicolon": b"5;",
        "with-a-unit": b"5b", "with-an-underscore": b"1_0",
        "with-a-vertical-tab": b"\x0b5", "in-arabic-digits": "٥".encode(),
        "beyond-64-bits": b"18446744073709551616",
        "of-one-more-than-wraps-to-5": b"18446744073709551621",
        "of-forty-digits": b"9" * 40,
    }.items()
] + [
    Bad("two-content-lengths",
        head(b"Content-Length: 5", b"Content-Length: 6") + b"hello"),
    Bad("the-same-content-length-twice",
        head(b"Content-Length: 5", b"Content-Length: 5") + b"hello"),
    Bad("two-content-lengths-in-two-cases",
        head(b"Content-Length: 5", b"CONTENT-LENGTH: 0") + b"hello"),
    Bad("content-length-and-an-empty-one",
        head(b"Content-Length: 5", b"Content-Length:") + b"hello"),
    Bad("content-length-before-chunked",
        head(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    Bad("content-length-after-chunked",
        head(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"0\r\n\r\n"),
    Bad("content-length-zero-and-chunked",
        head(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    Bad("content-length-and-an-unknown-coding",
        head(b"Content-Length: 5", b"Transfer-Encoding: gzip") + b"hello", (400, 501)),
]

CODINGS = [
    Bad(f"coding-{name}", head(b"Transfer-Encoding: " + value) + b"0\r\n\r\n", (400, 501))
    for name, value in {
        "gzip": b"gzip", "identity": b"identity", "empty": b"", "xchunked": b"xchunked",
        "chunked-with-a-tail": b"chunkedx", "chunked-in-quotes": b'"chunked"',
        "chunked-twice": b"chunked, chunked", "chunked-not-last": b"chunked, identity",
        "gzip-then-chunked": b"gzip, chunked",
        "identity-then-chunked": b"identity, chunked",
        "chunked-with-a-parameter": b"chunked;q=1", "two-words": b"chunked chunked",
        "chunked-behind-a-vertical-tab": b"\x0bchunked",
        "chunked-behind-a-nul": b"\0chunked", "chunked-before-a-nul": b"chunked\0",
        "long-s-in-chunked": b"\xc5\xbfchunked", "cow": b"cow, chunked",
    }.items()
] + [
    Bad("chunked-in-two-fields",
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
        + b"0\r\n\r\n"),
    Bad("chunked-and-another-field-of-codings",
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity")
        + b"0\r\n\r\n", (400, 501)),
    Bad("another-field-of-codings-and-chunked",
        head(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked")
        + b"0\r\n\r\n", (400, 501)),
    Bad("a-space-before-the-colon-of-the-coding",
        head(b"Transfer-Encoding : chunked") + b"0\r\n\r\n"),
    Bad("a-space-before-the-name-of-the-coding",
        head(b"X: y", b" Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    Bad("chunked-in-version-1.0",
        head(b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0") + b"0\r\n\r\n"),
]

CHUNKS = [
    Bad(f"chunk-{name}", chunked(body), forwarded=True)
    for name, body in {
        "size-in-0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "size-with-a-plus": b"+5\r\nhello\r\n0\r\n\r\n",
        "size-with-a-minus": b"-5\r\nhello\r\n0\r\n\r\n",
        "size-with-a-space-before": b" 5\r\nhello\r\n0\r\n\r\n",
        "size-with-a-space-after": b"5 \r\nhello\r\n0\r\n\r\n",
        "size-with-a-tab-after": b"5\t\r\nhello\r\n0\r\n\r\n",
        "size-empty": b"\r\nhello\r\n0\r\n\r\n",
        "size-missing-before-an-extension": b";a=b\r\nhello\r\n0\r\n\r\n",
        "size-not-hexadecimal": b"5g\r\nhello\r\n0\r\n\r\n",
        "size-with-an-underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
        "size-with-a-comma": b"5,5\r\nhello\r\n0\r\n\r\n",
        "size-of-65-bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        "size-of-many-digits": b"F" * 40 + b"\r\nhello\r\n0\r\n\r\n",
        "size-beyond-any-line": b"0" * 300 + b"5\r\nhello\r\n0\r\n\r\n",
        "line-ending-in-lf": b"5\nhello\r\n0\r\n\r\n",
        "line-ending-in-cr": b"5\rhello\r\n0\r\n\r\n",
        "line-ending-in-cr-cr-lf": b"5\r\r\nhello\r\n0\r\n\r\n",
        "data-too-long": b"5\r\nhelloo\r\n0\r\n\r\n",
        "data-without-its-crlf": b"5\r\nhello0\r\n\r\n",
        "data-ending-in-lf": b"5\r\nhello\n0\r\n\r\n",
        "data-ending-in-cr": b"5\r\nhello\r0\r\n\r\n",
        "data-followed-by-two-other-bytes": b"5\r\nhelloXX0\r\n\r\n",
        "extension-with-a-bare-cr": b"5;a=\rb\r\nhello\r\n0\r\n\r\n",
        "extension-with-a-bare-lf": b"5;a=\nb\r\nhello\r\n0\r\n\r\n",
        "extension-with-a-nul": b"5;a=\0\r\nhello\r\n0\r\n\r\n",
        "extension-without-end": b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        "last-line-ending-in-lf": b"5\r\nhello\r\n0\n\r\n",
        "end-in-bare-lfs": b"5\r\nhello\r\n0\n\n",
        "end-with-a-bare-lf": b"5\r\nhello\r\n0\r\n\n",
        "end-with-a-bare-cr": b"5\r\nhello\r\n0\r\n\rX",
    }.items()
] + [
    Bad(f"trailer-{name}", chunked(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n\r\n"),
        forwarded=True)
    for name, lines in {
        "with-a-content-length": b"Content-Length: 5",
        "with-a-coding": b"Transfer-Encoding: chunked",
        "with-a-host": b"Host: other",
        "with-a-space-before-the-colon": b"Name : value",
        "without-a-colon": b"Name value",
        "with-an-empty-name": b": value",
        "with-a-nul": b"Name: a\0b",
        "with-a-bare-lf": b"Name: a\nOther: b",
        "with-a-folded-line": b"Name: a\r\n b",
        "without-end": b"\r\n".join(b"Name: " + b"a" * 200 for _ in range(100)),
    }.items()
]

LIMITS = [
    Bad("a-target-beyond-8k", head(start=b"GET /" + b"a" * 9000 + b" HTTP/1.1"), (414,)),
    Bad("a-field-beyond-16k", head(b"Name: " + b"a" * 17000), (431,)),
    Bad("a-name-beyond-16k", head(b"N" * 17000 + b": value"), (431,)),
    Bad("a-head-beyond-16k", head(*[b"Name: " + b"a" * 900] * 20), (431,)),
    Bad("more-than-100-fields", head(*[b"Name: value"] * 101), (431,)),
    Bad("an-expectation-of-another-kind", head(b"Expect: pigs-fly", b"Content-Length: 5")
        + b"hello", (417,)),
    Bad("an-expectation-with-a-tail",
        head(b"Expect: 100-continue, x", b"Content-Length: 5") + b"hello", (417,)),
]

BAD = FIRST_LINE + FIELD_LINES + HOSTS + LENGTHS + CODINGS + CHUNKS + LIMITS


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.shows)
def test_is_refused_once_and_nothing_behind_it_is_read(stage, bad):
    server = stage.server()
    balancer = stage.balancer([server])

    client = stage.client(balancer)
    client.send(bad.request + SMUGGLED)
    answer = client.response()
    assert answer.status in bad.status
    assert answer.fields.get("connection") == "close"
    assert answer.fields.get("content-type") == "text/plain"
    assert answer.body.count(b"\n") == 1
    assert len(answer.body) > 10, "it says what was wrong"
    client.sees_the_end()

    assert stage.get(balancer, "/next").status == 200, "others are served"
    assert server.targets == ["/next"], "no request but the next one has come completely"
    assert b"smuggled" not in server.received
    if not bad.forwarded:
        assert server.received.startswith(b"GET /next ")


@pytest.mark.parametrize("bad", [bad for bad in CHUNKS if len(bad.request) < 200],
                         ids=lambda bad: bad.shows)
def test_a_fault_in_a_body_cuts_what_the_server_was_sent(stage, bad):
    """The head goes ahead, so that the server has it when the fault is found."""
    server = stage.server()
    balancer = stage.balancer([server])
    end_of_head = bad.request.index(b"\r\n\r\n") + 4

    client = stage.client(balancer)
    client.send(bad.request[:end_of_head])
    client.send(b"3\r\nabc\r\n")
    stage.until(lambda: b"abc" in server.received, "the server has the first chunk")
    client.send(bad.request[end_of_head:] + SMUGGLED)

    assert client.response().status == 400
    client.sees_the_end()
    stage.until(lambda: server.peers[0].cut, "the server's connection is cut")
    assert server.requests == []
    assert b"smuggled" not in server.received


@pytest.mark.parametrize(
    "bad", FIRST_LINE[:4] + FIELD_LINES[:6] + LENGTHS[:3] + CHUNKS[::6],
    ids=lambda bad: bad.shows)
def test_is_refused_alike_byte_by_byte(stage, bad):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send_bytewise(bad.request)
    assert client.response().status in bad.status
    client.sees_the_end()
    assert server.requests == []


def test_the_answer_survives_what_the_client_is_still_sending(stage):
    """To close with bytes on their way is to reset, and a reset destroys the answer."""
    balancer = stage.balancer([stage.server()])
    request = chunked(b"5\r\nhello\r\n0\r\nName: a\0b\r\n\r\n")

    def asks():
        for _ in range(150):
            client = stage.client(balancer)
            client.send_bytewise(request)
            assert client.response().status == 400
            client.close()

    for asking in [stage.aside(asks) for _ in range(4)]:
        asking.result()


@pytest.mark.parametrize(
    "bad", FIRST_LINE[9:12] + FIELD_LINES[:3] + LENGTHS[:3] + CODINGS[:3],
    ids=lambda bad: bad.shows)
def test_behind_a_good_request_only_the_good_one_is_served(stage, bad):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(b"GET /good HTTP/1.1\r\nHost: test\r\n\r\n" + bad.request + SMUGGLED)
    assert client.response().status == 200
    assert client.response().status in bad.status
    client.sees_the_end()
    assert server.targets == ["/good"]


def test_a_length_that_connection_names_still_frames_the_request(stage):
    """Connection must not be able to take the framing away from the server."""
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    lines = [b"Connection: Content-Length", b"Content-Length: 5"]
    answer = client.ask(head(*lines) + b"hello")
    if answer.status == 400:
        assert server.received == b""
    else:
        assert answer.status == 200
        assert server.requests[0].body == b"hello"


def test_the_host_that_connection_names_still_reaches_the_server(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    answer = client.ask(head(b"Connection: Host", start=b"GET / HTTP/1.1"))
    if answer.status == 400:
        assert server.received == b""
    else:
        assert server.requests[0].fields.get("host") == "test"


def test_a_client_that_leaves_in_the_middle_of_a_head_gets_no_answer(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: te")
    client.finish()
    client.sees_the_end()
    assert server.received == b""


def test_a_client_that_leaves_in_the_middle_of_a_body_cuts_the_server_off(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(head(b"Content-Length: 10") + b"hello")
    stage.until(lambda: b"hello" in server.received, "the server has what came")
    client.close()
    stage.until(lambda: server.peers[0].cut, "the server's connection is cut")
    assert server.requests == []
