"""The command line and what it says about a configuration file."""

import re
import subprocess

import pytest

from harness.balancer import BALANCERD
from harness.patience import PATIENCE


def balancerd(*words, cwd=None):
    return subprocess.run([BALANCERD, *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, cwd=cwd)


def check(tmp_path, text):
    (tmp_path / "lb.conf").write_text(text)
    return balancerd("check", "lb.conf", cwd=tmp_path)


def errors(done):
    return re.findall(r"^lb\.conf:(\d+):(\d+): error: (.+)$", done.stderr, re.M)


GOOD = """# everything there is
threads 2
connections 5000
drain 10s
log warn
access-log combined to access
listen http :8080 {
    route host api.example.com path /v1/ to api
    route host *.example.com to api; route path /static/ to web
    to web
    connections 1000; parallel 100 queue 50 wait 2s
    head-size 8k; head-fields 50; target-size 4k; body-size 1m; requests 100
    headers via x-forwarded forwarded
    timeout head 5s body 10s keep-alive 30s linger 1s tunnel 2h
    access-log on
    errors status
}
listen http [::1]:8081 { to web; headers none; errors plain-500 }
pool web {
    balance least-load
    check http /healthcheck expect load every 3s timeout 1s rise 2 fall 3 after 5 requests
    server 127.0.0.1:8081
    server app2:8082 weight 2 parallel 10
    server unix:/run/app.sock drain
    parallel 100; queue 1000 wait 5s
    retry 2 budget 20% reserve 100
    passive 5 for 10s
    timeout connect 2s response 60s body 30s idle 4s
    keep 32
    host preserve
}
pool api { server 8083; check tcp every 1s; balance random; host api.internal }
"""


def test_a_good_file(tmp_path):
    done = check(tmp_path, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "good" in done.stdout


def test_all_errors_are_reported_at_once_each_with_its_place(tmp_path):
    done = check(tmp_path, """listen http :99999 {
    to nowhere
    hed-size 8k
    timeout head 5 parsecs
}
pool web {
    server 127.0.0.1
    balance round-robbin
    check http healthcheck
    retry many
}
unknown 1
""")
    assert done.returncode == 1
    lines = [int(line) for line, _, _ in errors(done)]
    assert lines == sorted(lines), "in the order of the file"
    assert {1, 2, 3, 4, 8, 9, 10, 12} <= set(lines)


@pytest.mark.parametrize("text, line, column, says", [
    ("lissten http :80 { }\n", 1, 1, "listen"),
    ("listen http :80 {\n    hed-size 8k\n}\n", 2, 5, "head-size"),
    ("pool p {\n\tbalance least-lode\n}\n", 2, None, "least-load"),
    ("listen http :80 { to webb }\npool web { server 1 }\n", 1, 22, "web"),
    ("pool p { server 8080 wieght 2 }\n", 1, 22, "weight"),
    ("pool p { check http /x evry 3s; server 1 }\n", 1, 24, "every"),
], ids=["directive", "in-a-block", "policy", "pool", "argument", "argument-of-a-check"])
def test_the_nearest_known_word_is_suggested(tmp_path, text, line, column, says):
    done = check(tmp_path, text)
    assert done.returncode == 1
    found = [e for e in errors(done) if int(e[0]) == line
             and (column is None or int(e[1]) == column)]
    assert found and any(says in message for _, _, message in found), done.stderr


BAD = {
    "an-open-block": "pool p { server 1\n",
    "a-block-too-many-closed": "pool p { server 1 }\n}\n",
    "a-block-where-none-may-be": "threads 2 { }\n",
    "no-block-where-one-must-be": "pool p\n",
    "an-argument-too-many": "threads 2 3\n",
    "an-argument-missing": "threads\n",
    "a-number-too-large": "threads 9999\n",
    "a-negative-number": "threads -1\n",
    "a-time-without-a-unit": "drain 30\n",
    "a-size-that-is-none": "listen http :80 { head-size big }\n",
    "a-percentage-above-100": "pool p { server 1; retry 1 budget 120% }\n",
    "two-pools-of-one-name": "pool p { server 1 }\npool p { server 2 }\n",
    "a-server-twice": "pool p { server 1; server 127.0.0.1:1 }\n",
    "an-address-twice": "listen http :80 { to p }\n" * 2 + "pool p { server 1 }\n",
    "a-directive-twice": "threads 1\nthreads 2\n",
    "a-directive-in-the-wrong-block": "pool p { server 1; head-size 8k }\n",
    "a-port-too-large": "pool p { server 127.0.0.1:70000 }\n",
    "an-open-quote": 'log info to "x\n',
    "a-nul": "threads 1\0\n",
    "a-listener-that-leads-nowhere": "listen http :80 { }\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_file(tmp_path, text):
    done = check(tmp_path, text)
    assert done.returncode == 1, done.stdout + done.stderr
    assert errors(done), done.stderr


def test_an_empty_file_is_no_configuration(tmp_path):
    done = check(tmp_path, "")
    assert done.returncode == 1
    assert "error: " in done.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_is_not_there(tmp_path, command):
    done = balancerd(command, tmp_path / "missing")
    assert done.returncode == 1
    assert "missing" in done.stderr and "No such file" in done.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_directory_is_no_file(tmp_path, command):
    done = balancerd(command, tmp_path)
    assert done.returncode == 1 and done.stderr


def test_a_bad_file_does_not_run(tmp_path):
    (tmp_path / "lb.conf").write_text("pool p { sever 1 }\n")
    done = balancerd("run", "lb.conf", cwd=tmp_path)
    assert done.returncode == 1
    assert errors(done)


def test_a_name_that_does_not_resolve_prevents_no_start(stage):
    balancer = stage.balancer(["no-such-host.invalid:80"])
    assert stage.get(balancer).status == 503


@pytest.mark.parametrize("words", [
    [], ["fly"], ["run"], ["check"], ["run", "a", "b"], ["check", "a", "b"],
    ["run", "--threads", "0", "f"], ["run", "--threads"], ["--flag"],
], ids=lambda words: "-".join(words) or "nothing")
def test_wrong_usage_ends_with_2(words):
    done = balancerd(*words)
    assert done.returncode == 2
    assert done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_what_is_asked_for_goes_to_standard_output(words):
    done = balancerd(*words)
    assert done.returncode == 0
    assert done.stdout and done.stderr == ""


def test_threads_of_the_command_line_win(stage):
    from harness.balancer import Balancer, config
    for threads in (1, 3):
        port = stage.port()
        directory = stage.directory_of_next()
        path = directory / "balancerd.conf"
        path.write_text(config(port, [stage.server()], threads=2))
        words = ["run", "--threads", threads, path]
        balancer = stage.start(Balancer(port, words, directory))
        balancer.logs(f"listening on .* threads={threads}$")
