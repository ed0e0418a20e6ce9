"""The log's last lines, from wherever they are written to, and then what comes."""

import json
import re
import signal

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
