"""What a configuration says of keys and values: what is good, what is not, and what can be
seen and changed of it while it runs."""

import subprocess

import pytest

from harness.balancer import BALANCERD
from harness.balancerctl import Control
from harness.patience import PATIENCE
from harness.program import ROOT
from harness.server import response


def balancerd(*words, cwd=None):
    return subprocess.run([BALANCERD, *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, cwd=cwd)


def check(tmp_path, text):
    (tmp_path / "lb.conf").write_text(text)
    return balancerd("check", "lb.conf", cwd=tmp_path)


GOOD = """listen kv :5059 { to store; workers :5060; connections 5000; timeout idle unlimited }
listen kv [::1]:6379 { to store; protocol resp; timeout idle 1h }
listen http :8080 { to web }
pool store {
    balance least-conn; acks all; secret /etc/balancerd/store.secret
    key-size 1k; value-size 60k
    queue 10 wait 1s; retry 1; timeout response 2s
}
pool web { server 1 }
"""


def test_a_good_file(tmp_path):
    done = check(tmp_path, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 listeners, 2 pools, 1 server" in done.stdout


def test_the_example_is_good():
    done = balancerd("check", ROOT / "doc/examples/kv.conf")
    assert (done.returncode, done.stderr) == (0, "")


LISTEN = "listen kv :1 { to a; workers :2 }\n"
BAD = {
    "no-way-for-workers": (
        "pool a {\n}\nlisten kv :1 { to a }\n",
        "1:1: error: no workers can join pool \"a\"; add to \"listen kv\" in line 3"),
    "a-server": (
        LISTEN + "pool a { server 3 }\n",
        "2:10: error: \"server\" is for http, tcp and udp only"),
    "a-check": (
        LISTEN + "pool a { check tcp }\n",
        "2:10: error: \"check tcp\" is for http, tcp and udp only"),
    "a-sticky-cookie": (
        LISTEN + "pool a { sticky cookie c }\n",
        "2:10: error: \"sticky cookie\" is for http only"),
    "a-key": (
        LISTEN + "pool a { balance ring; key address }\n",
        "2:24: error: \"key address\" is for http, tcp and udp only"),
    "a-redistribution": (
        LISTEN + "pool a { redistribute idle }\n",
        "2:10: error: \"redistribute\" is for http, tcp and udp only"),
    "least-load": (
        LISTEN + "pool a { balance least-load }\n",
        "2:10: error: \"balance least-load\" reads the load from probes, and workers get "
        "none; write: balance least-conn"),
    "acks-of-servers": (
        "listen tcp :1 { to a }\npool a { server 3; acks one }\n",
        "2:20: error: \"acks\" is for kv only"),
    "workers-and-servers": (
        LISTEN + "listen http :3 { to a }\npool a {\n}\n",
        "3:1: error: \"listen kv\" in line 1 and \"listen http\" in line 2 use pool \"a\""),
    "acks-of-an-unknown-number": (
        LISTEN + "pool a { acks two }\n",
        "2:15: error: unknown word \"two\", expected one of none, one, all"),
    "an-unknown-protocol": (
        "listen kv :1 { to a; workers :2; protocol memcached }\npool a {\n}\n",
        "1:43: error: unknown word \"memcached\", expected one of kv, resp"),
    "a-key-of-nothing": (
        LISTEN + "pool a { key-size 0 }\n",
        "2:19: error: \"0\" is too small; expected 1 to 32k"),
    "an-entry-too-large": (
        LISTEN + "pool a { key-size 32k; value-size 32k }\n",
        "2:24: error: a key of 32k and a value of 32k do not fit into one message"),
    "workers-where-clients-come": (
        "listen kv :1 { to a; workers :1 }\npool a {\n}\n",
        "1:30: error: 0.0.0.0:1 has a listener already, in line 1; workers need an address "
        "of their own"),
    "workers-where-others-do": (
        LISTEN + "listen kv :3 { to a; workers :2 }\npool a {\n}\n",
        "2:30: error: 0.0.0.0:2 is for the workers of the listener in line 1 already"),
    "workers-of-http": (
        "listen http :1 { to a; workers :2 }\npool a { server 3 }\n",
        "1:24: error: \"workers\" is not known in a listen http block, it belongs in a "
        "listen kv block"),
}


@pytest.mark.parametrize("text, says", BAD.values(), ids=BAD.keys())
def test_a_bad_file(tmp_path, text, says):
    done = check(tmp_path, text)
    assert done.returncode == 1
    assert done.stderr.startswith("lb.conf:" + says), done.stderr
    assert done.stderr.count("error:") == 1, done.stderr


WRONG = {
    "a-word": ["5059"], "an-unknown-option": ["--client", ":1"], "no-value": ["--workers"],
    "a-port-that-is-none": ["--clients", "x"], "twice": ["--resp", "1", "--resp=1"],
    "unknown-acks": ["--acks", "two"], "one-address-for-two": ["--resp", ":5060"],
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_told_and_ends_with_2(words):
    done = balancerd("kv", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("balancerd:") and done.stdout == ""


@pytest.fixture
def both(stage):
    """A balancer for keys and values that serves HTTP as well."""
    http, clients, workers, resp = (stage.port() for _ in range(4))
    web = stage.server(response("web"))
    text = (f"threads 2\nlisten http 127.0.0.1:{http} {{ to web }}\n"
            f"listen kv 127.0.0.1:{clients} {{ to store; workers 127.0.0.1:{workers} }}\n"
            f"listen kv 127.0.0.1:{resp} {{ to store; protocol resp }}\n"
            f"pool web {{ server {web} }}\npool store {{ acks one }}\n")
    balancer = stage.run(text, http)
    balancer.kv = (clients, workers, resp)
    return balancer


def test_what_is_in_force_is_a_good_file(both, tmp_path):
    balancerctl = Control(both.socket_path)
    shown = balancerctl("config", "show").out
    clients, workers, resp = both.kv
    for line in (f"listen kv 127.0.0.1:{clients} {{", f"\tworkers 127.0.0.1:{workers}",
                 f"listen kv 127.0.0.1:{resp} {{", "\tprotocol resp", "\tacks one"):
        assert line in shown.splitlines()
    done = check(tmp_path, shown)
    assert (done.returncode, done.stderr) == (0, "")


def test_listeners_and_pools_say_what_they_are(both):
    clients, workers, _ = both.kv
    listeners = both.control.get("/v1/listeners")["listeners"]
    assert [one["kind"] for one in listeners] == ["http", "kv", "kv"]
    assert [one.get("protocol") for one in listeners] == [None, "kv", "resp"]
    assert [one.get("workers") for one in listeners] == [
        None, f"127.0.0.1:{workers}", None]
    assert listeners[1]["address"] == f"127.0.0.1:{clients}"
    pools = both.control.get("/v1/pools")["pools"]
    assert [one["of"] for one in pools] == ["servers", "workers"]


def test_workers_are_not_added_by_hand(both):
    answer = both.control.add("127.0.0.1:1", pool="store")
    assert (answer.status, answer.code) == (409, "refused")
    said = Control(both.socket_path)("add", "127.0.0.1", "1", "--pool", "store").failed(1)
    assert "workers join pool store by themselves" in said
    assert both.control.get("/v1/pools/store")["servers"] == []


def test_a_listener_may_become_one_for_keys_and_back(both, stage):
    """Loops that forward never take a connection for one of keys, nor the other way."""
    web = stage.server(response("web"))
    clients, workers, _ = both.kv
    text = (f"threads 2\nlisten http 127.0.0.1:{both.port} {{ to web }}\n"
            f"listen %s 127.0.0.1:{clients} {{ to %s }}\n"
            f"pool web {{ server {web} }}\n%s")
    as_http = text % ("http", "web", "")
    as_kv = text % ("kv", f"store; workers 127.0.0.1:{workers}", "pool store {\n}\n")
    for _ in range(3):
        for one, kind in ((as_http, "http"), (as_kv, "kv")):
            assert "reloaded" in both.reload(one)
            assert [l["kind"] for l in both.control.get("/v1/listeners")["listeners"]] == [
                "http", kind]
            assert stage.get(both).body == b"web"


def test_a_worker_comes_and_goes_by_itself_alone(stage, tmp_path):
    balancer = stage.kv()
    worker = stage.worker(balancer)
    worker.is_ready()
    address = f"127.0.0.1:{worker.peer_port}"
    (server,) = stage.until(lambda: balancer.control.get("/v1/pools/store")["servers"],
                            "it is listed")
    assert (server["address"], server["from"]) == (address, "worker")
    balancerctl = Control(balancer.socket_path)
    said = balancerctl("remove", "127.0.0.1", worker.peer_port).failed(1)
    assert f"stop the kv-worker at {address}" in said
    assert balancer.control.get("/v1/config/diff")["changes"] == []
    shown = balancerctl("config", "show").out
    assert address not in shown
    done = check(tmp_path, shown)
    assert (done.returncode, done.stderr) == (0, "")
    assert balancerctl("weight", "127.0.0.1", worker.peer_port, 5).code == 0
    (changed,) = balancer.control.get("/v1/config/diff")["changes"]
    assert (changed["what"], changed["weight"]) == ("changed", 5)
    assert worker.terminate() == 0
    stage.until(lambda: balancer.control.get("/v1/pools/store")["servers"] == [],
                "it is no longer listed")
    assert balancer.control.get("/v1/config/diff")["changes"] == []
