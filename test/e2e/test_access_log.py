"""A line for each request, in the two forms that tools read."""

import json
import re

import pytest

from harness.message import Cut
from harness.requests import get
from harness.server import response

COMBINED = re.compile(
    r'(?P<host>\S+) - (?P<user>\S+) '
    r'\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-) '
    r'"(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"(?: .*)?\Z')


def logged(stage, balancer, path, count):
    stage.until(lambda: path.exists() and path.read_text().count("\n") >= count,
                f"{count} lines are written")
    lines = path.read_text(errors="surrogateescape").splitlines()
    assert len(lines) == count, lines
    return lines


def combined(line):
    match = COMBINED.match(line)
    assert match, line
    return match


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access"


def test_combined(stage, log):
    server = stage.server(response("hello"))
    balancer = stage.balancer([server], top=f"access-log combined to {log}")
    stage.get(balancer, "/a?b=c", "Referer: http://from/", "User-Agent: me/1.0")
    [line] = logged(stage, balancer, log, 1)
    match = combined(line)
    assert match["host"] == "127.0.0.1"
    assert match["request"] == "GET /a?b=c HTTP/1.1"
    assert (match["status"], match["bytes"]) == ("200", "5")
    assert (match["referer"], match["agent"]) == ("http://from/", "me/1.0")


def test_combined_says_nothing_with_a_dash(stage, log):
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {log}")
    stage.get(balancer)
    match = combined(logged(stage, balancer, log, 1)[0])
    assert match["referer"] == match["agent"] == "-"


def test_json(stage, log):
    server = stage.server(response("hello", "201 Created"))
    balancer = stage.balancer([server], top=f"access-log json to {log}")
    stage.get(balancer, "/a?b=c", "User-Agent: me/1.0")
    entry = json.loads(logged(stage, balancer, log, 1)[0])
    values = {str(value) for value in entry.values()}
    assert "GET" in values and "201" in values
    assert any("/a?b=c" in value for value in values)
    assert str(server) in values and "web" in values


NASTY = ['a"b', "a\\b", 'a\\"b', "a\tb", "caf\xe9", "\xff\xfe", "[x] - \"GET /\" 200 1",
         "x" * 5000]


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize("agent", NASTY, ids=range(len(NASTY)))
def test_what_a_client_says_cannot_forge_or_break_a_line(stage, log, form, agent):
    balancer = stage.balancer([stage.server()], top=f"access-log {form} to {log}")
    stage.get(balancer, "/", f"User-Agent: {agent}")
    [line] = logged(stage, balancer, log, 1)
    assert all(0x20 <= ord(c) != 0x7f for c in line)
    if form == "json":
        line.encode("utf-8")
        assert isinstance(json.loads(line), dict)
    else:
        assert combined(line)["status"] == "200"


@pytest.mark.parametrize("form", ["combined", "json"])
def test_each_request_has_its_line_and_its_status(stage, log, form):
    def answer(request, peer):
        return response("x", f"{request.target[1:]} Something")
    balancer = stage.balancer([stage.server(answer)], top=f"access-log {form} to {log}")
    client = stage.client(balancer)
    statuses = [200, 204 + 1, 301, 404, 500, 503]
    for status in statuses:
        assert client.get(f"/{status}").status == status
    lines = logged(stage, balancer, log, len(statuses))
    assert [f" {s} " in line or f":{s}" in line for s, line in zip(statuses, lines)] \
        == [True] * len(statuses)


def test_pipelined_requests_have_lines_in_order(stage, log):
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {log}")
    client = stage.client(balancer)
    client.send(b"".join(get(f"/{i}") for i in range(20)))
    for _ in range(20):
        client.response()
    lines = logged(stage, balancer, log, 20)
    assert [combined(line)["request"] for line in lines] == \
        [f"GET /{i} HTTP/1.1" for i in range(20)]


def test_what_the_balancer_answers_itself_is_logged_too(stage, log):
    balancer = stage.balancer([stage.port()], top=f"access-log combined to {log}",
                              pool="passive off")
    assert stage.get(balancer, "/x").status == 502
    match = combined(logged(stage, balancer, log, 1)[0])
    assert (match["request"], match["status"]) == ("GET /x HTTP/1.1", "502")


def test_a_cut_response_is_logged_with_what_was_sent(stage, log):
    def dies(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.close()
    balancer = stage.balancer([stage.server(dies)], top=f"access-log combined to {log}")
    with pytest.raises(Cut):
        stage.client(balancer).get("/")
    match = combined(logged(stage, balancer, log, 1)[0])
    assert (match["status"], match["bytes"]) == ("200", "5")


def test_no_lines_when_off(stage, log):
    balancer = stage.balancer([stage.server()])
    assert stage.get(balancer).status == 200
    balancer.terminate()
    assert balancer.stdout == ""


def test_a_listener_may_be_left_out(stage, log):
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {log}",
                              listen="access-log off")
    assert stage.get(balancer).status == 200
    balancer.terminate()
    assert log.read_text() == ""


def test_without_a_path_it_goes_to_standard_output(stage):
    balancer = stage.balancer([stage.server()], top="access-log combined")
    assert stage.get(balancer, "/here").status == 200
    balancer.terminate()
    assert combined(balancer.stdout.strip())["request"] == "GET /here HTTP/1.1"


def test_nothing_is_lost_at_the_end(stage, log):
    balancer = stage.balancer(stage.origins(2), threads=2,
                              top=f"access-log json to {log}")
    asked = [stage.aside(stage.spread, balancer, 250) for _ in range(4)]
    for part in asked:
        part.result()
    balancer.terminate()
    lines = log.read_text().splitlines()
    assert len(lines) == 1000
    assert all(isinstance(json.loads(line), dict) for line in lines)
