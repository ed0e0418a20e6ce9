"""Servers that come, go, and are set otherwise while the balancer runs: in force at once,
kept over reloads and restarts, and never half written."""

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from harness.balancer import Balancer, config
from harness.echo import EchoServer
from harness.patience import seconds_of

CONF = "balancerd.conf"


def states(balancer, pool="web"):
    """What is asked for of each server: (weight, drain) by its address."""
    return {address: (server["weight"], server["drain"])
            for address, server in balancer.control.servers(pool).items()}


def at(server):
    return f"127.0.0.1:{server}" if isinstance(server, int) else f"127.0.0.1:{server.port}"


def must(answer, status=200):
    assert answer.status == status, answer
    return answer.json


def journals(balancer):
    return sorted(balancer.state_path.glob("*.json"))


# ---- in force at once ----

def test_a_server_that_is_added_serves(stage):
    servers = stage.origins(2)
    balancer = stage.balancer(servers[:1])
    must(balancer.control.add(servers[1]), 201)
    assert set(stage.spread(balancer, 10)) == {0, 1}


def test_a_server_that_is_removed_gets_no_request_more(stage):
    servers = stage.origins(2)
    balancer = stage.balancer(servers)
    must(balancer.control.remove(at(servers[0])))
    assert set(stage.spread(balancer, 10)) == {1}


@pytest.mark.parametrize("off, on", [({"drain": True}, {"drain": False}),
                                     ({"weight": 0}, {"weight": 1})])
def test_a_drain_takes_effect_with_its_answer(stage, off, on):
    servers = stage.origins(2)
    balancer = stage.balancer(servers)
    must(balancer.control.set(at(servers[0]), **off))
    assert set(stage.spread(balancer, 10)) == {1}
    must(balancer.control.set(at(servers[0]), **on))
    assert set(stage.spread(balancer, 10)) == {0, 1}


def test_changes_under_load_lose_no_request(stage):
    servers = [stage.program() for _ in range(3)]
    balancer = stage.balancer(servers[:2], threads=2)
    load = stage.load(balancer, 3)
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        must(balancer.control.add(servers[2]), 201)
        time.sleep(0.05)
        must(balancer.control.set(at(servers[0]), weight=3))
        must(balancer.control.remove(at(servers[2])))
        must(balancer.control.set(at(servers[0]), weight=1))
        time.sleep(0.05)
    requests, failed = load.result()
    assert requests > 0 and failed == ""


# ---- kept ----

def change_everything(control):
    """Of servers 1, 2 and 3: removes one, sets two, adds one, and all sorts of
    temporary things over it."""
    must(control.remove(at(1)))
    must(control.set(at(2), weight=7))
    must(control.set(at(3), drain=True))
    must(control.add(4, weight=2), 201)
    must(control.add(5, temporary=True), 201)
    must(control.set(at(2), weight=9, temporary=True))
    must(control.remove(at(4), query="?temporary=1"))


LASTING = {at(2): (7, False), at(3): (1, True), at(4): (2, False)}
PRESENT = {at(2): (9, False), at(3): (1, True), at(5): (1, False)}


def test_what_lasts_is_there_after_a_restart(stage):
    balancer = stage.balancer([1, 2, 3])
    change_everything(balancer.control)
    assert states(balancer) == PRESENT
    balancer = stage.restart(balancer)
    assert states(balancer) == LASTING
    assert states(stage.restart(balancer)) == LASTING


def test_a_reload_keeps_the_temporary_too(stage):
    balancer = stage.balancer([1, 2, 3])
    change_everything(balancer.control)
    must(balancer.control.ask("POST", "/v1/reload"))
    assert states(balancer) == PRESENT
    balancer.signal(signal.SIGHUP)
    balancer.logs("reloaded", 2)
    assert states(balancer) == PRESENT


def test_the_journal_forgets_what_the_file_says(stage):
    balancer = stage.balancer([1, 2])
    must(balancer.control.remove(at(1)))
    must(balancer.control.add(3), 201)
    balancer.reload(config(balancer.port, [2, 3]))
    balancer.logs("caught up with 2 changes")
    must(balancer.control.ask("POST", "/v1/reload"))
    assert len(balancer.logs("caught up")) == 1

    # What was dropped does not come back with the old file.
    (balancer.directory / CONF).write_text(config(balancer.port, [1, 2]))
    balancer = stage.restart(balancer)
    assert states(balancer) == {at(1): (1, False), at(2): (1, False)}


def test_changes_wait_for_their_pool(stage):
    text = config(port := stage.port(), [1])
    balancer = stage.run(text, port)
    must(balancer.control.add(2), 201)
    balancer.reload(text.replace("web", "api"))
    assert states(balancer, "api") == {at(1): (1, False)}
    balancer = stage.restart(balancer)
    balancer.reload(text)
    assert set(states(balancer)) == {at(1), at(2)}


def test_reloads_and_changes_do_not_meet(stage):
    balancer = stage.balancer([1, 2])

    def hang_up():
        for _ in range(100):
            balancer.signal(signal.SIGHUP)
            time.sleep(0.003)

    storm = stage.aside(hang_up)
    for port in range(10, 60):
        must(balancer.control.add(port), 201)
        if port % 2:
            must(balancer.control.remove(at(port)))
    storm.result()
    expected = {at(port): (1, False) for port in [1, 2, *range(10, 60, 2)]}
    assert states(balancer) == expected
    assert states(stage.restart(balancer)) == expected


def test_the_quick_form_keeps_changes_by_its_port(stage):
    servers = stage.origins(2)
    balancer = stage.quick(servers[:1])
    must(balancer.control.add(servers[1], pool="default"), 201)
    sources = {a: s["from"] for a, s in balancer.control.servers("default").items()}
    assert sources == {at(servers[0]): "command", at(servers[1]): "change"}
    assert "http " in journals(balancer)[0].read_text()
    balancer = stage.restart(balancer)
    assert set(states(balancer, "default")) == {at(server) for server in servers}
    answer = balancer.control.ask("POST", "/v1/reload")
    assert (answer.status, answer.code) == (409, "no-file")


def test_what_cannot_come_into_force_is_not_kept(stage):
    balancer = stage.balancer([1, 2], pool="balance ring points 10000")
    must(balancer.control.set(at(1), weight=2))
    kept = journals(balancer)[0].read_text()
    must(balancer.control.set(at(1), weight=200, temporary=True))
    answer = balancer.control.set(at(2), weight=256)
    assert (answer.status, answer.code) == (409, "refused"), answer
    assert "points" in answer.text
    assert journals(balancer)[0].read_text() == kept
    assert states(balancer)[at(2)] == (1, False)
    assert states(stage.restart(balancer)) == {at(1): (2, False), at(2): (1, False)}


# ---- nothing is written before it must be ----

def test_who_is_not_changed_leaves_no_trace(stage):
    balancer = stage.balancer([1, 2])
    must(balancer.control.set(at(1), weight=3, temporary=True))
    balancer.reload(config(balancer.port, [1]))
    balancer = stage.restart(balancer)
    assert not balancer.state_path.exists()


def test_where_nothing_can_be_written_it_runs(stage):
    text = config(port := stage.port(), [1, 2])
    balancer = stage.run(text, port, STATE_DIRECTORY="/proc/balancerd")
    before = states(balancer)
    for answer in (balancer.control.add(3), balancer.control.remove(at(1)),
                   balancer.control.set(at(1), weight=2)):
        assert (answer.status, answer.code) == (500, "state-not-written"), answer
        assert "/proc/balancerd" in answer.text
    assert states(balancer) == before
    must(balancer.control.set(at(1), drain=True, temporary=True))
    assert states(balancer)[at(1)] == (1, True)


@contextmanager
def tiny_disk(path):
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", path],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_on_a_full_disk_nothing_changes(stage, tmp_path):
    with tiny_disk(tmp_path / "disk") as disk:
        text = config(port := stage.port(), [1, 2])
        balancer = stage.run(text, port, "--state", disk)
        must(balancer.control.remove(at(1)))
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(4096))

        kept = next(disk.glob("*.json")).read_text()
        answer = balancer.control.add(3)
        assert (answer.status, answer.code) == (500, "state-not-written"), answer
        assert "No space left" in answer.text
        assert states(balancer) == {at(2): (1, False)}
        assert next(disk.glob("*.json")).read_text() == kept
        assert not list(disk.glob("*.new"))
        must(balancer.control.add(4, temporary=True), 201)

        filler.unlink()
        must(balancer.control.add(3), 201)
        balancer = stage.restart(balancer)
        assert set(states(balancer)) == {at(2), at(3)}
        balancer.terminate()


# ---- what is found at the start ----

def spoil_cut(journal):
    journal.write_bytes(journal.read_bytes()[:-20])


def spoil_empty(journal):
    journal.write_bytes(b"")


def spoil_byte(journal):
    journal.write_text(journal.read_text().replace('"remove"', '"remOve"'))


def spoil_format(journal):
    journal.write_text(journal.read_text().replace('"format": 1', '"format": 9'))


def spoil_folder(journal):
    journal.unlink()
    journal.mkdir()
    (journal / "inside").touch()


@pytest.mark.parametrize("spoil", [spoil_cut, spoil_empty, spoil_byte, spoil_format,
                                   spoil_folder])
def test_a_spoilt_journal_never_prevents_a_start(stage, spoil):
    balancer = stage.balancer([1, 2])
    must(balancer.control.remove(at(1)))
    assert balancer.terminate() == 0
    [journal] = journals(balancer)
    spoil(journal)

    balancer = stage.start(balancer.again())
    balancer.logs("warn the state in .* cannot be used")
    assert set(states(balancer)) == {at(1), at(2)}
    assert journal.with_name(journal.name + ".bad").exists()
    must(balancer.control.remove(at(2)))
    assert set(states(stage.restart(balancer))) == {at(1)}


def test_two_balancers_do_not_write_the_same_journal(stage):
    first = stage.balancer([1, 2])
    must(first.control.remove(at(1)))
    first.configuration.write_text(config(port := stage.port(), [1, 2]))
    second = stage.start(Balancer(port, ["run", first.configuration],
                                  stage.directory_of_next(),
                                  STATE_DIRECTORY=first.state_path))
    assert set(states(second)) == {at(2)}
    answer = second.control.add(3)
    assert (answer.status, answer.code) == (500, "state-not-written")
    assert f"process {first.pid};" in answer.text
    must(second.control.add(3, temporary=True), 201)
    must(first.control.add(4), 201)


# ---- the socket ----

def test_a_socket_that_is_taken_ends_a_start(stage):
    servers = stage.origins(2)
    first = stage.balancer(servers[:1])
    text = config(first.port, servers[1:])
    (first.directory / "second.conf").write_text(text)
    second = Balancer(first.port, ["run", first.directory / "second.conf"],
                      first.directory)
    assert second.wait() == 1
    assert f"control.sock is served by another balancer, process {first.pid}" in first.log
    assert set(stage.spread(first, 5)) == {0}


def test_a_default_socket_that_is_taken_is_done_without(stage, tmp_path):
    def start(*options):
        text = config(port := stage.port(), [1])
        return stage.run(text, port, *options, BALANCERD_SOCKET=None,
                         RUNTIME_DIRECTORY=tmp_path / "run")

    first = start()
    second = start()
    second.logs(f"warn no control socket: .* process {first.pid}; .*--name")
    third = start("--name", "web")
    assert sorted(p.name for p in (tmp_path / "run").glob("*.sock")) == [
        "default.sock", "web.sock"]
    third.socket_path = tmp_path / "run" / "web.sock"
    assert third.control.get("/v1/status")["name"] == "web"

    fourth = Balancer(stage.port(), ["run", "--name=web", third.directory / CONF],
                      stage.directory_of_next(), BALANCERD_SOCKET=None,
                      RUNTIME_DIRECTORY=tmp_path / "run")
    assert fourth.wait() == 1
    assert f"process {third.pid}" in fourth.log


def test_a_socket_that_a_dead_one_left_is_replaced(stage):
    balancer = stage.balancer([1])
    balancer.expected_exit = -signal.SIGKILL
    balancer.signal(signal.SIGKILL)
    balancer.wait()
    assert balancer.socket_path.exists()
    assert states(stage.start(balancer.again())) == {at(1): (1, False)}


# ---- reload and stop, by the control interface ----

def test_a_reload_that_is_refused_says_why(stage):
    balancer = stage.balancer([1])
    text = balancer.configuration.read_text()
    balancer.configuration.write_text(text.replace("to web", "to wbe") + "nonsense\n")
    answer = balancer.control.ask("POST", "/v1/reload")
    assert (answer.status, answer.code) == (409, "config-errors")
    assert "wbe" in answer.text and "nonsense" in answer.text
    balancer.logs("reload refused")
    assert set(states(balancer)) == {at(1)}


def test_stop_drains_as_long_as_it_is_told(stage):
    released = threading.Event()
    server = stage.server(lambda request, peer: released.wait(10) and None)
    balancer = stage.balancer([server])    # configured: 5 s
    client = stage.client(balancer)
    client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    server.waits_for(1)
    must(balancer.control.ask("POST", "/v1/stop", {}), 202)
    assert balancer.control.get("/v1/status")["state"] == "draining"
    answer = balancer.control.add(2)
    assert (answer.status, answer.code) == (409, "draining")
    must(balancer.control.ask("POST", "/v1/stop", {"limit_ms": 100}), 202)
    seconds, code = seconds_of(balancer.wait)
    released.set()
    assert code == 0 and seconds < 3
    assert not balancer.socket_path.exists()


# ---- the service manager ----

@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears_each_step(stage, tmp_path, abstract):
    path = f"{os.getpid()}-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0" + path if abstract else path)
    manager.settimeout(10)

    def hears():
        return dict(line.split("=", 1) for line in manager.recv(4096).decode().split("\n")
                    if line)

    text = config(port := stage.port(), [1])
    balancer = stage.run(text, port, NOTIFY_SOCKET="@" + path if abstract else path)
    ready = hears()
    assert (ready["READY"], ready["MAINPID"]) == ("1", str(balancer.pid))
    assert set(states(balancer)) == {at(1)}
    balancer.reload("nonsense")
    reloading = hears()
    assert reloading["RELOADING"] == "1"
    assert 0 < int(reloading["MONOTONIC_USEC"]) < time.monotonic() * 1e6
    assert hears()["READY"] == "1"
    balancer.terminate()
    assert hears()["STOPPING"] == "1"
    manager.close()


# ---- TCP without a file ----

def test_tcp_without_a_server_gets_one_later(stage):
    balancer = stage.start(Balancer(port := stage.port(), ["tcp", f"127.0.0.1:{port}"],
                                    stage.directory_of_next()))
    echo = EchoServer(stage.port())
    stage.servers.append(echo)
    must(balancer.control.add(echo, pool="default"), 201)

    def says():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"hello")
            return client.recv(100)

    assert says() == echo.name + b" hello"
    assert f"tcp 127.0.0.1:{port}" in journals(balancer)[0].read_text()
    balancer = stage.restart(balancer)
    assert says() == echo.name + b" hello"
