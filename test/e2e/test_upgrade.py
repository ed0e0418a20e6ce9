"""Another process takes the balancer's place: nobody notices, and what does not come up
changes nothing. HEAVY=1 for the full amounts."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import psutil
import pytest

from harness import kv_wire as wire
from harness.asker import Asker
from harness.balancer import BALANCERD, config
from harness.balancerctl import Control as CommandLine
from harness.client import RawClient
from harness.crowd import Crowd, TunnelCrowd
from harness.echo import EchoServer
from harness.kv_pool import Pool
from harness.patience import PATIENCE, until
from harness.ports import accepts
from harness.program import is_gone

HEAVY = os.environ.get("HEAVY") == "1"
UPGRADES = 50 if HEAVY else 3
RELOADS = 200 if HEAVY else 6
CONNECTIONS = 1000 if HEAVY else 100    # half of them over TCP, half through tunnels


def pid_of(balancer):
    return balancer.control.get("/v1/status")["pid"]


def is_gone_by_number(pid):
    return not psutil.pid_exists(pid) or is_gone(psutil.Process(pid))


def listener(kind, port, pool):
    return f"listen {kind} 127.0.0.1:{port} {{ to {pool}; }}".replace("; }", "\n}").replace(
        "{ ", "{\n")


@pytest.fixture
def asker(stage):
    def start(balancer):
        asker = Asker(balancer.port)
        stage.clients.append(asker)
        return asker
    return start


# Nobody notices


def mixed(http, tcp, origin, echo, spare="", threads=2):
    """An HTTP listener with tunnels, and one for TCP."""
    return "\n".join([
        f"threads {threads}", "drain 2s",
        f"listen http 127.0.0.1:{http} {{", "to web", "route path /tunnel to tunnel", "}",
        f"listen tcp 127.0.0.1:{tcp} {{", "to echo", "}", spare,
        "pool web {", "check off", f"server {origin}", "}",
        "pool tunnel {", "check off", f"server {echo}", "}",
        "pool echo {", "check off", f"server {echo}", "}", ""])


def test_under_load_nothing_fails_and_nothing_breaks(stage):
    origin, echo = stage.program(), EchoServer(stage.port())
    stage.servers.append(echo)
    http, tcp = stage.port(), stage.port()
    text = mixed(http, tcp, origin, echo)
    balancer = stage.run(text, http)
    crowds = [Crowd(tcp, CONNECTIONS // 2), TunnelCrowd(http, CONNECTIONS // 2)]
    stage.clients += crowds
    for crowd in crowds:
        crowd.round()
    load = stage.load(balancer, 120 if HEAVY else 8, connections=32)
    began = time.monotonic()
    before, took = balancer.pid, []
    for number in range(UPGRADES):
        for _ in range(RELOADS // UPGRADES):
            assert balancer.control.ask("POST", "/v1/reload").status == 200
        asked = time.monotonic()
        pid = balancer.upgrade()
        took.append(time.monotonic() - asked)
        assert pid != before and pid_of(balancer) == pid
        before = pid
        for crowd in crowds:
            crowd.round()
            assert crowd.ended() == []
    assert time.monotonic() - began < load.seconds, "all of it was under load"
    requests, failed = load.result()
    assert failed == "" and requests > 1000
    for crowd in crowds:
        crowd.round()
        assert crowd.ended() == []
    print(f"{UPGRADES} upgrades, {RELOADS} reloads, {CONNECTIONS} connections, "
          f"{requests} requests; an upgrade took {min(took):.3f} to {max(took):.3f} s")


@pytest.mark.parametrize("threads", [(1, 3, 1), (3, 1, 2)])
def test_the_number_of_threads_changes(stage, asker, threads):
    """Every socket that was handed over has a queue of its own, and somebody accepts
    there, whatever the number of loops."""
    server = stage.server()
    balancer = stage.balancer([server], threads=threads[0])
    asking = asker(balancer)
    for count in threads[1:]:
        asking.goes_on()
        balancer.configuration.write_text(config(balancer.port, [server], threads=count))
        balancer.upgrade()
        assert balancer.control.get("/v1/status")["threads"] == count
        asking.goes_on(100)
    asking.close()
    assert asking.wrong == []


def test_listeners_come_and_go_with_it(stage, asker):
    server = stage.server()
    first, second, third = (stage.port() for _ in range(3))
    text = config(first, [server])
    balancer = stage.run(text + listener("http", second, "web"), first)
    asking = asker(balancer)
    kept = RawClient(second)
    stage.clients.append(kept)
    assert kept.get("/").status == 200
    balancer.configuration.write_text(text + listener("http", third, "web"))
    balancer.upgrade()
    until(lambda: not accepts(second), "the listener that is gone accepts no more")
    assert accepts(third)
    assert kept.get("/").status == 200, "who was connected is still answered"
    asking.goes_on()


def test_datagrams_are_not_lost(stage):
    port = stage.datagram_port()
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.bind(("127.0.0.1", 0))
    echo.settimeout(PATIENCE)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", port))
    server = f"127.0.0.1:{echo.getsockname()[1]}"
    balancer = stage.balancer([server])
    text = balancer.configuration.read_text()
    balancer.configuration.write_text(
        text + listener("udp", port, "other") + f"\npool other {{\nserver {server}\n}}\n")
    assert balancer.control.ask("POST", "/v1/reload").status == 200
    client.send(b"before")
    said, old = echo.recvfrom(100)
    assert said == b"before"
    balancer.upgrade()
    echo.sendto(b"late answer", old)
    assert client.recv(100) == b"late answer", "the old process hands on what comes late"
    for number in range(50):
        client.send(b"%d" % number)
        said, new = echo.recvfrom(100)
        echo.sendto(b"to " + said, new)
        assert client.recv(100) == b"to %d" % number
    echo.close()
    client.close()


def test_idle_connections_may_stay(one, stage):
    """A request that comes late on a kept connection is answered, by the old process."""
    assert one.client.get("/").status == 200
    one.balancer.upgrade()
    time.sleep(1)       # more than an idle connection has when a balancer ends
    answer = one.client.get("/")
    assert answer.status == 200 and answer.fields.get("connection") == "close"
    one.client.sees_the_end()
    assert one.balancer.wait() == 0, "with its last connection the old process ends"


def test_the_limit_ends_what_lasts(stage):
    echo = EchoServer(stage.port())
    stage.servers.append(echo)
    balancer = stage.balancer([echo], kind="tcp")
    crowd = Crowd(balancer.port, 2)
    stage.clients.append(crowd)
    crowd.round()
    balancer.upgrade(limit_ms=200)
    assert balancer.wait() == 0
    until(lambda: (crowd.take_in(0.05), len(crowd.ended()) == 2)[1], "both are cut")


def test_the_old_process_can_still_be_told_to_end(stage):
    echo = EchoServer(stage.port())
    stage.servers.append(echo)
    balancer = stage.balancer([echo], kind="tcp", drain="300ms")
    crowd = Crowd(balancer.port, 1)
    stage.clients.append(crowd)
    crowd.round()
    balancer.upgrade()
    balancer.signal(signal.SIGTERM)
    balancer.logs("draining limit_ms=300")
    assert balancer.wait() == 0
    assert accepts(balancer.port), "the new one serves"


def test_logs_are_reopened_by_all_that_have_connections(stage, tmp_path):
    access = tmp_path / "access"
    balancer = stage.balancer([stage.server()], top=f"access-log combined to {access}")
    client = RawClient(balancer.port)       # whom the old process has, and waits for
    stage.clients.append(client)
    client.send(b"GET /late HT")
    after = balancer.upgrade()
    access.rename(tmp_path / "access.1")
    os.kill(after, signal.SIGUSR1)
    balancer.logs("logs reopened", 2)
    client.send(b"TP/1.1\r\nHost: x\r\n\r\n")
    assert client.response().status == 200
    assert balancer.wait() == 0, "the old process has nothing left to do"
    assert "/late" in access.read_text()


@pytest.mark.parametrize("at_once", [False, True])
def test_a_stop_is_for_all_that_have_connections(stage, at_once):
    """However many upgrades ago their place was taken."""
    echo = EchoServer(stage.port())
    stage.servers.append(echo)
    balancer = stage.balancer([echo], kind="tcp", drain="60s" if at_once else "300ms")
    crowd = Crowd(balancer.port, 1)
    stage.clients.append(crowd)
    crowd.round()
    pids = [balancer.upgrade() for _ in range(2)]
    until(lambda: is_gone_by_number(pids[0]), "the one between has nothing left to do")
    assert crowd.ended() == [] and balancer.process.poll() is None
    answer = balancer.control.ask("POST", "/v1/stop", {"limit_ms": 0} if at_once else None)
    assert answer.status == 202
    assert balancer.wait() == 0
    until(lambda: is_gone_by_number(pids[1]), "the last one ends")


def test_who_is_down_is_known_from_the_start(stage):
    """Or the first requests would go where nobody answers."""
    good, down = stage.server(), stage.blackhole()
    balancer = stage.balancer([good, f"127.0.0.1:{down}"], check="tcp every 100ms timeout "
                              "300ms rise 1 fall 1", pool="timeout connect 9s")
    balancer.logs("server is down")
    balancer.upgrade()
    states = {address: server["state"] for address, server in
              balancer.control.servers().items()}
    assert states == {str(good): "up", f"127.0.0.1:{down}": "down"}
    assert all(stage.get(balancer).status == 200 for _ in range(4))


def test_by_a_signal(one, asker):
    asking = asker(one.balancer)
    one.balancer.signal(signal.SIGUSR2)
    line = one.balancer.logs("serves from now on")[0]
    pid = one.balancer.succeeded_by(int(line.split("process ")[1].split()[0]))
    assert pid_of(one.balancer) == pid
    asking.goes_on()


def test_asked_to_end_meanwhile_nothing_is_left(stage):
    """Before the new process is ready, the end comes first, and that one is ended."""
    hang = script(stage, "exec sleep 100")
    balancer = stage.balancer([stage.server()])
    waiting = stage.aside(balancer.control.ask, "POST", "/v1/upgrade", {"binary": hang})
    child = until(lambda: psutil.Process(balancer.pid).children(), "it is started")[0]
    assert balancer.terminate() == 0
    assert is_gone(child)
    assert waiting.result().code == "not-upgraded"


# What does not come up changes nothing


def script(stage, *lines):
    path = stage.directory / f"program-{len(list(stage.directory.glob('program-*')))}"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def changes_nothing(balancer, asking, said, **how):
    pid = pid_of(balancer)
    answer = balancer.control.ask("POST", "/v1/upgrade", how)
    assert answer.status == 502 and answer.code == "not-upgraded", answer
    assert said in answer.json["error"]["message"], answer
    assert pid_of(balancer) == pid and psutil.Process(pid).children() == []
    asking.goes_on()


def test_a_new_one_that_does_not_come_up_changes_nothing(stage, asker):
    server = stage.server()
    balancer = stage.balancer([server])
    asking = asker(balancer)
    text = balancer.configuration.read_text()

    def refused(said, **how):
        changes_nothing(balancer, asking, said, **how)

    refused("No such file", binary="/nowhere/balancerd")
    refused("Permission denied", binary=str(balancer.configuration))
    plain = stage.directory / "plain"
    plain.write_text("no program\n")
    plain.chmod(0o755)
    refused("Exec format error", binary=str(plain))
    refused("it is no file", binary=str(stage.directory))
    plain.chmod(0o757)
    refused("others than root", binary=str(plain))
    refused("exit code 7", binary=script(stage, "exit 7"))
    refused("signal 11", binary=script(stage, "kill -SEGV $$"))
    refused("within 0.3 s", binary=script(stage, "exec sleep 100"), ready_ms=300)
    refused("exit code 0", binary="/bin/true")
    balancer.configuration.write_text(text + "nonsense\n")
    refused("nonsense")
    balancer.configuration.write_text(text + listener("http", server.port, "web"))
    refused("in use")
    balancer.configuration.write_text(text)
    assert balancer.control.add("127.0.0.1:1").status == 201
    balancer.upgrade()
    assert "127.0.0.1:1" in balancer.control.servers()
    asking.goes_on()


def test_a_state_that_the_new_one_cannot_read_stays(stage, asker):
    balancer = stage.balancer([stage.server()])
    assert balancer.control.add("127.0.0.1:1").status == 201
    state, = balancer.state_path.glob("*.json")
    text = state.read_text()
    state.write_text(text.replace('"format": 1', '"format": 99'))
    assert state.read_text() != text
    changes_nothing(balancer, asker(balancer), "the state in")
    assert "99" in state.read_text() and not list(balancer.state_path.glob("*.bad"))


SPEAKS = """#!/usr/bin/python3
import os, socket
channel = socket.socket(fileno=int(os.environ["BALANCERD_HANDOVER"]))
while channel.recv(1024) != b"all":
    pass
"""


@pytest.mark.parametrize("says, answer", [
    ("channel.send(b'refused it is too early')", "it is too early"),
    ("channel.send(b'serving'); channel.recv(99)", "cannot be understood"),
    ("channel.send(b'ready control=0'); channel.recv(99); os._exit(3)", "exit code 3"),
    ("channel.send(b'ready control=0'); channel.recv(99); channel.recv(99)",
     "within 0.5 s"),
    ("channel.close(); import time; time.sleep(100)", "closed the connection"),
])
def test_a_new_one_that_says_odd_things(stage, asker, says, answer):
    program = stage.directory / "speaks"
    program.write_text(SPEAKS + says + "\n")
    program.chmod(0o755)
    balancer = stage.balancer([stage.server()])
    ready_ms = 500 if "within" in answer else 10000
    changes_nothing(balancer, asker(balancer), answer, binary=str(program), ready_ms=ready_ms)


@pytest.mark.parametrize("hello", [b"balancerd-handover 999", b"balancerd-handover x",
                                   b"something else", b"\0"])
def test_a_hand_over_of_another_version_is_refused(stage, hello):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    port = stage.port()
    path = stage.directory / "a.conf"
    path.write_text(config(port, ["127.0.0.1:1"]))
    with ours, theirs:
        new = subprocess.Popen([BALANCERD, "run", path], stderr=subprocess.PIPE, text=True,
                               pass_fds=[theirs.fileno()],
                               env=os.environ | {"BALANCERD_HANDOVER": str(theirs.fileno())})
        theirs.close()
        ours.settimeout(PATIENCE)
        ours.send(hello)
        assert ours.recv(1024).startswith(b"refused it hands over in another way")
        assert "another way" in new.communicate(timeout=PATIENCE)[1]
        assert new.returncode == 1 and not accepts(port)


# What goes on


def test_changes_last_and_are_refused_meanwhile(stage):
    hang = script(stage, "exec sleep 100")
    balancer = stage.balancer([stage.server()])
    assert balancer.control.add("127.0.0.1:1", weight=3).status == 201
    waiting = stage.aside(balancer.control.ask, "POST", "/v1/upgrade",
                          {"binary": hang, "ready_ms": 1500})
    until(lambda: psutil.Process(balancer.pid).children(), "it is started")
    for answer in [balancer.control.add("127.0.0.1:2"),
                   balancer.control.ask("POST", "/v1/reload"),
                   balancer.control.ask("POST", "/v1/upgrade")]:
        assert answer.status == 409 and answer.code == "draining", answer
    assert waiting.result().status == 502
    assert balancer.control.add("127.0.0.1:2").status == 201, "as if nothing had been"
    balancer.upgrade()
    assert {"127.0.0.1:1", "127.0.0.1:2"} < set(balancer.control.servers())
    assert balancer.control.add("127.0.0.1:3").status == 201, "the state is the new one's"
    balancer.upgrade()
    assert "127.0.0.1:3" in balancer.control.servers()


def test_the_control_socket_is_handed_over(stage):
    balancer = stage.balancer([stage.server()])
    lock = balancer.directory / "control.sock.lock"
    inode = balancer.socket_path.stat().st_ino
    pid = balancer.upgrade()
    assert balancer.wait() == 0, "the old one ends"
    assert int(lock.read_text()) == pid
    assert balancer.socket_path.stat().st_ino == inode, "there was no gap"
    psutil.Process(pid).terminate()
    until(lambda: not balancer.socket_path.exists(), "the last one takes it away")
    assert not lock.exists()


def test_over_tcp_a_program_cannot_be_chosen(stage):
    token = stage.directory / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    port = stage.port()
    balancer = stage.balancer([stage.server()],
                              top=f"control 127.0.0.1:{port} token {token}")

    def ask(body):
        client = RawClient(port)
        text = json.dumps(body)
        answer = client.ask(f"POST /v1/upgrade HTTP/1.1\r\nHost: b\r\nConnection: close\r\n"
                            f"Authorization: Bearer {token.read_text().strip()}\r\n"
                            f"Content-Length: {len(text)}\r\n\r\n{text}".encode())
        client.close()
        return answer.status, json.loads(answer.body)

    status, body = ask({"binary": "/bin/true"})
    assert status == 403 and body["error"]["code"] == "read-only"
    for _ in range(2):
        status, body = ask({})
        assert status == 200 and pid_of(balancer) == body["pid"]
        balancer.succeeded_by(body["pid"])


def test_the_service_manager_is_told(stage):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(stage.directory / "notify"))
    manager.settimeout(PATIENCE)
    port = stage.port()
    balancer = stage.run(config(port, [stage.server()]), port,
                         NOTIFY_SOCKET=stage.directory / "notify")
    assert b"READY=1" in manager.recv(1000)
    pid = balancer.upgrade()
    first, second = manager.recv(1000), manager.recv(1000)
    assert f"MAINPID={pid}\n".encode() in first and b"READY" not in first
    assert f"READY=1\nMAINPID={pid}\n".encode() in second
    assert balancer.wait() == 0
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(1000)      # above all, the old one has not said that it is stopping
    manager.close()


def test_another_binary_and_from_then_on_that_one(stage):
    other = stage.directory / "balancerd-2"
    shutil.copy(BALANCERD, other)
    balancer = stage.balancer([stage.server()])
    pid = balancer.upgrade(binary=str(other))
    assert os.readlink(f"/proc/{pid}/exe") == str(other)
    os.replace(shutil.copy(BALANCERD, stage.directory / "next"), other)
    pid = balancer.upgrade()
    assert os.readlink(f"/proc/{pid}/exe") == str(other), "the new file under that name"


def test_in_the_quick_form(stage):
    balancer = stage.quick([stage.program()])
    for _ in range(2):
        balancer.upgrade()
        assert stage.get(balancer, "/bytes/5").status == 200


def test_started_by_balancerctl(stage):
    control = CommandLine(socket=stage.directory / "s.sock", home=stage.directory)
    port = stage.port()
    control("start", "127.0.0.1", port, stage.server()).did()
    first = int(control("status", "--json").json["pid"])
    said = control("upgrade").did()
    second = int(control("status", "--json").json["pid"])
    assert first != second and said.startswith(f"process {second} serves; process {first} ")
    assert "no.such" in control("upgrade", stage.directory / "no.such").failed(2)
    assert "exit code 1" in control("upgrade", "/bin/false").failed(1)
    assert accepts(port)
    control("stop").did()
    until(lambda: is_gone_by_number(second), "it ends")


# Servers that pools own, and workers


def test_owned_servers_are_left_and_found(owned, stage):
    pool = owned(min=2, max=4)
    control = pool.balancer.control

    def figures():
        return control.get("/v1/pools/web/owned")

    until(lambda: figures()["serving"] == 2, "both serve")
    before = {s["name"]: s["id"] for s in figures()["servers"]}
    asking = Asker(pool.port, "/home")
    stage.clients.append(asking)
    for _ in range(2):
        asking.goes_on()
        pool.balancer.upgrade()
        now = figures()
        assert now["adopted"] == now["serving"] == 2, now
        assert {s["name"]: s["id"] for s in now["servers"]} == before
    asking.goes_on()
    assert control.ask("PUT", "/v1/pools/web/owned", {"count": 3}).status == 200
    asking.close()


def test_workers_of_a_key_value_pool_come_over(stage):
    """They are told to go, come again to the new process, and have what they had."""
    pool = Pool(stage, 2)
    keys = pool.fill(100)
    pool.balancer.upgrade()
    assert pool.balancer.wait() == 0, "the old process has let them go"
    assert pool.agrees() == len(keys)
    client = pool.client(2)
    for key in keys:
        assert client.done(wire.GET, key).value == key
