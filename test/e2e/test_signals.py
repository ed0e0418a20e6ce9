"""Ending, reloading and reopening logs, under way and without a loss."""

import re
import signal
import threading
import time

import pytest

from harness.balancer import config
from harness.message import Ended
from harness.patience import PATIENCE, seconds_of
from harness.ports import accepts
from harness.server import response

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class Held:
    """A server's script that answers when the test lets it."""

    def __init__(self):
        self.release = threading.Event()

    def __call__(self, request, peer):
        self.release.wait(PATIENCE)
        return response()


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_a_request_the_end_comes_soon(stage, number):
    balancer = stage.balancer([stage.server()])
    client = stage.client(balancer)
    assert client.get("/").status == 200
    balancer.signal(number)
    took, code = seconds_of(balancer.wait)
    assert code == 0 and took < 1, "an idle connection holds nothing up"
    client.sees_the_end()


def test_a_running_request_is_finished_and_nothing_new_begun(stage):
    held = Held()
    server = stage.server(held)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(GET)
    server.waits_for(1)
    balancer.signal(signal.SIGTERM)
    stage.until(lambda: not accepts(balancer.port), "no new connection is accepted")
    assert balancer.process.poll() is None, "it waits for the request"
    held.release.set()
    answer = client.response()
    assert answer.status == 200 and answer.fields.get("connection") == "close"
    client.sees_the_end()
    assert balancer.wait() == 0


def test_a_body_on_its_way_is_finished(stage):
    half = threading.Event()

    def in_two_halves(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        half.wait(PATIENCE)
        peer.send(b"world")

    server = stage.server(in_two_halves)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(GET)
    client.sees_the_next(b"HTTP/1.1 200 OK\r\n")
    balancer.signal(signal.SIGTERM)
    stage.until(lambda: not accepts(balancer.port), "it drains")
    half.set()
    assert client.response().body == b"helloworld"
    assert balancer.wait() == 0


def test_a_request_half_read_is_answered(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
    stage.until(lambda: b"hello" in server.received, "the first half is there")
    balancer.signal(signal.SIGTERM)
    stage.until(lambda: not accepts(balancer.port), "it drains")
    client.send(b"world")
    assert client.response().status == 200
    assert balancer.wait() == 0


def test_draining_has_a_limit(stage):
    held = Held()
    server = stage.server(held)
    port = stage.port()
    text = config(port, [server]).replace("drain 5s", "drain 300ms")
    balancer = stage.run(text, port)
    client = stage.client(balancer)
    client.send(GET)
    server.waits_for(1)
    balancer.signal(signal.SIGTERM)
    took, code = seconds_of(balancer.wait)
    assert code == 0 and 0.2 < took < 3
    held.release.set()


def test_asked_twice_it_ends_at_once(stage):
    held = Held()
    server = stage.server(held)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(GET)
    server.waits_for(1)
    balancer.signal(signal.SIGTERM)
    stage.until(lambda: not accepts(balancer.port), "it drains")
    balancer.signal(signal.SIGTERM)
    took, code = seconds_of(balancer.wait)
    assert code == 0 and took < 1
    held.release.set()


def test_ending_under_load_loses_no_request_that_was_answered_for(stage):
    """Each request is answered completely, or its connection is closed before a byte
    of an answer; and nobody is cut in the middle."""
    balancer = stage.balancer(stage.origins(2), threads=2)
    started = threading.Barrier(5)

    def asks():
        client = stage.client(balancer)
        served = 0
        started.wait(PATIENCE)
        while True:
            client.send(GET)
            try:
                answer = client.response()
            except Ended:
                return served
            assert answer.status == 200
            served += 1
            if answer.fields.get("connection") == "close":
                return served

    running = [stage.aside(asks) for _ in range(4)]
    started.wait(PATIENCE)
    time.sleep(0.2)
    assert balancer.terminate() == 0
    assert all(served.result() > 0 for served in running)


# Reload


def reconfigured(balancer, old, new):
    text = balancer.configuration.read_text()
    assert old in text
    return text.replace(old, new)


def test_a_reload_takes_new_servers_and_keeps_connections(stage):
    first, second = stage.origins(2)
    balancer = stage.balancer([first])
    client = stage.client(balancer)
    assert client.get("/").body == b"0"
    assert "reloaded" in balancer.reload(reconfigured(balancer, str(first), str(second)))
    assert client.get("/").body == b"1", "the same connection, the new server"


def test_a_running_request_ends_as_it_began(stage):
    held = Held()
    old, new = stage.server(held), stage.server(response("new"))
    balancer = stage.balancer([old])
    client = stage.client(balancer)
    client.send(GET)
    old.waits_for(1)
    balancer.reload(reconfigured(balancer, str(old), str(new)))
    held.release.set()
    assert client.response().body == b"hello"
    assert client.get("/").body == b"new"


def test_a_bad_file_changes_nothing_and_says_why(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    text = reconfigured(balancer, "to web", "to nowhere\nhed-size 1k")
    said = balancer.reload(text)
    assert "refused" in said
    assert len(re.findall(rf"{balancer.configuration.name}:\d+:\d+: ", said)) >= 2
    assert client.get("/").status == 200
    assert stage.get(balancer).status == 200
    said = balancer.reload(text.replace("to nowhere\nhed-size 1k", "to web"))
    assert "reloaded" in said


def test_a_missing_file_changes_nothing(stage):
    balancer = stage.balancer([stage.server()])
    balancer.configuration.rename(balancer.configuration.with_suffix(".gone"))
    balancer.signal(signal.SIGHUP)
    balancer.logs("refused")
    assert stage.get(balancer).status == 200


def test_a_port_that_cannot_be_had_changes_nothing(stage):
    import socket
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    balancer = stage.balancer([stage.server()])
    text = balancer.configuration.read_text()
    port = taken.getsockname()[1]
    said = balancer.reload(text + f"listen http 127.0.0.1:{port} {{ to web }}\n")
    taken.close()
    assert "refused" in said and str(port) in said
    assert stage.get(balancer).status == 200


def test_a_reload_opens_and_closes_listeners(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    other = stage.port()
    text = balancer.configuration.read_text()
    balancer.reload(text + f"listen http 127.0.0.1:{other} {{ to web }}\n")
    assert accepts(other) and accepts(balancer.port)
    balancer.reload(text.replace(str(balancer.port), str(other)))
    stage.until(lambda: not accepts(balancer.port), "the old one is closed")
    assert accepts(other)


def test_a_request_to_a_listener_that_goes_is_finished(stage):
    held = Held()
    server = stage.server(held)
    balancer = stage.balancer([server])
    client = stage.client(balancer)
    client.send(GET)
    server.waits_for(1)
    balancer.reload(reconfigured(balancer, str(balancer.port), str(stage.port())))
    stage.until(lambda: not accepts(balancer.port), "it is closed")
    held.release.set()
    answer = client.response()
    assert answer.status == 200 and answer.fields.get("connection") == "close"
    client.sees_the_end()


def test_a_reload_changes_limits(stage):
    balancer = stage.balancer([stage.server()])
    client = stage.client(balancer)
    assert client.get("/", "Name: " + "a" * 2000).status == 200
    balancer.reload(reconfigured(balancer, "to web", "to web\nhead-size 1k"))
    assert stage.client(balancer).get("/", "Name: " + "a" * 2000).status == 431


def test_a_reload_forgets_no_verdict(stage):
    def sick(request, peer):
        return response("x", "503 Service Unavailable")
    servers = [stage.server(sick), stage.server()]
    balancer = stage.balancer(
        servers, check="http / every 100ms timeout 1s fall 1 rise 1")
    balancer.logs("server is down")
    balancer.reload(reconfigured(balancer, "to web", "to web\nhead-size 2k"))
    for _ in range(4):
        assert stage.get(balancer).status == 200
    assert len(balancer.logs("server is down")) == 1, "nor is it said again"


def test_reloads_under_load_fail_no_request(stage):
    balancer = stage.balancer(stage.origins(3), threads=2)
    texts = [balancer.configuration.read_text(),
             reconfigured(balancer, "to web", "to web\nhead-size 8k")]
    over = threading.Event()

    def asks(keep):
        served = 0
        client = stage.client(balancer)
        while not over.is_set():
            answer = client.get("/") if keep else stage.get(balancer)
            assert answer.status == 200
            served += 1
        return served

    running = [stage.aside(asks, keep) for keep in (True, True, False, False)]
    for i in range(20):
        balancer.reload(texts[i % 2])
    over.set()
    assert all(served.result() > 0 for served in running)
    assert balancer.log.count("reloaded") == 20


# Logs


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_logs_are_reopened(stage, tmp_path, number):
    log, access = tmp_path / "log", tmp_path / "access"
    balancer = stage.balancer(
        [stage.server()], top=f"log info to {log};access-log combined to {access}")
    assert stage.get(balancer, "/before").status == 200
    stage.until(lambda: "/before" in access.read_text(), "the line is written")
    for file in (log, access):
        file.rename(file.with_suffix(".1"))
    balancer.signal(number)
    stage.until(lambda: log.exists() and access.exists(), "both are made anew")
    assert stage.get(balancer, "/after").status == 200
    stage.until(lambda: "/after" in access.read_text(), "the line is in the new file")
    assert "/after" not in access.with_suffix(".1").read_text()


def test_a_log_that_cannot_be_reopened_keeps_the_other_from_nothing(stage, tmp_path):
    folder, access = tmp_path / "logs", tmp_path / "access"
    folder.mkdir()
    balancer = stage.balancer(
        [stage.server()], top=f"log info to {folder}/log;access-log combined to {access}")
    assert stage.get(balancer).status == 200  # both logs are open by now
    folder.rename(tmp_path / "moved")
    access.rename(access.with_suffix(".1"))
    balancer.signal(signal.SIGUSR1)
    stage.until(access.exists, "the access log is made anew")
    stage.until(lambda: "cannot open the log" in (tmp_path / "moved/log").read_text(),
                "it is said where the log is")
    assert stage.get(balancer).status == 200


def test_no_line_is_lost_while_logs_are_reopened(stage, tmp_path):
    access = tmp_path / "access"
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {access}")
    client = stage.client(balancer)
    for i in range(100):
        assert client.get(f"/{i}").status == 200
        if i % 25 == 24:
            access.rename(tmp_path / f"access.{i}")
            balancer.signal(signal.SIGUSR1)
            stage.until(access.exists, "it is made anew")
    balancer.terminate()
    lines = "".join(path.read_text() for path in tmp_path.glob("access*"))
    assert lines.count("\n") == 100


def test_a_signal_to_the_quick_form_that_has_no_file_ends_nothing(stage):
    balancer = stage.quick([stage.server()])
    balancer.signal(signal.SIGHUP)
    balancer.logs("nothing to reload")
    balancer.signal(signal.SIGUSR1)
    assert accepts(balancer.port)
