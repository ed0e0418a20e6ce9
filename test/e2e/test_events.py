"""What happens is told as it happens, to whoever follows: nothing is lost unseen, and
nobody who follows holds up the balancer."""

import json
import signal
import socket

import pytest

from harness.balancer import config
from harness.balancerctl import Control as CommandLine
from harness.following import Events, Output
from harness.owned_pool import OwnedPool
from harness.patience import PATIENCE, until
from harness.server import response

CHECK = "tcp every 50ms timeout 40ms rise 1 fall 1"


def facts(event):
    return event["kind"], event["pool"], event["server"], event["text"]


def test_servers_come_and_go(stage):
    server = stage.server()
    balancer = stage.balancer([server], check=CHECK)
    new = f"127.0.0.1:{stage.port()}"
    with Events(balancer) as events:
        balancer.control.add(new, weight=3)
        added = events.until("server-added")
        assert facts(added)[1:] == ("web", new, "weight=3")
        down = events.until("server-down", server=new)
        assert down["text"] == "connection refused" and down["pool"] == "web"
        balancer.control.set(new, drain=True)
        assert events.until("server-set")["text"] == "drain=yes"
        balancer.control.remove(new)
        assert events.until("server-removed")["server"] == new
        server.close()
        events.until("server-down", server=str(server))
    numbers = events.ids
    assert numbers == sorted(numbers) and len(set(numbers[1:])) == len(numbers) - 1


def test_a_server_that_comes_back_is_up(stage):
    port = stage.port()
    balancer = stage.balancer([f"127.0.0.1:{port}"], check=CHECK)
    with Events(balancer, "?after=0") as events:
        events.until("server-down")
        with socket.create_server(("127.0.0.1", port)):
            up = events.until("server-up")
            assert up["server"] == f"127.0.0.1:{port}" and up["text"]


def test_reloads_and_the_end(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    with Events(balancer) as events:
        balancer.reload(config(balancer.port, [server], drain="6s"))
        assert events.next()["kind"] == "reloaded"
        balancer.reload("listen nowhere\n")
        refused = events.until("reload-refused")
        assert "line 1" in refused["text"] or "balancerd.conf" in refused["text"]
        balancer.signal(signal.SIGTERM)
        # The end of the answer is one, not a connection that broke.
        assert events.rest() == ["draining"]
    assert balancer.wait() == 0


def test_what_was_missed_is_there_for_who_comes_back(stage):
    balancer = stage.balancer([stage.server()])
    with Events(balancer) as events:
        first = f"127.0.0.1:{stage.port()}"
        balancer.control.add(first)
        heard = events.until("server-added")["id"]
    balancer.control.set(first, weight=2)
    balancer.control.set(first, weight=3)
    with Events(balancer, **{"Last-Event-ID": str(heard)}) as events:
        assert [events.next()["text"] for _ in range(2)] == ["weight=2", "weight=3"]
    there = balancer.control.get(f"/v1/events?follow=0&after={heard}")
    assert [event["text"] for event in there["events"]] == ["weight=2", "weight=3"]
    assert there["last"] == there["events"][-1]["id"] and there["missed"] == 0


def test_a_restart_is_told_to_who_comes_back(stage):
    balancer = stage.balancer([stage.server()])
    heard = balancer.control.get("/v1/events?follow=0")["last"]
    balancer = stage.restart(balancer)
    with Events(balancer, f"?after={heard}") as events:
        started = events.next()
        assert started["kind"] == "started" and started["id"] > heard
        assert str(balancer.pid) in started["text"]


def test_a_reader_that_is_too_late_is_told_how_much_it_has_missed(stage):
    balancer = stage.balancer([stage.server()])
    heard = balancer.control.get("/v1/events?follow=0")["last"]
    server = f"127.0.0.1:{stage.port()}"
    balancer.control.add(server)
    for i in range(1030):
        assert balancer.control.set(server, weight=i % 7 + 1, temporary=True).status == 200
    with Events(balancer, f"?after={heard}") as events:
        missed = events.next()
        assert missed == {"kind": "missed", "count": 7}
        assert events.next()["id"] == heard + 8


def test_a_reader_that_takes_nothing_holds_up_nobody(stage):
    balancer = stage.balancer([stage.server()])
    server = f"127.0.0.1:{stage.port()}"
    with socket.socket(socket.AF_UNIX) as silent, Events(balancer) as events:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        silent.connect(str(balancer.socket_path))
        silent.sendall(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: b\r\n\r\n")
        balancer.control.add(server)
        before = balancer.control.get("/v1/status")["heap_bytes"]
        for i in range(1100):
            balancer.control.set(server, weight=i % 7 + 1, temporary=True)
            assert events.until("server-set")["text"].startswith("weight=")
        # Its own piece, and texts of events, which the ring has anyway.
        assert balancer.control.get("/v1/status")["heap_bytes"] - before < 400_000


def test_there_are_sixteen_at_once(stage):
    balancer = stage.balancer([stage.server()])
    streams = [Events(balancer) for _ in range(16)]
    answer = balancer.control.ask("GET", "/v1/events")
    assert (answer.status, answer.code) == (503, "busy")
    assert balancer.control.get("/v1/status")["streams"] == {
        "open": 16, "refused": 1, "dropped": 0}
    for stream in streams:
        stream.close()
    until(lambda: balancer.control.get("/v1/status")["streams"]["open"] == 0,
          "the places of those that are gone are free")


def test_head_and_old_clients(stage):
    balancer = stage.balancer([stage.server()])
    answer = balancer.control.ask("HEAD", "/v1/events")
    assert answer.status == 200 and answer.text == ""
    assert answer.fields["Transfer-Encoding"] == "chunked"
    with socket.socket(socket.AF_UNIX) as old:
        old.settimeout(PATIENCE)
        old.connect(str(balancer.socket_path))
        old.sendall(b"GET /v1/events?after=0 HTTP/1.0\r\n\r\n")
        text = b""
        while b'"started"' not in text:
            text += old.recv(4096)
        assert b"chunked" not in text and b"\r\nConnection: close\r\n" in text


def test_an_address_that_is_closed_ends_what_goes_on_there(stage, tmp_path):
    server, port = stage.server(), stage.port()
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    balancer = stage.balancer([server], top=f"control 127.0.0.1:{port} token {token}")
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as reader:
        reader.sendall(b"GET /v1/events HTTP/1.1\r\nHost: b\r\n"
                       b"Authorization: Bearer secret\r\n\r\n")
        until(lambda: balancer.control.get("/v1/status")["streams"]["open"] == 1,
              "it is followed")
        balancer.reload(config(balancer.port, [server]))
        text = b""
        while piece := reader.recv(4096):
            text += piece
        assert b'"reloaded"' not in text and text.endswith(b"0\r\n\r\n")


def over_tcp(stage, tmp_path):
    """A balancer, and what asks it for the log as it comes, over TCP."""
    port, token = stage.port(), tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    balancer = stage.balancer([stage.server()],
                              top=f"control 127.0.0.1:{port} token {token}")

    def follow():
        reader = socket.create_connection(("127.0.0.1", port), PATIENCE)
        reader.sendall(b"GET /v1/log?follow=1&lines=1 HTTP/1.1\r\nHost: b\r\n"
                       b"Authorization: Bearer secret\r\n\r\n")
        return reader
    return balancer, follow


def are_open(balancer, count):
    until(lambda: balancer.control.get("/v1/status")["streams"]["open"] == count,
          f"{count} are open")


def test_readers_over_tcp_that_leave_make_room_at_once(stage, tmp_path):
    balancer, follow = over_tcp(stage, tmp_path)
    for _ in range(2):
        readers = [follow() for _ in range(12)]
        are_open(balancer, 12)
        with follow() as one_more:
            assert one_more.recv(4096).startswith(b"HTTP/1.1 503 ")
        for reader in readers:      # of bytes that are not read there would be a reset
            text = b""
            while not text.endswith(b"\n\r\n"):
                text += reader.recv(4096)
            reader.close()
        are_open(balancer, 0)
    assert balancer.control.get("/v1/status")["streams"]["dropped"] == 0


def test_who_only_says_no_more_over_tcp_gets_what_is_there_and_the_end(stage, tmp_path):
    balancer, follow = over_tcp(stage, tmp_path)
    with follow() as reader:
        are_open(balancer, 1)
        reader.shutdown(socket.SHUT_WR)
        text = b""
        while piece := reader.recv(4096):
            text += piece
    assert text.startswith(b"HTTP/1.1 200 ") and text.endswith(b"\n\r\n0\r\n\r\n")
    are_open(balancer, 0)


@pytest.mark.parametrize("origin, status", [
    (None, 200), ("http://balancerd", 200), ("http://evil.example", 403), ("null", 403)])
def test_a_foreign_page_changes_nothing(stage, origin, status):
    server = stage.server()
    balancer = stage.balancer([server])
    fields = {"Origin": origin} if origin else {}
    path = f"/v1/pools/web/servers/{server}"
    answer = balancer.control.ask("PATCH", path, {"weight": 2}, **fields)
    assert answer.status == status
    if status == 403:
        assert answer.code == "foreign-origin"
    assert balancer.control.servers()[str(server)]["weight"] == (1 if status == 403 else 2)
    assert balancer.control.ask("GET", path, **fields).status == 200


def test_the_page_is_there_or_says_why_not(stage, tmp_path):
    port = stage.port()
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    stage.balancer([stage.server()], top=f"control 127.0.0.1:{port} token {token}")
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := browser.recv(65536):
            text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    assert b"\r\nContent-Security-Policy: default-src 'self'" in head
    assert b"\r\nX-Content-Type-Options: nosniff" in head
    if head.startswith(b"HTTP/1.1 200 "):
        assert b"Content-Type: text/html" in head and b"<html" in body.lower()
    else:
        assert head.startswith(b"HTTP/1.1 404 ") and b"built without" in body


# Servers that the pool makes


def test_what_becomes_of_owned_servers(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    name, = pool.names(1)
    with Events(pool.balancer, "?after=0") as events:
        events.until("server-starting", server=name, pool="web")
        serves = events.until("server-serves", server=name)
        assert ":" in serves["text"]
        pool.one(name).kill()
        assert events.until("server-replaced", server=name)["text"]
        events.until("server-serves", server=name)
        pool.balancer.signal(signal.SIGTERM)
        assert "server-stopped" in events.rest()


def test_a_failed_start_is_told_with_its_reason(stage):
    pool = OwnedPool(stage, "process", min=1, start=False)
    pool.driver.hinder()
    pool.start()
    with Events(pool.balancer, "?after=0") as events:
        assert events.until("server-not-started", pool="web")["text"]
    pool.driver.mend()


# balancerctl


def test_balancerctl_shows_what_has_happened(stage):
    balancer = stage.balancer([stage.server()])
    ctl = CommandLine(balancer.socket_path)
    server = f"127.0.0.1:{stage.port()}"
    balancer.control.add(server)
    balancer.control.set(server, weight=5)
    done = ctl("events", "--lines", 2)
    assert done.code == 0 and done.err == ""
    rows = [line.split("\t") for line in done.lines]
    assert [row[2:] for row in rows] == [
        ["server-added", "web", server, "-"],
        ["server-set", "web", server, "weight=5"]]
    assert all(row[0] == "event" and row[1].endswith("Z") for row in rows)
    told = ctl("events", "--json").json["events"]
    assert [event["kind"] for event in told][-2:] == ["server-added", "server-set"]
    code, seen = ctl.on_terminal("events", "-n", 1)
    assert code == 0 and "server-set" in seen and "\t" not in seen


def followed(stage, *words):
    """A balancer, balancerctl following it, and what that writes."""
    balancer = stage.balancer([stage.server()])
    process = CommandLine(balancer.socket_path).start(*words)
    return balancer, process, Output(process.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_following(stage, number):
    balancer, process, output = followed(stage, "events", "--follow")
    output.until("\tstarted\t")
    server = f"127.0.0.1:{stage.port()}"
    balancer.control.add(server)
    output.until(f"\tserver-added\tweb\t{server}\t")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == ""
    until(lambda: balancer.control.get("/v1/status")["streams"]["open"] == 0, "it left")


def test_following_goes_on_with_the_next_balancer(stage):
    balancer, process, output = followed(stage, "events", "--follow", "--json")
    heard = json.loads(output.until('"started"'))
    balancer = stage.restart(balancer)
    started = json.loads(output.until(f"started.*process {balancer.pid}"))
    assert started["id"] > heard["id"]
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read().splitlines()[-1] == (
        "balancerctl: another balancer answers now")
    kinds = [json.loads(line)["kind"] for line in output.text.splitlines()]
    assert kinds == ["started", "draining", "started"]


def test_following_goes_on_with_the_process_of_an_upgrade(stage):
    balancer, process, output = followed(stage, "events", "--follow")
    output.until("\tstarted\t")
    pid = balancer.upgrade()
    output.until(f"handed-over.*process {pid} serves")
    output.until(f"started.*process {pid}")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0


def test_a_balancer_that_ends_is_said(stage):
    balancer, process, output = followed(stage, "events", "--follow")
    output.until("\tstarted\t")
    assert balancer.terminate() == 0
    assert process.wait(2 * PATIENCE) == 3
    assert process.stderr.read().splitlines() == [
        "balancerctl: the balancer has ended; looking for the next one",
        "balancerctl: the balancer has ended, and no other is running there"]


def test_following_ends_with_its_time(stage):
    balancer = stage.balancer([stage.server(lambda request: response(b"x"))])
    done = CommandLine(balancer.socket_path)("events", "--follow", "--timeout", "300ms")
    assert done.code == 0 and done.err == "" and len(done.lines) == 1


def test_none_to_follow_is_the_usual_error(stage, tmp_path):
    done = CommandLine(tmp_path / "none.sock")("events", "--follow")
    assert "no balancer is running" in done.failed(3)
