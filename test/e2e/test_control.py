"""The control interface of the real daemon: every route, every way to be wrong, and
clients that are slow, many, or not what they should be."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from harness.balancer import BALANCERD, config
from harness.control import Control, UnixConnection
from harness.patience import PATIENCE, seconds_of, until
from harness.ports import accepts
from harness.server import response

NOBODY = 65534
SERVERS = "/v1/pools/web/servers"
STATUS = b"GET /v1/status HTTP/1.1\r\nHost: b\r\n\r\n"


@pytest.fixture
def running(stage):
    """balancerd in front of two servers."""
    return stage.balancer([stage.server(), stage.server()])


def raw(balancer):
    """A connection to the control socket, without a client on it."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(str(balancer.socket_path))
    return sock


def everything(sock):
    """All that comes until the end."""
    parts = []
    while part := sock.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def curl(balancer, target, *options):
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", "--unix-socket", balancer.socket_path,
         *options, f"http://balancerd{target}"],
        capture_output=True, text=True, timeout=PATIENCE, check=True)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(text) if text else None


def path_of(server):
    return f"/v1/pools/web/servers/{server}"


# Routes


def test_curl_does_everything(stage, running):
    first, new = str(stage.port()), f"127.0.0.1:{stage.port()}"
    assert curl(running, "/v1/status")[1]["pid"] == running.pid
    status, body = curl(running, "/v1/routes")
    assert status == 200 and len(body["routes"]) > 15
    for route in body["routes"]:
        if (route["method"] == "GET" and "{" not in route["path"] and
                route["path"] not in ("/", "/v1/events")):
            # Not all of it is JSON: /metrics has a format of its own.
            assert curl(running, route["path"], "-o", os.devnull)[0] == 200, route
    status, server = curl(running, SERVERS, "-d", json.dumps({"address": new}))
    assert (status, server["address"], server["from"]) == (201, new, "change")
    body = json.dumps({"address": first, "weight": 0})
    status, server = curl(running, SERVERS, "-d", body)
    assert (status, server["state"]) == (201, "off")
    assert server["address"] == f"127.0.0.1:{first}"
    status, server = curl(running, path_of(new), "-X", "PATCH", "-d", '{"drain": true}')
    assert (status, server["state"]) == (200, "draining")
    assert curl(running, path_of(new.rpartition(":")[2]))[1]["drain"] is True
    status, server = curl(running, path_of(new) + "?limit_ms=10", "-X", "DELETE")
    assert (status, server["state"]) == (200, "leaving")
    assert curl(running, path_of(new))[0] == 404
    assert curl(running, "/v1/config/check", "-X", "POST")[1]["good"] is True
    assert curl(running, "/v1/reload", "-X", "POST")[0] == 200
    stopped = curl(running, "/v1/stop", "-d", '{"limit_ms": 0}')
    assert stopped == (202, {"pid": running.pid})
    assert running.wait() == 0
    assert not running.socket_path.exists()
    assert not running.socket_path.with_name("control.sock.lock").exists()


def test_figures_count_what_has_happened(one):
    for _ in range(3):
        assert one.client.get("/").status == 200
    pool = one.balancer.control.get("/v1/pools/web")
    assert pool["requests"] == 3
    assert [server["requests"] for server in pool["servers"]] == [3]
    listener, = one.balancer.control.get("/v1/listeners")["listeners"]
    assert listener["requests"] == 3 and listener["connections"] == 1
    assert listener["pools"] == ["web"] and listener["kind"] == "http"


def test_what_is_shown_can_be_served(stage, running):
    control = running.control
    control.add(f"127.0.0.1:{stage.port()}", weight=3)
    shown = control.get("/v1/config")
    for body in {"text": shown["text"]}, {"json": shown["json"]}:
        answer = control.ask("POST", "/v1/config/check", body)
        assert answer.json["good"] is True and answer.json["problems"] == []
    lines = control.get("/v1/config/diff")["lines"]
    assert lines[0] == " pool web {" and lines[1].endswith("weight 3") and len(lines) == 2


# Errors


@pytest.mark.parametrize("method, target, body, status, code", [
    ("GET", "/page", None, 404, "path-unknown"),
    ("GET", "/v1/pools/none", None, 404, "pool-unknown"),
    ("GET", "/v1/pools/web/servers/1", None, 404, "server-unknown"),
    ("PUT", "/v1/pools/web", None, 405, "method-unknown"),
    ("DELETE", "/v1/pools/web/servers/1", None, 404, "server-unknown"),
    ("DELETE", "/v1/pools/web/servers/x", None, 400, "bad-request"),
    ("PATCH", "/v1/pools/web/servers/1", {"weight": 1}, 404, "server-unknown"),
    ("POST", SERVERS, {"address": "a b"}, 400, "bad-request"),
    ("POST", SERVERS, {"address": 1}, 400, "bad-request"),
    ("POST", SERVERS, {"adress": "1"}, 400, "bad-request"),
    ("POST", SERVERS, {"address": "1", "weight": 257}, 400, "bad-request"),
    ("POST", SERVERS, [], 400, "bad-request"),
    ("POST", "/v1/stop", {"limit_ms": "1"}, 400, "bad-request"),
    ("POST", "/v1/reload?now=1", None, 400, "bad-request"),
    ("POST", "/v1/config/check", {"path": "/etc/shadow"}, 400, "bad-request"),
])
def test_an_error_has_one_shape_and_changes_nothing(running, method, target, body, status,
                                                    code):
    before = running.control.ask("GET", "/v1/pools").fields["ETag"]
    answer = running.control.ask(method, target, body)
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.json["error"]["message"] and "\n" not in answer.json["error"]["message"]
    assert answer.fields["Content-Type"] == "application/json"
    assert answer.fields["ETag"] == before
    assert running.process.poll() is None


def test_its_own_listener_is_no_server(running):
    answer = running.control.add(running.port)
    assert (answer.status, answer.code) == (400, "bad-request")
    assert answer.json["error"]["field"] == "address"


@pytest.mark.parametrize("text", ["{", "[1", '"a"', "{}{}", '{"a": 1, "a": 2}', "\\u0000",
                                  '{"address": "\\u0000"}', "{" * 5000, "nul"])
def test_what_is_no_json_is_refused(running, text):
    connection = UnixConnection(running.socket_path)
    connection.request("POST", SERVERS, text)
    response = connection.getresponse()
    assert response.status == 400
    assert json.load(response)["error"]["code"] == "bad-request"
    connection.request("GET", "/v1/status")  # the connection goes on
    assert connection.getresponse().status == 200
    connection.close()


def test_a_version_that_was_overtaken_changes_nothing(stage, running):
    control = running.control
    version = control.ask("GET", "/v1/pools/web").fields["ETag"]
    body = {"address": f"127.0.0.1:{stage.port()}"}
    first = control.ask("POST", SERVERS, body, **{"If-Match": version})
    assert first.status == 201 and first.fields["ETag"] != version
    body = {"address": f"127.0.0.1:{stage.port()}"}
    second = control.ask("POST", SERVERS, body, **{"If-Match": version})
    assert (second.status, second.code) == (412, "version-changed")
    assert second.fields["ETag"] == first.fields["ETag"]
    assert len(control.servers()) == 3


def test_while_it_drains_it_answers_and_changes_nothing(stage):
    asked, done = threading.Event(), threading.Event()

    def answer_late(request, peer):
        asked.set()
        done.wait(PATIENCE)
        return response()

    balancer = stage.balancer([stage.server(answer_late)])
    control = balancer.control
    stage.client(balancer).send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    assert asked.wait(PATIENCE)
    balancer.signal(signal.SIGTERM)
    until(lambda: control.get("/v1/status")["state"] == "draining", "it says so")
    answer = control.add("127.0.0.1:1")
    assert (answer.status, answer.code) == (409, "draining")
    assert control.ask("POST", "/v1/stop", {"limit_ms": 0}).status == 202
    assert balancer.wait() == 0
    done.set()


def test_without_a_file_there_is_nothing_to_reload(stage):
    balancer = stage.quick([stage.server().port])
    assert balancer.control.ask("POST", "/v1/reload").code == "no-file"
    assert balancer.control.get("/v1/status")["file"] is None
    server, = balancer.control.servers("default").values()
    assert server["from"] == "command"


def test_a_file_with_errors_is_not_taken(running):
    running.configuration.write_text("listn http :80\n")
    answer = running.control.ask("POST", "/v1/reload")
    assert (answer.status, answer.code) == (409, "config-errors"), answer
    diff = running.control.get("/v1/config/diff")
    assert diff["lines"] == [] and diff["file_errors"][0]["line"] == 1
    check = running.control.ask("POST", "/v1/config/check").json
    assert check["good"] is False and check["summary"] is None


# Clients


def test_requests_may_be_sent_ahead(running):
    with raw(running) as sock:
        sock.sendall(STATUS * 50 + STATUS[:-2] + b"Connection: close\r\n\r\n")
        assert everything(sock).count(b"HTTP/1.1 200 OK") == 51


def test_a_body_may_come_in_chunks(stage, running):
    port = stage.port()
    connection = UnixConnection(running.socket_path)
    text = json.dumps({"address": f"127.0.0.1:{port}"}).encode()
    connection.request("POST", SERVERS, iter([text[:5], text[5:]]),
                       encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 201
    connection.close()


def test_curl_may_ask_before_it_sends_a_body(running):
    text = "# " + "x" * 100_000 + "\nlisten http :1 { to a }\npool a { server 1 }\n"
    status, body = curl(running, "/v1/config/check", "-H", "Expect: 100-continue",
                        "-d", json.dumps({"text": text}))
    assert status == 200 and body["good"] is True


def test_a_giant_body_is_refused(running):
    with raw(running) as sock:
        sock.sendall(b"POST /v1/config/check HTTP/1.1\r\nHost: b\r\n"
                     b"Content-Length: 100000000000\r\n\r\n")
        assert everything(sock).startswith(b"HTTP/1.1 413 ")
    with raw(running) as sock:
        sock.sendall(b"POST /v1/config/check HTTP/1.1\r\nHost: b\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(100):
                sock.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")
    assert running.rss() < 200 << 20


def test_a_giant_head_is_refused(running):
    with raw(running) as sock:
        sock.sendall(STATUS[:-2] + b"A: " + b"a" * 8192)
        assert everything(sock).startswith(b"HTTP/1.1 431 ")
    with raw(running) as sock:
        sock.sendall(b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n")
        assert everything(sock).startswith(b"HTTP/1.1 414 ")


def test_who_is_not_http_is_told_so(running):
    with raw(running) as sock:
        sock.sendall(b"status\n")
        assert everything(sock).startswith(b"HTTP/1.1 400 ")


def test_of_many_connections_64_are_served(running):
    socks = [raw(running) for _ in range(64)]
    for sock in socks:
        sock.sendall(STATUS)
        assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    assert running.control.ask("GET", "/v1/status").code == "busy"
    socks.pop().close()
    until(lambda: running.control.ask("GET", "/v1/status").status == 200,
          "a place that is free is taken")
    for sock in socks:
        sock.close()


def test_a_head_that_does_not_end_is_not_waited_for(running):
    """Byte for byte, it gets 5 s, and holds up nobody."""
    with raw(running) as sock:
        began = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for byte in STATUS[:-2] + b"A: " + b"a" * 100:
                sock.sendall(bytes([byte]))
                running.control.get("/v1/status")
                time.sleep(0.1)
        assert 4 < time.monotonic() - began < 8


def test_a_request_that_is_half_there_at_the_end_is_none(stage, running):
    with raw(running) as sock:
        sock.sendall(b"POST /v1/stop HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{")
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock) == b""
    assert running.process.poll() is None
    with raw(running) as sock:
        sock.sendall(STATUS)
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock).startswith(b"HTTP/1.1 200 ")


# The socket


def test_only_owner_and_group_may_write_to_it(running):
    about = os.stat(running.socket_path)
    assert stat.S_ISSOCK(about.st_mode) and stat.S_IMODE(about.st_mode) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_others_are_kept_out(running):
    for folder in running.directory, *running.directory.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    done = subprocess.run(
        ["curl", "-sS", "--unix-socket", running.socket_path, "http://b/v1/status"],
        user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True,
        timeout=PATIENCE, check=False)
    assert done.returncode == 7 and done.stdout == ""


def test_of_two_balancers_one_has_the_socket(running, tmp_path):
    done = subprocess.run(
        [BALANCERD, "run", "--socket", running.socket_path, "--state", tmp_path / "2nd",
         running.configuration], capture_output=True, text=True, timeout=PATIENCE,
        check=False)
    assert done.returncode == 1
    assert f"served by another balancer, process {running.pid}" in done.stderr
    assert running.control.get("/v1/status")["pid"] == running.pid


def test_of_many_that_start_at_once_one_has_the_socket(stage, tmp_path):
    """All but one end; that one is the one that answers."""
    path, started = tmp_path / "c.sock", []
    for i in range(8):
        port = stage.port()
        conf = tmp_path / f"{i}.conf"
        conf.write_text(config(port, ["127.0.0.1:1"]))
        started.append(subprocess.Popen(
            [BALANCERD, "run", "--socket", path, "--state", tmp_path / f"s{i}", conf],
            stderr=subprocess.DEVNULL))
    until(lambda: sum(p.poll() is not None for p in started) == 7, "seven have ended")
    left, = [p for p in started if p.poll() is None]
    try:
        until(path.exists, "the socket is there")
        assert Control(path).get("/v1/status")["pid"] == left.pid
        assert all(p.returncode == 1 for p in started if p is not left)
    finally:
        left.terminate()
        left.wait(PATIENCE)


def test_what_a_dead_balancer_left_is_replaced(running):
    running.process.kill()
    running.process.wait()
    running.expected_exit = -signal.SIGKILL
    assert running.socket_path.exists()
    process = subprocess.Popen(
        running.arguments, cwd=running.directory, stderr=subprocess.DEVNULL,
        env={**os.environ, "BALANCERD_SOCKET": str(running.socket_path),
             "STATE_DIRECTORY": str(running.state_path)})
    try:
        until(lambda: accepts(running.port), "it is there again")
        assert running.control.get("/v1/status")["pid"] == process.pid
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_file_in_its_place_is_not_removed(stage, running, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("mine")
    said = subprocess.run(
        [BALANCERD, "run", "--socket", taken, "--state", tmp_path / "s",
         running.configuration], capture_output=True, text=True, timeout=PATIENCE,
        check=False)
    assert said.returncode == 1 and "is no socket" in said.stderr
    assert taken.read_text() == "mine"


# Over TCP


@pytest.fixture
def remote(stage, tmp_path):
    """balancerd with a control address, its two tokens and how to ask it."""
    port = stage.port()
    for name in "all", "look":
        (tmp_path / name).write_text(f"{name}-secret\n")
        (tmp_path / name).chmod(0o600)
    balancer = stage.balancer(
        [stage.server()], top=f"control 127.0.0.1:{port} token {tmp_path}/all "
                              f"read-token {tmp_path}/look")

    def ask(target, *options, token=None):
        if token:
            options = ("-H", f"Authorization: Bearer {token}", *options)
        done = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options,
             f"http://127.0.0.1:{port}{target}"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        return int(done.stdout)

    balancer.remote_port = port
    balancer.ask = ask
    return balancer


def test_over_tcp_a_token_is_needed(remote):
    assert remote.ask("/v1/status") == 401
    assert remote.ask("/v1/status", token="all-secre") == 401
    assert remote.ask("/v1/none", token="x") == 401
    assert remote.ask("/v1/status", "-u", "all-secret:") == 401
    assert remote.ask("/v1/status", token="all-secret") == 200
    assert remote.ask("/v1/status", token="look-secret") == 200
    assert remote.ask("/v1/reload", "-X", "POST", token="look-secret") == 403
    assert remote.ask("/v1/reload", "-X", "POST", token="all-secret") == 200
    assert remote.control.get("/v1/status")["pid"] == remote.pid


def test_who_has_no_token_sends_no_body(remote):
    with socket.create_connection(("127.0.0.1", remote.remote_port), PATIENCE) as sock:
        sock.sendall(b"POST /v1/stop HTTP/1.1\r\nHost: b\r\nContent-Length: 1000\r\n\r\n")
        assert everything(sock).startswith(b"HTTP/1.1 401 ")


def test_strangers_do_not_keep_the_owner_out(remote):
    """They hold a place for 5 s, and not all of them."""
    socks = [socket.create_connection(("127.0.0.1", remote.remote_port), PATIENCE)
             for _ in range(80)]
    took, answer = seconds_of(lambda: remote.control.ask("GET", "/v1/status"))
    assert answer.status == 200 and took < 1
    for sock in socks:
        sock.close()


def test_a_token_is_changed_by_a_reload(remote, tmp_path):
    (tmp_path / "all").write_text("another\n")
    assert remote.ask("/v1/status", token="another") == 401
    assert remote.control.ask("POST", "/v1/reload").status == 200
    assert remote.ask("/v1/status", token="another") == 200
    assert remote.ask("/v1/status", token="all-secret") == 401
    (tmp_path / "all").chmod(0o644)
    answer = remote.control.ask("POST", "/v1/reload")
    assert answer.status == 409 and "chmod 600" in answer.json["error"]["message"]
    assert remote.ask("/v1/status", token="another") == 200
    (tmp_path / "all").chmod(0o600)


def test_an_address_goes_with_its_directive(stage, remote):
    text = remote.configuration.read_text()
    without = "\n".join(line for line in text.splitlines() if "token" not in line) + "\n"
    remote.configuration.write_text(without)
    assert remote.ask("/v1/reload", "-X", "POST", token="all-secret") == 200
    until(lambda: not accepts(remote.remote_port), "nobody listens there")
    remote.configuration.write_text(text)
    assert remote.control.ask("POST", "/v1/reload").status == 200
    assert remote.ask("/v1/status", token="all-secret") == 200


def test_a_token_that_others_can_read_prevents_the_start(stage, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o644)
    path = tmp_path / "a.conf"
    path.write_text(config(stage.port(), ["127.0.0.1:1"],
                           top=f"control 127.0.0.1:{stage.port()} token {token}"))
    done = subprocess.run(
        [BALANCERD, "run", "--socket", tmp_path / "s", "--state", tmp_path / "st", path],
        capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1 and f"chmod 600 {token}" in done.stderr
