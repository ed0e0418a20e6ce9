"""A malformed response never reaches a client (RFC 9112, section 11; RFC 9110, 15.6.3).

If the client has been sent nothing yet it gets a 502; otherwise its connection is cut
so that it can tell. The server's connection is never used again, and the next request
gets its own answer.
"""

import threading
import time
from dataclasses import dataclass

import pytest

from harness.message import Cut
from harness.patience import PATIENCE
from harness.server import response

GOOD = response("good")


@dataclass
class Bad:
    shows: str
    response: bytes
    then_closes: bool = False


def head(*lines, start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([start, *lines, b"", b""])


def chunked(body):
    return head(b"Transfer-Encoding: chunked") + body


BEFORE_A_BYTE = [
    Bad("nothing", b"", then_closes=True),
    Bad("an-unfinished-status-line", b"HTTP/1.1 200", then_closes=True),
    Bad("an-unfinished-head", b"HTTP/1.1 200 OK\r\nName: val", then_closes=True),
    Bad("rubbish", b"hello\r\n\r\n"),
    Bad("a-version-0.9-response", b"<html>hello</html>", then_closes=True),
    Bad("a-tls-alert", b"\x15\x03\x01\x00\x02\x02\x46"),
    Bad("a-greeting-of-another-protocol", b"220 mail ESMTP ready\r\n"),
    Bad("another-protocol", head(b"Content-Length: 0", start=b"HTP/1.1 200 OK")),
    Bad("version-2.0", head(b"Content-Length: 0", start=b"HTTP/2.0 200 OK")),
    Bad("no-space-before-the-status",
        head(b"Content-Length: 0", start=b"HTTP/1.1200 OK")),
    Bad("two-spaces-before-the-status",
        head(b"Content-Length: 0", start=b"HTTP/1.1  200 OK")),
    Bad("a-status-of-two-digits", head(b"Content-Length: 0", start=b"HTTP/1.1 99 OK")),
    Bad("a-status-of-four-digits", head(b"Content-Length: 0", start=b"HTTP/1.1 2000 OK")),
    Bad("a-status-of-letters", head(b"Content-Length: 0", start=b"HTTP/1.1 abc OK")),
    Bad("status-zero", head(b"Content-Length: 0", start=b"HTTP/1.1 000 OK")),
    Bad("a-space-before-the-status-line", b" " + GOOD),
    Bad("a-nul-in-the-reason", head(b"Content-Length: 0", start=b"HTTP/1.1 200 O\0K")),
    Bad("a-bare-cr-in-the-reason",
        head(b"Content-Length: 0", start=b"HTTP/1.1 200 O\rK")),
    Bad("a-bare-lf-after-the-status-line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    Bad("bare-lfs-only", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    Bad("a-bare-lf-in-a-value", head(b"Name: a\nOther: b", b"Content-Length: 0")),
    Bad("a-bare-cr-in-a-value", head(b"Name: a\rb", b"Content-Length: 0")),
    Bad("a-nul-in-a-value", head(b"Name: a\0b", b"Content-Length: 0")),
    Bad("a-control-byte-in-a-value", head(b"Name: a\x01b", b"Content-Length: 0")),
    Bad("a-nul-in-a-name", head(b"Na\0me: a", b"Content-Length: 0")),
    Bad("a-space-before-the-colon", head(b"Content-Length : 0")),
    Bad("no-colon", head(b"Name value", b"Content-Length: 0")),
    Bad("an-empty-name", head(b": value", b"Content-Length: 0")),
    Bad("a-space-before-the-first-name", head(b" Name: value", b"Content-Length: 0")),
    Bad("a-folded-line", head(b"Name: a", b" b", b"Content-Length: 0")),
    Bad("a-length-and-a-coding",
        head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    Bad("two-lengths", head(b"Content-Length: 5", b"Content-Length: 6") + b"hello"),
    Bad("a-length-with-a-plus", head(b"Content-Length: +5") + b"hello"),
    Bad("a-length-with-a-minus", head(b"Content-Length: -5") + b"hello"),
    Bad("a-length-in-hexadecimal", head(b"Content-Length: 0x5") + b"hello"),
    Bad("an-empty-length", head(b"Content-Length:") + b"hello"),
    Bad("a-list-of-two-lengths", head(b"Content-Length: 5, 6") + b"hello"),
    Bad("a-length-beyond-64-bits",
        head(b"Content-Length: 18446744073709551621") + b"hello"),
    Bad("an-unknown-coding",
        head(b"Transfer-Encoding: gzip") + b"hello", then_closes=True),
    Bad("chunked-not-last", head(b"Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n"),
    Bad("chunked-twice", head(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n"),
    Bad("a-coding-in-version-1.0",
        head(b"Transfer-Encoding: chunked", start=b"HTTP/1.0 200 OK") + b"0\r\n\r\n"),
    Bad("101-that-nobody-asked-for",
        head(b"Connection: upgrade", b"Upgrade: websocket",
             start=b"HTTP/1.1 101 Switching Protocols")),
    Bad("a-head-of-100-kilobytes", head(*[b"Name: " + b"a" * 1000] * 100)),
    Bad("a-field-of-100-kilobytes", head(b"Name: " + b"a" * 100_000)),
    Bad("three-hundred-fields", head(*[b"Name: value"] * 300, b"Content-Length: 0")),
    Bad("a-good-interim-response-then-rubbish",
        b"HTTP/1.1 102 Processing\r\n\r\nrubbish\r\n"),
    Bad("an-interim-response-then-nothing", b"HTTP/1.1 102 Processing\r\n\r\n",
        then_closes=True),
]

IN_THE_BODY = [
    Bad("a-body-that-ends-early",
        head(b"Content-Length: 10") + b"hello", then_closes=True),
    Bad("a-body-that-never-begins", head(b"Content-Length: 10"), then_closes=True),
    Bad("chunks-without-the-last", chunked(b"5\r\nhello\r\n"), then_closes=True),
    Bad("a-chunk-that-ends-early", chunked(b"5\r\nhel"), then_closes=True),
    Bad("an-end-without-its-empty-line",
        chunked(b"5\r\nhello\r\n0\r\n"), then_closes=True),
    Bad("a-chunk-size-in-0x", chunked(b"5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n")),
    Bad("a-chunk-size-with-a-minus", chunked(b"5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n")),
    Bad("an-empty-chunk-size", chunked(b"5\r\nhello\r\n\r\n\r\n0\r\n\r\n")),
    Bad("a-chunk-size-of-letters", chunked(b"5\r\nhello\r\nxyz\r\nhello\r\n0\r\n\r\n")),
    Bad("a-chunk-size-beyond-64-bits",
        chunked(b"5\r\nhello\r\n10000000000000005\r\nhello\r\n0\r\n\r\n")),
    Bad("a-chunk-line-ending-in-lf", chunked(b"5\r\nhello\r\n5\nhello\r\n0\r\n\r\n")),
    Bad("a-chunk-longer-than-its-size", chunked(b"5\r\nhellooo\r\n0\r\n\r\n")),
    Bad("a-chunk-without-its-crlf", chunked(b"5\r\nhello0\r\n\r\n")),
    Bad("a-trailer-without-a-colon", chunked(b"5\r\nhello\r\n0\r\nName value\r\n\r\n")),
    Bad("a-trailer-with-a-length",
        chunked(b"5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n")),
    Bad("an-end-in-bare-lfs", chunked(b"5\r\nhello\r\n0\n\n")),
]


def answers_badly_to(target, bad):
    """A server that answers one target with these bytes and everything else well."""
    def answer(request, peer):
        if request.target != target:
            return GOOD
        peer.send(bad.response)
        if bad.then_closes:
            peer.close()
        return None
    return answer


@pytest.mark.parametrize("bad", BEFORE_A_BYTE, ids=lambda bad: bad.shows)
def test_before_a_byte_was_sent_it_becomes_502(stage, bad):
    server = stage.server(answers_badly_to("/bad", bad))
    balancer = stage.balancer([server], pool="passive off; timeout response 5s")
    client = stage.client(balancer)
    answer = client.get("/bad")
    assert answer.status == 502
    assert answer.body.count(b"\n") == 1
    assert len(answer.body) > 10, "it says what was wrong"
    if answer.fields.get("connection") == "close":
        client.sees_the_end()
    assert stage.get(balancer).body == b"good"
    assert len(server.peers) > 1, "the connection is not used again"


@pytest.mark.parametrize("bad", IN_THE_BODY, ids=lambda bad: bad.shows)
def test_after_the_head_was_sent_the_client_can_tell(stage, bad):
    """Either the fault came with the head, then it is a 502; or the response is cut."""
    server = stage.server(answers_badly_to("/bad", bad))
    balancer = stage.balancer([server], pool="passive off; retry off")
    client = stage.client(balancer)
    try:
        answer = client.get("/bad")
    except Cut as cut:
        assert cut.message is not None, "a part of the head is no answer"
        assert cut.message.status == 200
        assert b"hellohello".startswith(cut.message.body)
    else:
        assert answer.status == 502
    assert stage.get(balancer).body == b"good"
    assert len(server.peers) > 1, "the connection is not used again"


@pytest.mark.parametrize("bad", IN_THE_BODY, ids=lambda bad: bad.shows)
def test_once_body_bytes_are_out_the_client_is_cut_off(stage, bad):
    """The same faults, in a later segment than the head and some of the body."""
    reached = threading.Event()

    def answer(request, peer):
        if request.target != "/bad":
            return GOOD
        at = bad.response.index(b"\r\n\r\n") + 4
        start = b"3\r\nabc\r\n" if b"chunked" in bad.response else b""
        peer.send(bad.response[:at] + start)
        reached.wait(PATIENCE)
        peer.send(bad.response[at:])
        if bad.then_closes:
            peer.close()
        return None

    server = stage.server(answer)
    balancer = stage.balancer([server], pool="passive off")
    client = stage.client(balancer)
    client.send(b"GET /bad HTTP/1.1\r\nHost: test\r\n\r\n")
    client.sees_the_next(b"HTTP/1.1 200 OK\r\n")
    reached.set()
    with pytest.raises(Cut) as cut:
        client.response()
    assert b"abchellohello".startswith(cut.value.message.body) or \
        b"hello".startswith(cut.value.message.body)
    assert stage.get(balancer).body == b"good"


@pytest.mark.parametrize(
    "bad", [bad for bad in IN_THE_BODY if b"chunked" in bad.response],
    ids=lambda bad: bad.shows)
def test_a_version_1_0_client_never_sees_the_framing(stage, bad):
    """Without chunks it cannot tell by the bytes; what comes is a prefix of the body,
    and the connection is reset rather than ended as if all had come."""
    server = stage.server(answers_badly_to("/bad", bad))
    balancer = stage.balancer([server], pool="passive off; retry off")
    client = stage.client(balancer)
    client.send(b"GET /bad HTTP/1.0\r\n\r\n")
    try:
        answer = client.response()
    except Cut:
        return
    assert answer.status == 502 or b"hellohello".startswith(answer.body)
    assert answer.status == 502 or client.was_reset


@pytest.mark.parametrize("extra", [b"x", b"\r\n\r\n", GOOD, response("evil")],
                         ids=["a-byte", "empty-lines", "a-response", "another-response"])
def test_bytes_behind_a_response_are_no_answer_to_the_next_request(stage, extra):
    def answer(request, peer):
        return response("first") + extra if request.target == "/first" else GOOD
    server = stage.server(answer)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    assert client.get("/first").body == b"first"
    assert client.get("/second").body == b"good"
    assert len(server.peers) == 2, "the first connection is not used again"


def test_a_response_on_an_idle_connection_is_no_answer_to_the_next_request(stage):
    answered = threading.Event()
    spoken = threading.Event()

    def answer(request, peer):
        if request.target == "/first":
            peer.send(response("first"))
            answered.wait(PATIENCE)
            peer.send(response("evil"))
            spoken.set()
            return None
        return GOOD

    server = stage.server(answer)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    assert client.get("/first").body == b"first"
    answered.set()
    spoken.wait(PATIENCE)
    assert client.get("/second").body == b"good"


def test_a_connection_whose_answers_have_slipped_is_not_used_again(stage):
    """A server that speaks before it is asked: as soon as its real answer has come to
    an idle connection, one can tell."""
    spoken = threading.Event()

    def speaks_first(peer):
        peer.send(response("early"))
        while True:
            peer.next_request()
            peer.send(GOOD)
            spoken.set()

    server = stage.server(on_connection=speaks_first)
    balancer = stage.balancer([server], pool="passive off", threads=1)
    for _ in range(3):
        spoken.clear()
        answer = stage.get(balancer)
        assert answer.status == 502 or answer.body == b"early"
        assert answer.status == 502 or spoken.wait(PATIENCE)
    assert all(len(peer.requests) <= 1 for peer in server.peers)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_body_where_none_may_be_is_no_answer_to_the_next_request(stage, status):
    def answer(request, peer):
        if request.target == "/first":
            return f"HTTP/1.1 {status}\r\n\r\n".encode() + GOOD
        return GOOD
    server = stage.server(answer)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    assert client.get("/first").status == int(status[:3])
    assert client.get("/second").body == b"good"
    assert len(server.peers) == 2


def test_a_body_in_answer_to_head_is_no_answer_to_the_next_request(stage):
    server = stage.server(GOOD)
    balancer = stage.balancer([server], threads=1)
    client = stage.client(balancer)
    answer = client.ask(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert answer.status == 200 and answer.fields.get("content-length") == "4"
    assert client.get("/second").body == b"good"
    assert len(server.peers) == 2


def test_interim_responses_without_end_do_not_hold_a_client_for_ever(stage):
    def answer(request, peer):
        while True:
            peer.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 50)
            time.sleep(0.01)
    server = stage.server(answer)
    balancer = stage.balancer([server],
                              pool="timeout response 1s; passive off; retry off")
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.response().status in (502, 504)
