"""What balancerctl asks, and what it makes of each answer: words and exit codes.

The balancer is a stand-in that answers as doc/control.md says, or oddly.
test_balancerctl.py has the real one.
"""

import os
import re
import socket
import stat
import subprocess

import pytest

from harness.balancerctl import BALANCERCTL, Control, FakeControl, FakeTcpControl


def server(address="127.0.0.1:8081", **members):
    return {"address": address, "pool": "web", "state": "up", "reason": "", "weight": 1,
            "drain": False, "in_flight": 0, "requests": 0, "failures": 0, "from": "file",
            "temporary": False} | members


def pool(name="web", *servers):
    return {"name": name, "balance": "round-robin", "servers": list(servers),
            "in_flight": 3, "requests": 40, "waiting": 1, "retries": 2,
            "bytes_up": 5, "bytes_down": 1234567,
            "moved": {"replayed": 1, "idle": 2, "closed": 4}}


STATUS = {"name": "default", "version": "0.1.0", "pid": 4242, "uptime_s": 11520,
          "state": "running", "file": "/etc/balancerd/balancerd.conf", "threads": 2,
          "connections": 12, "lasting": True, "state_file": "/var/lib/balancerd/x.json",
          "listeners": [{"address": "0.0.0.0:8080", "kind": "http",
                         "pools": ["web", "api"], "connections": 12, "accepted": 99,
                         "requests": 1000}],
          "pools": 1, "servers": 2, "servers_up": 1}
SERVERS = "/v1/pools/web/servers"
ONE = SERVERS + "/127.0.0.1:8081"


def error(status, code, message="no, because of it"):
    return status, {"error": {"code": code, "message": message}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "b.sock"


@pytest.fixture
def ctl(path, tmp_path):
    return Control(path, home=tmp_path)


@pytest.fixture
def fake(path):
    fake = FakeControl(path, {
        ("GET", "/v1/pools"): (200, {"pools": [pool("web", server(), server(
            "app2:8082", state="down", reason="connection refused", weight=2, in_flight=7,
            requests=1200, failures=9, temporary=True, **{"from": "change"}))]}),
        ("GET", "/v1/status"): (200, STATUS),
    })
    yield fake
    fake.close()


def test_add(fake, ctl):
    fake.answers["POST", SERVERS] = lambda _: (201, server("[::1]:80"))
    assert ctl("add", "::1", "80").did() == "added [::1]:80 to pool web"
    assert fake.changes() == [("POST", SERVERS, {"address": "[::1]:80"})]


def test_add_with_everything(fake, ctl):
    fake.answers["POST", SERVERS] = (201, server("app1:80", temporary=True))
    done = ctl("add", "app1:80", "--weight", "3", "--drain", "--temporary", "--pool",
               "web")
    assert done.did() == ("added app1:80 to pool web with weight 3, draining: it gets no "
                          "work until it is enabled, until the balancer ends")
    assert fake.changes() == [("POST", SERVERS, {
        "address": "app1:80", "weight": 3, "drain": True, "temporary": True})]


def test_a_unix_socket_as_a_server(fake, ctl):
    address = "unix:/run/a b.sock"
    fake.answers["POST", SERVERS] = (201, server(address))
    assert ctl("add", address).did() == f"added {address} to pool web"
    fake.answers["DELETE", SERVERS + "/unix:%2Frun%2Fa%20b.sock"] = (200, server(address))
    assert ctl("remove", address).did() == f"removed {address} from pool web"


def test_remove(fake, ctl):
    fake.answers["DELETE", ONE] = (200, server())
    assert ctl("remove", "127.0.0.1", "8081").did() == (
        "removed 127.0.0.1:8081 from pool web")


def test_remove_waits_for_the_last_connection_and_says_so(fake, ctl):
    query = "?limit_ms=60000&temporary=1"
    fake.answers["DELETE", ONE + query] = (200, server(in_flight=2))
    fake.answers["GET", "/v1/leaving"] = [
        (200, {"servers": [server(in_flight=2), server("app2:1", in_flight=9)]}),
        (200, {"servers": [server(in_flight=1)]}),
        (200, {"servers": []})]
    done = ctl("remove", "127.0.0.1:8081", "--limit", "1m", "--temporary")
    assert done.code == 0
    assert done.out == "removed 127.0.0.1:8081 from pool web\n"
    assert done.err == "balancerctl: waiting for 2 connections of 127.0.0.1:8081\n"


def test_remove_without_waiting(fake, ctl):
    fake.answers["DELETE", ONE] = (200, server(in_flight=1))
    assert ctl("remove", "127.0.0.1", "8081", "--no-wait").did() == (
        "removed 127.0.0.1:8081 from pool web; it still has 1 connection")


def test_remove_that_is_not_done_in_time(fake, ctl):
    fake.answers["DELETE", ONE] = (200, server(in_flight=3))
    fake.answers["GET", "/v1/leaving"] = (200, {"servers": [server(in_flight=3)]})
    done = ctl("remove", "127.0.0.1", "8081", "--timeout", "1500ms", "--quiet")
    assert done.failed(7) == ("127.0.0.1:8081 is removed and gets no new work, but still "
                              "has 3 connections")


@pytest.mark.parametrize("words, body, answer, says", [
    (["drain", "127.0.0.1", "8081"], {"drain": True}, server(in_flight=5, drain=True),
     "draining 127.0.0.1:8081 in pool web, which has 5 connections"),
    (["drain", "127.0.0.1:8081", "--temporary"], {"drain": True, "temporary": True},
     server(in_flight=1, temporary=True),
     "draining 127.0.0.1:8081 in pool web, which has 1 connection, until the balancer "
     "ends"),
    (["enable", "127.0.0.1", "8081"], {"drain": False}, server(),
     "enabled 127.0.0.1:8081 in pool web"),
    (["enable", "127.0.0.1", "8081"], {"drain": False}, server(state="down"),
     "enabled 127.0.0.1:8081 in pool web, but it is down"),
    (["enable", "127.0.0.1", "8081"], {"drain": False}, server(state="off", weight=0),
     "enabled 127.0.0.1:8081 in pool web, but its weight is 0, so it gets no work"),
    (["weight", "127.0.0.1", "8081", "5"], {"weight": 5}, server(weight=5),
     "127.0.0.1:8081 in pool web has weight 5 now"),
    (["weight", "127.0.0.1:8081", "0"], {"weight": 0}, server(weight=0),
     "127.0.0.1:8081 in pool web has weight 0 now and gets no work"),
])
def test_changes_of_a_server(fake, ctl, words, body, answer, says):
    fake.answers["PATCH", ONE] = (200, answer)
    assert ctl(*words).did() == says
    assert fake.changes() == [("PATCH", ONE, body)]


def test_list_in_a_pipe_is_stable_text(fake, ctl):
    done = ctl("list")
    assert done.code == 0 and done.err == ""
    assert [line.split("\t") for line in done.lines] == [
        ["127.0.0.1:8081", "web", "up", "1", "0", "0", "0", "file", "-"],
        ["app2:8082", "web", "down", "2", "7", "1200", "9", "temporary",
         "connection refused"]]


def test_list_on_a_terminal_is_aligned_and_coloured(fake, ctl):
    code, seen = ctl.on_terminal("list")
    assert code == 0
    assert "\x1b[1mSERVER\x1b[0m" in seen
    assert "\x1b[32mup\x1b[0m" in seen and "\x1b[31mdown\x1b[0m" in seen
    lines = re.sub(r"\x1b\[\d*m", "", seen).splitlines()
    assert lines == [
        "SERVER          POOL  STATE  WEIGHT  NOW  TOTAL  FAILED  FROM       REASON",
        "127.0.0.1:8081  web   up          1    0      0       0  file       -",
        "app2:8082       web   down        2    7   1200       9  temporary  "
        "connection refused"]


@pytest.mark.parametrize("name, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_none_are_wanted(fake, ctl, name, value):
    ctl.environment[name] = value
    _, seen = ctl.on_terminal("list")
    assert "\x1b" not in seen and seen.startswith("SERVER  ")


def test_control_bytes_of_an_answer_do_not_reach_the_terminal(fake, ctl):
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [pool("web", server(
        reason="\x1b[2J\tgone\n"))]})
    _, seen = ctl.on_terminal("list")
    assert "?[2J?gone?" in seen
    assert ctl("list").lines[0].endswith("\t?[2J?gone?")


def test_a_pool_without_servers(fake, ctl):
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [pool()]})
    done = ctl("list")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert ctl.on_terminal("list") == (
        0, "no servers; add one with: balancerctl add ADDRESS PORT\n")


def test_a_worker_is_called_one(fake, ctl):
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [pool("store", {
        **server("a:1", pool="store"), "from": "worker", "temporary": True})]})
    assert "\tworker\t" in ctl("list").lines[0]


def test_a_pool_without_workers(fake, ctl):
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [{**pool(), "of": "workers"}]})
    assert ctl.on_terminal("list") == (
        0, "no workers; they join by themselves, see kv-worker(1)\n")
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [{**pool(), "of": "workers"}, pool()]})
    assert "balancerctl add" in ctl.on_terminal("list")[1]


def test_list_of_one_pool(fake, ctl):
    fake.answers["GET", "/v1/pools/api"] = (200, pool("api", server("a:1", pool="api")))
    assert ctl("list", "--pool", "api").did().startswith("a:1\tapi\t")


OWNED = "/v1/pools/web/owned"


def made(name, address="", state="starting", **members):
    return {"name": name, "id": "1", "address": address, "state": state,
            "serves": state == "serving", "since_ms": 5, "why": ""} | members


def figures(*servers, **members):
    serving = sum(one["serves"] for one in servers)
    return {"pool": "web", "driver": "process", "min": 1, "max": 9, "wanted": 3,
            "serving": serving, "starting": len(servers) - serving, "leaving": 0,
            "trouble": "", "servers": list(servers)} | members


@pytest.fixture
def owned(fake):
    """A pool that makes its servers: S1 serves, S2 is checked, S3 has no address."""
    whole = pool("web", server("127.0.0.1:5001", name="S1", **{"from": "owned"}),
                 server("127.0.0.1:5002", name="S2", state="starting", temporary=True,
                        **{"from": "owned"})) | {
        "owned": figures(made("S1", "127.0.0.1:5001", "serving"),
                         made("S2", "127.0.0.1:5002"),
                         made("S3", why="exit status 1"))}
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [whole]})
    fake.answers["GET", "/v1/pools/web"] = (200, whole)
    return fake


def test_list_shows_names_and_those_that_are_starting(owned, ctl):
    assert [line.split("\t") for line in ctl("list").lines] == [
        ["127.0.0.1:5001", "web", "up", "1", "0", "0", "0", "owned", "-", "S1"],
        ["127.0.0.1:5002", "web", "starting", "1", "0", "0", "0", "owned", "-", "S2"],
        ["-", "web", "starting", "-", "-", "-", "-", "owned", "exit status 1", "S3"]]
    owned.answers["GET", "/v1/pools/web"][1]["owned"]["trouble"] = "no image x"
    assert "pool web cannot start servers: no image x" in ctl.on_terminal("list")[1]


@pytest.mark.parametrize("words, method, body", [
    (["scale", "web", "5"], "PUT", {"count": 5}),
    (["scale", "5"], "PUT", {"count": 5}),
    (["scale", "--pool", "web", "0"], "PUT", {"count": 0}),
    (["scale", "web", "+2"], "POST", {"count": 2}),
    (["scale", "web", "-2"], "DELETE", {"count": 2}),
    (["add", "S5"], "POST", {"names": ["S5"]}),
    (["add", "--pool", "web", "S5", "other"], "POST", {"names": ["S5", "other"]}),
    (["remove", "S1"], "DELETE", {"names": ["S1"]}),
])
def test_servers_that_the_balancer_makes(owned, ctl, words, method, body):
    owned.answers[method, OWNED] = (200, figures(
        made("S1", state="serving"), made("S5", state="serving"), made("S6")))
    assert ctl(*words).did() == "2 servers in pool web: S1, S5"
    assert owned.changes() == [(method, OWNED, body)]


def test_a_person_sees_that_servers_are_waited_for(owned, ctl):
    owned.answers["PUT", OWNED] = (200, figures())
    assert "waiting for the servers of pool web" in ctl.on_terminal("scale", "5")[1]


def test_json_of_scale(owned, ctl):
    owned.answers["PUT", OWNED] = (200, figures())
    assert ctl("scale", "web", "1", "--json").json == figures()


@pytest.mark.parametrize("words, says", [
    (["scale"],
     "a word is missing; write: balancerctl scale [POOL] N|+N|-N [--pool NAME]"),
    (["scale", "web", "many"], '"many" is no number; expected digits only'),
    (["scale", "web", "+0"], '"0" is too small; expected 1 to 1000'),
    (["remove", "S1", "--limit", "3s"],
     "pool web makes its servers itself; there is no --limit for them"),
])
def test_wrong_lines_about_servers_that_are_made(owned, ctl, words, says):
    assert ctl(*words).failed(2) == says
    assert owned.changes() == []


def test_a_name_in_a_pool_without_names_is_no_address(fake, ctl):
    fake.answers["GET", "/v1/pools/web"] = (200, pool("web", server()) | {"owned": None})
    assert ctl("remove", "app1").failed(2) == (
        '"app1" has no port; write: balancerctl remove ADDRESS PORT')
    fake.answers["GET", "/v1/pools/wbe"] = error(404, "pool-unknown")
    ctl("remove", "app1", "--pool", "wbe").failed(5)


def test_several_pools_and_none_named(fake, ctl):
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [
        pool("web", server()), pool("api"), pool("db")]})
    done = ctl("drain", "127.0.0.1", "8081")
    assert done.failed(2) == "there are 3 pools, say which by --pool: web, api and db"
    assert fake.changes() == []
    assert len(ctl("list").lines) == 1, "list has them all"


def test_status_in_a_pipe_is_stable_text(fake, ctl):
    assert ctl("status").out == (
        "name\tdefault\nversion\t0.1.0\nstate\trunning\n"
        "file\t/etc/balancerd/balancerd.conf\nstate_file\t/var/lib/balancerd/x.json\n"
        "lasting\tyes\npid\t4242\nuptime_s\t11520\nthreads\t2\nconnections\t12\n"
        "pools\t1\nservers\t2\nservers_up\t1\n"
            "access_log_dropped\t0\nlog_left_out\t0\n"
        "listener\t0.0.0.0:8080\thttp\tweb,api\t12\t99\t1000\n"
        "pool\tweb\tround-robin\t2\t1\t3\t1\t40\t2\t3\t4\t5\t1234567\n")


def test_status_on_a_terminal(fake, ctl):
    _, seen = ctl.on_terminal("status")
    lines = re.sub(r"\x1b\[\d*m", "", seen).splitlines()
    assert lines[0] == (
        "default is running (up 3 h 12 min, version 0.1.0, pid 4242, 2 threads)")
    assert lines[1:5] == [
        "configuration  /etc/balancerd/balancerd.conf",
        "changes        kept over a restart, in /var/lib/balancerd/x.json",
        "servers        1 of 2 up",
        "connections    12"]
    assert lines[6].startswith("LISTENER      KIND  POOLS    NOW")
    assert lines[9].startswith("POOL  BALANCE      SERVERS  UP")
    assert lines[10].split()[-2:] == ["5", "1.2M"]


def test_reload(fake, ctl):
    fake.answers["POST", "/v1/reload"] = (200, {"file": "/etc/balancerd/web.conf"})
    assert ctl("reload").did() == "reloaded /etc/balancerd/web.conf"


def test_config_show(fake, ctl):
    fake.answers["GET", "/v1/config"] = (200, {"text": "threads 2\n", "json": []})
    assert ctl("config", "show").out == "threads 2\n"
    assert ctl("config", "show", "--json").json == {"text": "threads 2\n", "json": []}


def test_config_diff(fake, ctl):
    fake.answers["GET", "/v1/config/diff"] = (200, {
        "file": "/etc/b.conf", "file_errors": [],
        "changes": [{"pool": "db", "server": "db1:1", "what": "waiting"}],
        "lines": [" pool web {", "-\tserver 127.0.0.1:1", "+\tserver 127.0.0.1:2"]})
    assert ctl("config", "diff").lines == [
        " pool web {", "-\tserver 127.0.0.1:1", "+\tserver 127.0.0.1:2",
        "? pool db, server db1:1: a change that waits for its pool"]
    _, seen = ctl.on_terminal("config", "diff")
    assert seen.startswith(" pool web {\n\x1b[31m-\tserver 127.0.0.1:1\x1b[0m\n\x1b[32m+")
    fake.answers["GET", "/v1/config/diff"] = (200, {"lines": []})
    assert ctl("config", "diff").out == ""
    assert ctl.on_terminal("config", "diff") == (
        0, "what is in force is what the file says\n")


def test_config_diff_with_a_file_that_has_errors(fake, ctl):
    fake.answers["GET", "/v1/config/diff"] = (200, {
        "file": "/etc/b.conf", "file_errors": PROBLEMS, "changes": [], "lines": []})
    done = ctl("config", "diff")
    assert done.code == 1 and done.out == ""
    assert done.err.splitlines()[0] == "/etc/b.conf:3:5: error: unknown word"
    assert done.err.splitlines()[-1] == "balancerctl: /etc/b.conf has 1 error"


PROBLEMS = [{"line": 3, "column": 5, "kind": "error", "message": "unknown word"},
            {"line": 4, "column": 1, "kind": "warning", "message": "hardly meant"}]


def test_config_check_of_a_file(fake, ctl, tmp_path):
    (tmp_path / "a.conf").write_text("threads 2\n")
    fake.answers["POST", "/v1/config/check"] = (200, {
        "good": True, "problems": [], "summary": "1 listener, 1 pool, 2 servers"})
    done = ctl("config", "check", "a.conf", cwd=tmp_path)
    assert done.did() == "a.conf is good: 1 listener, 1 pool, 2 servers"
    assert fake.changes() == [("POST", "/v1/config/check", {"text": "threads 2\n"})]


def test_config_check_that_finds_something(fake, ctl):
    fake.answers["POST", "/v1/config/check"] = (200, {
        "good": False, "problems": PROBLEMS, "summary": ""})
    done = ctl("config", "check", "-", stdin="x\n")
    assert done.code == 1 and done.out == ""
    assert done.err.splitlines() == [
        "standard input:3:5: error: unknown word",
        "standard input:4:1: warning: hardly meant",
        "balancerctl: standard input has 1 error"]
    fake.answers["POST", "/v1/config/check"] = (200, {
        "good": False, "problems": PROBLEMS, "summary": None, "file": "/etc/b.conf"})
    done = ctl("config", "check")
    assert done.err.splitlines()[0] == "/etc/b.conf:3:5: error: unknown word"
    assert done.err.splitlines()[-1] == "balancerctl: /etc/b.conf has 1 error"


def test_config_check_of_what_is_no_file(fake, ctl, tmp_path):
    assert ctl("config", "check", "missing", cwd=tmp_path).failed(2) == (
        "cannot read missing: No such file or directory")
    assert "cannot read" in ctl("config", "check", tmp_path).failed(2)
    (tmp_path / "large").write_bytes(b"#" * (1 << 20) + b"#")
    large = ctl("config", "check", tmp_path / "large")
    assert "more than 1048576 bytes" in large.failed(2)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in ctl("config", "check", tmp_path / "bytes").failed(2)


def test_json_is_the_answer_itself(fake, ctl):
    fake.answers["POST", SERVERS] = (201, server("app1:80"))
    fake.answers["DELETE", ONE] = (200, server())
    assert ctl("list", "--json").json["pools"][0]["name"] == "web"
    assert ctl("status", "--json").json == STATUS
    assert ctl("add", "app1", "80", "--json").json == server("app1:80")
    assert ctl("--json", "remove", "127.0.0.1", "8081").json == server()


def test_quiet_says_nothing_of_what_was_done(fake, ctl):
    fake.answers["POST", SERVERS] = (201, server("app1:80"))
    done = ctl("add", "app1", "80", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert ctl("list", "--quiet").out != "", "what was asked for is said"


@pytest.mark.parametrize("status, code, exit_code", [
    (400, "bad-request", 2), (401, "no-token", 4), (403, "read-only", 4),
    (409, "changes-full", 1), (409, "refused", 1), (500, "no-memory", 1),
    (404, "pool-unknown", 5), (404, "server-unknown", 5), (404, "path-unknown", 1),
    (409, "server-exists", 6), (409, "pool-full", 1), (409, "draining", 1),
    (409, "config-errors", 1), (409, "no-file", 1), (412, "version-changed", 6),
    (413, "too-long", 1), (500, "state-not-written", 1), (503, "busy", 1),
    (400, "of-another-version", 1),
])
def test_errors_of_the_balancer(fake, ctl, status, code, exit_code):
    fake.answers["POST", SERVERS] = error(status, code, "it is so, do this")
    assert ctl("add", "app1", "80").failed(exit_code) == "it is so, do this"


@pytest.mark.parametrize("answer", [
    (200, b"<html>"), (200, b"[]"), (200, b""), (404, b"not here"), (500, {"error": "x"}),
    (200, b'{"a": '),
], ids=["html", "array", "nothing", "text-404", "odd-error", "half"])
def test_what_is_no_balancer(fake, ctl, path, answer):
    fake.answers["GET", "/v1/status"] = answer
    assert f"what answers at {path} is no balancer" in ctl("status").failed(1)


def test_members_that_are_missing_are_shown_as_such(fake, ctl):
    fake.answers["GET", "/v1/status"] = (200, {})
    fake.answers["GET", "/v1/pools"] = (200, {"pools": [{"servers": [{}]}]})
    assert ctl("status").code == 0
    assert ctl("list").lines == ["-\t-\t-\t0\t0\t0\t0\t-\t-"]


def test_a_balancer_that_does_not_answer(fake, ctl, path):
    fake.answers["GET", "/v1/status"] = None
    assert ctl("status", "--timeout", "200ms").failed(7) == (
        f"the balancer at {path} did not answer in time")


def test_no_balancer_is_running(ctl, path):
    assert ctl("list").failed(3) == (
        f"no balancer is running at {path}; start one with: balancerctl start ADDRESS "
        "PORT")


def test_what_is_no_socket(ctl, path):
    path.mkdir()
    assert ctl("list").failed(3) == (
        f"no balancer is running at {path}, which is no socket; start one with: "
        "balancerctl start ADDRESS PORT")


def test_a_socket_that_a_dead_balancer_left(ctl, path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    assert ctl("list").failed(3) == (
        f"no balancer is running at {path}, one that is gone left its socket; "
        "start one with: balancerctl start ADDRESS PORT")


def nobody():
    """What makes a child of ours a stranger."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission(fake, ctl, path, tmp_path):
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & stat.S_IXOTH == 0 and "pytest" in str(folder):
            folder.chmod(0o755)
    path.chmod(0o660)
    assert ctl("list", preexec_fn=nobody).failed(4) == (
        f"no permission to use {path}; run as root, or as the user that runs the "
        "balancer")
    os.chown(path, 0, 4)            # adm, which Debian always has
    assert ctl("list", preexec_fn=nobody).failed(4) == (
        f"no permission to use {path}; run as root, or join the group adm")


def test_over_tcp_with_a_token(tmp_path, ctl):
    token = tmp_path / "token"
    token.write_text("secret\nmore\n")
    fake = FakeTcpControl(None, {
        ("GET", "/v1/pools"): (200, {"pools": [pool("web", server())]})})
    try:
        for url in (fake.url, fake.url + "/"):
            done = ctl("list", "--url", url, "--token-file", token)
            assert done.did().startswith("127.0.0.1:8081\t")
        assert fake.asked[0][3]["Authorization"] == "Bearer secret"
        ctl.environment["http_proxy"] = "http://127.0.0.1:1"
        assert ctl("list", "--url", fake.url, "--token-file", token).code == 0
    finally:
        fake.close()
    assert ctl("list", "--url", fake.url, "--token-file", token).failed(3) == (
        f"no balancer answers at {fake.url}: Connection refused")


@pytest.mark.parametrize("words, says", [
    (["--url", "http://a:1"], "--url and --token-file belong together; give both"),
    (["--token-file", "t"], "--url and --token-file belong together; give both"),
    (["--url", "http://a:1", "--token-file", "t", "--socket", "s"],
     "--url and --socket name two balancers; give one of them"),
    (["--url", "https://a:1", "--token-file", "t"],
     '--url: "https://a:1" is none; expected http://HOST:PORT'),
    (["--url", "http://a:1/x", "--token-file", "t"],
     '--url: "http://a:1/x" has more or less than a host and a port; expected '
     "http://HOST:PORT"),
    (["--url", "http://a:1", "--token-file", "missing"],
     "cannot read the token file missing: No such file or directory"),
    (["--url", "http://a:1", "--token-file", "empty"],
     "the first line of the token file empty is empty"),
    (["--url", "http://a:1", "--token-file", "blank"],
     "the token in blank has a byte that no token may have"),
    (["--url", "http://a:1", "--token-file", "long"],
     "the token in long has more than 256 bytes"),
    (["--name", "a/b"], '"a/b" is no name'),
    (["--socket", "/" + "x" * 200], "the path of a control socket has 107 bytes at most"),
])
def test_wrong_ways_to_name_a_balancer(tmp_path, words, says):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "blank").write_text("a b\n")
    (tmp_path / "long").write_text("x" * 257)
    done = Control()("list", *words, cwd=tmp_path)
    assert done.failed(2).startswith(says)


def test_the_name_leads_to_the_socket(tmp_path):
    ctl = Control()
    ctl.environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    folder = "/run/balancerd" if os.geteuid() == 0 else tmp_path / "balancerd"
    assert f"{folder}/no-such-one.sock;" in ctl("list", "--name", "no-such-one").failed(3)


@pytest.mark.parametrize("words, says", [
    (["lst"], 'unknown command "lst"; did you mean "list"?'),
    (["list", "--jason"], 'unknown option "--jason"; did you mean "--json"?'),
    (["list", "web"], "too many words; write: balancerctl list [--pool NAME]"),
    (["config"], "what is to be done with the config? expected one of check, show, diff"),
    (["add"], "an address is missing; write: balancerctl add ADDRESS PORT"),
    (["add", "8081"],
     '"8081" is a port without an address; write: balancerctl add ADDRESS PORT'),
    (["add", "app1"], '"app1" has no port; write: balancerctl add ADDRESS PORT'),
    (["add", "app1", "http"], '"http" is no port; expected 1 to 65535'),
    (["add", "app1:80", "81"], '"81" is too much; write: balancerctl add ADDRESS PORT'),
    (["add", "a b", "80"], '"a b:80" has no host name or address before its port'),
    (["add", "app1", "80", "--weight", "x"],
     '--weight: "x" is no number; expected digits only'),
    (["weight", "app1", "80"],
     "the weight is missing; write: balancerctl weight ADDRESS PORT N"),
    (["stop", "--now", "--limit", "3s"],
     "--now and --limit say two different things; give one of them"),
    (["start", "--url", "http://a:1", "a", "1"],
     "start takes no --url; write: balancerctl start ADDRESS PORT [SERVER...] "
     "[--state DIR] [--log PATH] [--threads N]"),
    (["completion", "csh"], 'there is completion for bash, zsh and fish, not for "csh"'),
    (["help", "lst"], 'unknown command "lst"; did you mean "list"?'),
])
def test_wrong_lines(ctl, words, says):
    assert ctl(*words).failed(2) == says


def test_help(ctl):
    overview = ctl("--help")
    assert overview.code == 0 and overview.err == ""
    assert all(len(line) <= 79 for line in overview.lines), overview
    alone = ctl()
    assert alone.code == 2 and alone.err == overview.out and alone.out == ""
    assert ctl("help").out == overview.out
    for line in re.findall(r"^  ([a-z]+(?: [a-z]+)?)\b.*  ", overview.out, re.M):
        words = line.split()
        if words[0] in ("status", "list", "stop", "reload", "manual"):
            words = words[:1]
        said = ctl(*words, "--help")
        assert said.code == 0, said
        assert said.out.startswith(f"usage: balancerctl {words[0]}")
        assert said.out == ctl("help", *words).out
    assert re.fullmatch(r"balancerctl \d+\.\d+\.\d+\n", ctl("--version").out)


def test_output_that_cannot_be_written(ctl):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BALANCERCTL, "--help"], stdout=full, text=True,
                              stderr=subprocess.PIPE, env=ctl.environment, check=False)
    assert done.returncode == 1
    assert done.stderr == "balancerctl: cannot write: No space left on device\n"
