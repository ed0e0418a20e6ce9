"""A line for each request, in the two forms that tools read."""

import json
import os
import re
import subprocess

import pytest

from harness.balancerctl import Control
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
    client = stage.client(balancer)
    client.send(b"nonsense\r\n\r\n")
    assert client.response().status == 400
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


def test_a_form_of_ones_own(stage, log):
    server = stage.server(response("hello"))
    form = r'{peer} {status} {bytes} \"{user_agent}\" {header X-A} {header x-b} {pool} {server}'
    balancer = stage.balancer([server], top=f'access-log format "{form}" to {log}')
    stage.get(balancer, "/", "User-Agent: a b", 'x-a: c "d', "X-B:  e ")
    assert logged(stage, balancer, log, 1) == \
        [f'127.0.0.1 200 5 "a b" c\\x20\\x22d e web {server}']


def test_headers_of_a_request_that_no_server_saw(stage, log):
    balancer = stage.balancer([stage.server()], listen="body-size 1",
                              top=f'access-log format "{{status}} {{header X-A}}" to {log}')
    client = stage.client(balancer)
    client.send(get("/", "Content-Length: 5", "X-A: here"))
    assert client.response().status == 413
    assert logged(stage, balancer, log, 1) == ["413 here"]


def test_another_form_by_a_reload_has_its_own_headers(stage, log):
    top = 'access-log format "{header X-A}" to ' + str(log)
    balancer = stage.balancer([stage.server()], top=top)
    fields = ["X-A: a", "X-B: b"]
    stage.get(balancer, "/", *fields)
    logged(stage, balancer, log, 1)     # what waits is written by the new form
    text = balancer.configuration.read_text()
    balancer.reload(text.replace("{header X-A}", "{header X-B} {header X-A}"))
    stage.get(balancer, "/", *fields)
    assert logged(stage, balancer, log, 2) == ["a", "b a"]


def test_a_sample_has_all_errors(stage, log):
    def answer(request, peer):
        return response("x", f"{request.target[1:]} Something")
    balancer = stage.balancer([stage.server(answer)],
                              top=f"access-log combined to {log} sample 1/1000000")
    client = stage.client(balancer)
    for _ in range(10):
        for status in 200, 404, 503:
            assert client.get(f"/{status}").status == status
    balancer.terminate()
    statuses = [combined(line)["status"] for line in log.read_text().splitlines()]
    assert statuses.count("503") == 10
    assert len(statuses) <= 12


def test_a_sample_is_a_part(stage, log):
    balancer = stage.balancer(stage.origins(1), top=f"access-log combined to {log} sample 1/2")
    stage.spread(balancer, 400)
    balancer.terminate()
    assert 100 < len(log.read_text().splitlines()) < 300


def ask_until_some_are_dropped(stage, balancer):
    """Requests go on whatever becomes of their lines."""
    client = stage.client(balancer)

    def dropped():
        client.send(b"".join(get("/", "User-Agent: " + "x" * 1500) for _ in range(50)))
        assert [client.response().status for _ in range(50)] == [200] * 50
        return balancer.control.get("/v1/status")["access_log_dropped"]

    stage.until(lambda: dropped() > 0, "lines are dropped")
    assert [client.get("/").status for _ in range(50)] == [200] * 50
    stage.until(lambda: "access log is losing lines" in balancer.log, "it is said")
    lines = Control(balancer.socket_path)("status").out.splitlines()
    figures = {line.split("\t")[0]: line.split("\t")[1] for line in lines}
    assert int(figures["access_log_dropped"]) > 0


def test_a_pipe_that_nobody_empties_holds_up_nothing(stage, log):
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        balancer = stage.balancer(stage.origins(1), top=f"access-log json to {log}")
        ask_until_some_are_dropped(stage, balancer)
    finally:
        os.close(reader)


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", path],
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_holds_up_nothing(stage, small_disk):
    balancer = stage.balancer(stage.origins(1),
                              top=f"access-log combined to {small_disk / 'access'}")
    ask_until_some_are_dropped(stage, balancer)
    assert 'reason="No space left on device"' in balancer.log
