"""The log's last lines, from wherever they are written to, and then what comes."""

import json
import re
import signal
import socket

import pytest

from harness.balancer import config
from harness.balancerctl import Control as CommandLine
from harness.following import Output, Stream
from harness.patience import PATIENCE

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info) .+")


def text(balancer, query=""):
    with Stream(balancer.socket_path, f"/v1/log{query}") as stream:
        assert stream.answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        return stream.answer.read().decode()


def test_the_last_lines_are_those_of_the_log(stage):
    balancer = stage.balancer([stage.server()])
    balancer.logs("listening on")
    there = text(balancer).splitlines()
    assert there and all(LINE.fullmatch(line) for line in there)
    written = balancer.log.splitlines()
    assert written[-len(there):] == there
    assert text(balancer, "?lines=1").splitlines() == written[-1:]
    assert text(balancer, "?lines=0") == ""


def test_a_log_in_a_file_is_there_too(stage, tmp_path):
    balancer = stage.balancer([stage.server()], top=f"log info to {tmp_path}/log")
    balancer.control.add(f"127.0.0.1:{stage.port()}")
    last, = text(balancer, "?lines=1").splitlines()
    assert "server is added" in last
    assert (tmp_path / "log").read_text().splitlines()[-1] == last


def test_lines_come_as_they_are_written(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    with Stream(balancer.socket_path, "/v1/log?follow=1&lines=0") as stream:
        for weight in range(2, 8):
            balancer.control.set(server, weight=weight)
            assert stream.line().endswith(f" weight={weight} temporary=no\n")
        balancer.signal(signal.SIGTERM)
        assert "draining" in stream.line()
        assert stream.answer.read()     # until its end, which is one
    assert balancer.wait() == 0


def test_balancerctl_log(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    ctl = CommandLine(balancer.socket_path)
    balancer.control.set(server, weight=3)
    done = ctl("log")
    assert done.code == 0 and done.out == text(balancer)
    last = ctl("log", "--lines", 1, "--json").json
    assert last["level"] == "info" and last["time"].endswith("Z")
    assert last["message"].startswith("server is set pool=web")
    code, seen = ctl.on_terminal("log", "-n", 1)
    assert code == 0 and "server is set pool=web" in seen


def test_balancerctl_log_follows_over_a_restart(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    process = CommandLine(balancer.socket_path).start("log", "--follow", "--json")
    output = Output(process.stdout)
    output.until("listening on")
    balancer.control.set(server, weight=3)
    output.until("weight=3")
    balancer = stage.restart(balancer)
    balancer.control.set(server, weight=4)
    output.until("weight=4")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    messages = [json.loads(line)["message"] for line in output.text.splitlines()]
    assert sum("weight=3" in message for message in messages) == 1
    assert sum("listening on" in message for message in messages) == 2
    assert sum("draining" in message for message in messages) == 1


def test_reloads_with_errors_are_in_it(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    with Stream(balancer.socket_path, "/v1/log?follow=1&lines=0") as stream:
        balancer.reload(config(balancer.port, [server]) + "nonsense\n")
        assert " error " in stream.line()


# balancerctl, when the answer does not end as it should; the balancer is a stand-in.


LINE_1, LINE_2 = (f"2026-01-01T00:00:0{n}.000Z info {n}\n" for n in (1, 2))


@pytest.fixture
def stand_in(tmp_path):
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(PATIENCE)
        door.bind(str(tmp_path / "b.sock"))
        door.listen()
        yield door, CommandLine(tmp_path / "b.sock")


def begin(door, text):
    """The next connection, answered so far; there is more to come of it."""
    connection, _ = door.accept()
    connection.settimeout(PATIENCE)
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + text.encode())
    return connection


@pytest.mark.parametrize("words", [["log"], ["log", "--follow"], ["events", "--follow"]])
def test_a_balancer_that_never_answers_is_an_error(stand_in, words):
    _, ctl = stand_in
    assert "did not answer in time" in ctl(*words, "--timeout", "200ms").failed(7)


def test_a_log_that_comes_in_part_is_an_error(stand_in):
    door, ctl = stand_in
    process = ctl.start("log")
    begin(door, LINE_1).close()
    assert process.wait(PATIENCE) == 1
    assert process.stdout.read() == LINE_1
    assert "ended in the middle of it" in process.stderr.read()


def test_a_log_that_does_not_come_in_time_is_an_error(stand_in):
    door, ctl = stand_in
    process = ctl.start("log", "--timeout", "1s")
    with begin(door, LINE_1):
        assert process.wait(PATIENCE) == 7
    assert "did not answer in time" in process.stderr.read()


@pytest.mark.parametrize("text", ["", LINE_1, LINE_1[:-1]])
def test_a_lost_connection_is_asked_for_again(stand_in, text):
    door, ctl = stand_in
    process = ctl.start("log", "--follow")
    begin(door, text).close()
    begin(door, "").close()
    with begin(door, LINE_1 + LINE_2):
        output = Output(process.stdout)
        output.until("info 2")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert output.text == LINE_1 + LINE_2


def test_a_lost_connection_with_nobody_behind_it_is_an_error(stand_in):
    door, ctl = stand_in
    process = ctl.start("log", "--follow")
    connection = begin(door, LINE_1)
    door.close()
    connection.close()
    assert process.wait(2 * PATIENCE) == 3
    assert "no other is running there" in process.stderr.read()
