"""A configuration file's life beside a running balancer: formatted, checked, read anew."""

import os
import pathlib
import re
import socket
import stat
import subprocess

import pytest

from harness.balancer import BALANCERD, Balancer
from harness.balancerctl import Control
from harness.server import response

UGLY = "threads 1;drain 5s # short\n\n\n# the web\nlisten http 127.0.0.1:8080{to web}\n" \
       "pool web{check off;server 127.0.0.1:1}"
NEAT = "threads 1\ndrain 5s # short\n\n# the web\nlisten http 127.0.0.1:8080 {\n\tto web\n}\n" \
       "pool web {\n\tcheck off\n\tserver 127.0.0.1:1\n}\n"

UNSHARE = pathlib.Path("/usr/bin/unshare")


def balancerd(*words, **options):
    return subprocess.run([BALANCERD, *map(str, words)], capture_output=True, text=True,
                          timeout=30, **options)


@pytest.fixture
def ugly(tmp_path):
    path = tmp_path / "lb.conf"
    path.write_text(UGLY)
    path.chmod(0o640)
    return path


# ---- fmt ----

def test_fmt_prints_the_usual_form_and_leaves_the_file(ugly):
    done = balancerd("fmt", ugly)
    assert (done.returncode, done.stdout, done.stderr) == (0, NEAT, "")
    assert ugly.read_text() == UGLY


def test_fmt_writes_it_in_place_with_its_mode(ugly, tmp_path):
    link = tmp_path / "link.conf"
    link.symlink_to(ugly)
    assert balancerd("fmt", "--write", link).returncode == 0
    assert ugly.read_text() == NEAT and link.is_symlink()
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640
    before = ugly.stat().st_ino
    assert balancerd("fmt", "--write", ugly).returncode == 0
    assert ugly.stat().st_ino == before  # nothing to do, nothing written
    assert sorted(os.listdir(tmp_path)) == ["lb.conf", "link.conf"]


def test_fmt_check_tells_by_its_exit_code(ugly):
    done = balancerd("fmt", "--check", ugly)
    assert done.returncode == 1 and f"fmt --write {ugly}" in done.stderr
    ugly.write_text(NEAT)
    done = balancerd("fmt", "--check", ugly)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_fmt_reads_standard_input():
    assert balancerd("fmt", "-", input=UGLY).stdout == NEAT


def test_fmt_touches_nothing_that_has_errors(ugly):
    ugly.write_text("pool web { sever 1 }\n")
    done = balancerd("fmt", "--write", ugly)
    assert done.returncode == 1 and "server" in done.stderr and done.stdout == ""
    assert ugly.read_text() == "pool web { sever 1 }\n"


@pytest.mark.parametrize("words", [[], ["--write"], ["--write", "-"], ["--odd", "x"],
                                   ["a", "b", "c"]])
def test_fmt_says_how_it_is_used(words):
    done = balancerd("fmt", *words)
    assert done.returncode == 2 and "usage: balancerd fmt" in done.stderr


def test_fmt_says_which_file_is_not_there(tmp_path):
    done = balancerd("fmt", tmp_path / "none.conf")
    assert done.returncode == 1 and "cannot read" in done.stderr


# ---- names ----

def test_names_are_looked_up_only_when_asked_for(tmp_path):
    path = tmp_path / "lb.conf"
    path.write_text("listen http 127.0.0.1:8080 { to web }\n"
                    "pool web { server localhost:1; server nowhere.invalid:80 }\n")
    assert balancerd("check", path).returncode == 0
    done = balancerd("check", "--resolve", path)
    assert done.returncode == 1 and done.stdout == ""
    assert "server nowhere.invalid:80 of pool web has no address" in done.stderr
    assert "localhost" not in done.stderr


# ---- read anew ----

def test_a_reload_says_what_has_changed(stage, tmp_path):
    first, second = stage.origins(2)
    balancer = stage.balancer([first])
    ctl = Control(balancer.socket_path, home=tmp_path)
    text = balancer.configuration.read_text()
    balancer.configuration.write_text(
        text.replace(f"server {first}", f"server {first} weight 3\nserver {second}"))
    done = ctl("reload")
    assert done.code == 0 and done.lines[0].startswith("reloaded "), done
    assert done.lines[1:] == [" pool web {", f"-\tserver {first}", f"+\tserver {first} weight 3",
                              f"+\tserver {second}"]
    for line in (f"- server {first}", f"+ server {first} weight 3", f"+ server {second}"):
        assert balancer.logs(re.escape(f"what has changed: {line}"))
    assert ctl("reload").did().endswith("; nothing has changed")


def test_sighup_says_it_in_the_log(stage):
    first, second = stage.origins(2)
    balancer = stage.balancer([first])
    text = balancer.configuration.read_text()
    balancer.reload(text.replace(str(first), str(second)))
    stage.until(lambda: f"what has changed: + server {second}" in balancer.log, "it is said")
    assert f"what has changed: - server {first}" in balancer.log


# ---- names, while it runs ----

@pytest.fixture
def named(stage, tmp_path):
    """Starts a balancer that has a file of its own for /etc/hosts; returns it and what
    writes that file."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode != 0:
        pytest.skip("a mount of one's own takes root and the right to make one")
    hosts = tmp_path / "hosts"

    def names(*lines):
        with open(hosts, "w") as f:  # the same file: it is mounted
            f.write("\n".join(["127.0.0.1 localhost", *lines, ""]))

    def start(text, port):
        names("127.0.0.2 app.test")
        shell = tmp_path / "shell"
        shell.write_text(f"#!/bin/sh\nmount --bind {hosts} /etc/hosts || exit 1\n"
                         f'exec "$@"\n')
        shell.chmod(0o755)
        path = tmp_path / "names.conf"
        path.write_text(text)
        words = ["-m", shell, BALANCERD, "run", path]
        return stage.start(Balancer(port, words, tmp_path, program=UNSHARE))
    return names, start


def test_a_name_that_moves_is_followed_and_one_that_goes_keeps_its_address(stage, named):
    names, start = named
    port, server = stage.port(), stage.port()
    text = (f"resolve every 1s\nthreads 1\nlisten http 127.0.0.1:{port} {{ to web }}\n"
            f"pool web {{ server app.test:{server} }}\n")
    balancer = start(text, port)
    balancer.logs(f"listening on 127.0.0.1:{port}")  # and so the name is known
    names("127.0.0.3 app.test")
    balancer.logs(rf"name resolves to another address .*address=127\.0\.0\.3:{server}")
    names()
    balancer.logs("name does not resolve any more, its last address stays")
    with socket.create_server(("127.0.0.3", server)) as listener:
        answer = stage.aside(stage.get, balancer)
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(response("there"))
            assert answer.result().body == b"there"
    names("127.0.0.3 app.test")
