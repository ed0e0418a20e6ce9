"""What a configuration says of pools that own their servers: what is good, what is not,
and that what is in force can be shown, compared and written down again."""

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


GOOD = """listen http :5000 { admin legacy; to web }
listen http :5001 { admin legacy programs; to web }
listen tcp :5002 { to lines }
pool web {
    balance slots
    own docker {
        image registry.example.com/team/app:1.2
        network balancerd
        socket /var/run/docker.sock
        port 5000
        command /server --quiet "with blanks"
        env GREETING "hello you"
        env EMPTY ""
        min 3
        max 10
        names S
        start-time 30s; stop-time 10s; drain-time 30s
        starts-per-minute 120
        at-end stop
        memory 256m; cpu 50%; files 1024; processes 100
        scale up-above 20 down-below 5 up-after 2s down-after 60s
    }
}
pool programs {
    balance ring; key request-id; request-id on; batch window 1ms count 50
    check http /ready every 1s; retry 2; queue 100 wait 1s
    own process { command /bin/app; directory /srv; port any; min 0; at-end leave }
}
pool lines { check tcp; own process { command /bin/lines; port 7000; max 2 } }
"""


def test_a_good_file(tmp_path):
    done = check(tmp_path, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 listeners, 3 pools, 4 to 22 servers" in done.stdout


@pytest.mark.parametrize("name", ["doc/examples/own.conf", "packaging/balancerd.conf"])
def test_the_examples_are_good(name):
    done = balancerd("check", ROOT / name)
    assert (done.returncode, done.stderr) == (0, "")


def docker(words):
    return f"pool p {{ own docker {{ image a; {words} }} }}\nlisten http :80 {{ to p }}\n"


def process(words, pool="", listen="http"):
    return (f"pool p {{ {pool}; own process {{ command a; {words} }} }}\n"
            f"listen {listen} :80 {{ to p }}\n")


BAD = {
    "no-driver": ("pool p { own { } }\n", "docker, process"),
    "a-driver-that-is-none": ("pool p { own podmen { image a } }\n", "docker, process"),
    "no-block": ("pool p { own docker }\n", "own docker { ... }"),
    "a-block-twice": ("pool p { own docker { image a }; own process { command a } }\n",
                      '"own" is already set in line 1'),
    "no-image": ("pool p { own docker { min 1 } }\n", "image balancerd-sample"),
    "no-command": ("pool p { own process { min 1 } }\n", "command "),
    "an-image-of-two-words": (docker("network a b"), "too much"),
    "a-word-of-the-other": (process("image a"), "belongs in an own docker block"),
    "a-directory-for-docker": (docker("directory /a"), "belongs in an own process block"),
    "a-word-outside": ("pool p { min 3 }\n", "belongs in an own block"),
    "more-than-there-may-be": (docker("max 1001"), "1 to 1000"),
    "a-huge-number": (docker("max " + "9" * 40), "1 to 1000"),
    "less-than-none": (docker("min -1"), "digits only"),
    "min-above-max": (docker("min 4; max 3"), "raise max or lower min"),
    "min-above-what-max-is": (docker("min 11"), "max 11"),
    "a-prefix-with-a-slash": (docker("names a/b"), "no name"),
    "a-prefix-with-a-dash-in-front": (docker("names -a"), "no name"),
    "a-prefix-too-long": (docker("names " + "a" * 60), "at most 59"),
    "a-variable-of-ours": (docker("env PORT 1"), "set by the balancer"),
    "a-variable-without-a-value": (docker("env A"), "env NAME VALUE"),
    "a-variable-as-shells-have-it": (docker("env A=b c"), "env NAME VALUE"),
    "a-variable-twice": (docker("env A 1; env A 2"), "set already"),
    "too-many-variables": (docker("; ".join(f"env A{i} 1" for i in range(65))), "64"),
    "too-many-words": (process(f"port any }} }}\npool q {{ own process {{ command "
                               + "a " * 65), "more than 64 words"),
    "an-engine-by-tcp": (docker("socket tcp://127.0.0.1:2375"), "begins with"),
    "an-engine-by-url": (docker("socket unix:///run/a.sock"), "write: /run/a.sock"),
    "a-network-of-docker": (docker("network host"), "another name"),
    "a-share-without-a-unit": (docker("cpu 50"), "50%"),
    "too-little-memory": (docker("memory 1m"), "6m to"),
    "scaling-without-a-gap": (docker("scale up-above 5 down-below 5"), "in turns"),
    "scaling-that-never-ends": (docker("scale up-above 5"), "needs down-below N"),
    "slots-for-fewer": (process("max 57", "balance slots"), "max, which is 57"),
    "servers-besides": (process("", "server 1"), "by itself"),
    "no-check": (process("", "check off"), "check http /heartbeat, or check tcp"),
    "datagrams": (process("", "check tcp", "udp"), '"server" lines'),
    "a-batch-without-time": (process("", "batch count 5"), "batch window TIME"),
    "a-batch-that-takes-long": (process("", "batch window 1h"), "0s to 10s"),
    "a-number-for-requests": (process("", "request-id 5"), "on, off"),
    "load-of-a-heartbeat": (process("", "balance least-load"), "/healthcheck"),
    "calls-about-nobody": ("pool p { server 1 }\nlisten http :1 { to p; admin legacy }\n",
                           "own docker { ... }"),
    "calls-about-a-pool-that-is-none": ("pool p { server 1 }\n"
                                        "listen http :1 { to p; admin legacy p }\n",
                                        "does not own"),
    "calls-of-connections": ("pool p { own docker { image a } }\n"
                             "listen tcp :80 { to p; admin legacy }\n",
                             "belongs in a listen http block"),
    "calls-of-what": (process("").replace("to p", "to p; admin"), "admin legacy [POOL]"),
}


@pytest.mark.parametrize("text, says", BAD.values(), ids=BAD.keys())
def test_a_bad_file(tmp_path, text, says):
    done = check(tmp_path, text)
    assert done.returncode == 1, done.stdout + done.stderr
    found = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert found and any(says in line for line in found), done.stderr
    assert all(line.startswith("lb.conf:") for line in found)


def test_two_pools_do_not_take_the_same_containers(tmp_path):
    pools = "".join(f"pool {name} {{ own docker {{ image a }} }}\n" for name in "ab")
    done = check(tmp_path, pools + "listen http :80 { route path /a to a; to b }\n")
    assert done.returncode == 0
    assert "warning" in done.stderr and "names b-" in done.stderr


@pytest.fixture
def owning(stage):
    """A balancer with a pool that owns its servers, of which none is wanted yet."""
    port = stage.port()
    web = stage.server(response("web"))
    text = (f"listen http 127.0.0.1:{port} {{ to web; admin legacy own }}\n"
            f"pool web {{ server {web} }}\n"
            "pool own { balance slots; retry 3\n"
            "own process { command /bin/false; min 0; env A \"b c\" } }\n")
    balancer = stage.run(text, port)
    balancer.text, balancer.web = text, web
    return balancer


def test_what_is_in_force_is_a_good_file(owning, tmp_path):
    balancerctl = Control(owning.socket_path)
    shown = balancerctl("config", "show").out
    for line in ("\tadmin legacy own", "\tretry 3", "\town process {",
                 "\t\tcommand /bin/false", "\t\tenv A \"b c\"", "\t\tmin 0"):
        assert line in shown.splitlines()
    assert "heartbeat" not in shown and "\tserver" in shown
    done = check(tmp_path, shown)
    assert (done.returncode, done.stderr) == (0, "")
    diff = owning.control.get("/v1/config/diff")
    assert (diff["changes"], diff["lines"]) == ([], [])


def test_the_twin_of_json_says_the_same(owning):
    answer = owning.control.get("/v1/config")
    block = [one for one in answer["json"] if one["words"] == ["pool", "own"]][0]["block"]
    (own,) = [one for one in block if one["words"] == ["own", "process"]]
    assert {"words": ["env", "A", "b c"]} in own["block"]
    checked = owning.control.ask("POST", "/v1/config/check",
                                 {"json": answer["json"]}).json
    assert checked["good"] and checked["problems"] == []


def test_a_pool_may_own_and_own_no_longer(owning, stage):
    """Whatever it was, the file decides at a reload what it is."""
    plain = owning.text.split("pool own")[0].replace("; admin legacy own", "") + \
        f"pool own {{ server {owning.web} }}\n"
    for text, has in ((plain, False), (owning.text, True)) * 2:
        assert "reloaded" in owning.reload(text)
        shown = Control(owning.socket_path)("config", "show").out
        assert ("own process {" in shown) == has
        assert owning.control.get("/v1/config/diff")["lines"] == []
        assert stage.get(owning).body == b"web"


def test_a_bad_file_changes_nothing(owning, stage):
    said = owning.reload(owning.text.replace("min 0", "min 11"))
    assert "max 11" in owning.log and "reloaded" not in said
    assert "own process {" in Control(owning.socket_path)("config", "show").out
    assert stage.get(owning).body == b"web"
