"""balancerctl with the real balancer, as somebody uses it who has just installed both."""

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import threading
import time

import psutil
import pytest

from harness.balancer import BALANCERD
from harness.balancerctl import BALANCERCTL, Control
from harness.patience import PATIENCE, until
from harness.ports import Port, share
from harness.program import REPORTS

PID = re.compile(r"\(pid (\d+)\)")
NOBODY = 65534


class Echo:
    """A server that sends back what it gets."""

    def __init__(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.listener = socket.socket(family)
        self.listener.bind(address)
        self.listener.listen()
        self.connections = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def address(self):
        name = self.listener.getsockname()
        return f"unix:{name}" if isinstance(name, str) else f"127.0.0.1:{name[1]}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    @staticmethod
    def echo(connection):
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass
        connection.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Bench:
    """A folder with a socket, a state and a log of its own; what was started there is
    ended at the end, and must have nothing to report."""

    def __init__(self, folder):
        self.folder = folder
        self.control = Control(folder / "b.sock", home=folder)
        self.port_holder = Port()
        self.port = self.port_holder.number
        self.log = folder / "b.log"
        self.pids = []
        self.echos = []

    def __call__(self, *words, **options):
        return self.control(*words, **options)

    def start(self, *servers, words=(), port=None):
        """Starts a balancer in front of these; returns its process."""
        done = self("start", "127.0.0.1", port or self.port, *servers, "--state",
                    self.folder / "state", "--log", self.log, *words)
        self.said = done.did()
        return self.note(done)

    def note(self, done):
        pid = int(PID.search(done.out)[1])
        self.pids.append(pid)
        return psutil.Process(pid)

    def echo(self, *where):
        echo = Echo(*where)
        self.echos.append(echo)
        return echo

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        return client

    def is_up(self, *addresses):
        """Waits until the balancer finds these servers up."""
        def up():
            rows = [line.split("\t") for line in self("list").lines]
            return {row[0] for row in rows if row[2] == "up"} >= set(addresses)
        until(up, f"{addresses} are up")

    def close(self):
        for pid in self.pids:
            try:
                process = psutil.Process(pid)
                process.kill()
                until(lambda p=process: ended(p), "it is killed")
            except psutil.NoSuchProcess:
                pass
        for echo in self.echos:
            echo.close()
        self.port_holder.release()
        said = self.log.read_text() if self.log.exists() else ""
        assert not REPORTS.search(said), said


def ended(process):
    """Whether it is gone, or only its parent has to hear of it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_the_first_five_minutes(bench):
    one, two = bench.echo(), bench.echo()
    process = bench.start()
    assert bench.said == (
        f"started on 127.0.0.1:{bench.port} (pid {process.pid}), log in {bench.log}; "
        "no servers yet, add one with: balancerctl add ADDRESS PORT")
    assert bench("list").out == ""
    for echo in (one, two):
        host, port = echo.address.split(":")
        assert bench("add", host, port).did() == f"added {echo.address} to pool default"
    bench.is_up(one.address, two.address)
    bench.connect().close()
    assert bench("remove", *one.address.split(":")).did() == (
        f"removed {one.address} from pool default")
    assert [line.split("\t")[0] for line in bench("list").lines] == [two.address]
    assert bench("stop").did() == f"stopped balancer default (pid {process.pid})"
    assert ended(process)
    assert not (bench.folder / "b.sock").exists()
    assert "no balancer is running at" in bench("list").failed(3)


def test_start_returns_when_connections_are_accepted(bench):
    bench.start()
    try:        # with no server behind it, it may be reset as soon as it is accepted
        socket.create_connection(("127.0.0.1", bench.port), PATIENCE).close()
    except ConnectionResetError:
        pass


def test_what_is_started_is_on_its_own(bench):
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    done = bench("start", "127.0.0.1", bench.port, "--log", bench.log, "--state",
                 bench.folder, "--threads", "1", pass_fds=[theirs])
    os.close(theirs)
    process = bench.note(done)
    assert os.read(ours, 1) == b"", "nobody else holds the pipe"
    os.close(ours)
    assert os.getsid(process.pid) == process.pid
    assert process.cwd() == "/"
    files = [os.readlink(f"/proc/{process.pid}/fd/{n}") for n in range(3)]
    assert files == ["/dev/null", str(bench.log), str(bench.log)]


def test_start_twice(bench):
    process = bench.start()
    again = bench("start", "127.0.0.1", bench.port)
    assert again.failed(6) == (
        f"balancer default is running already, on 127.0.0.1:{bench.port} "
        f"(pid {process.pid}); stop it, or start another one by --name")


def test_a_port_that_is_taken(bench):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        why = bench("start", "127.0.0.1", port, "--log", bench.log, "--state",
                    bench.folder).failed(1)
    assert why.startswith("balancerd did not start: ")
    assert f"127.0.0.1:{port}" in why and "in use by another program" in why
    assert "no balancer is running" in bench("status").failed(3)


def test_an_address_of_another_machine(bench):
    why = bench("start", "192.0.2.1", bench.port, "--log", bench.log, "--state",
                bench.folder).failed(1)
    assert "Cannot assign requested address" in why


@pytest.mark.parametrize("words, says", [
    (["127.0.0.1"], '"127.0.0.1" has no port; write: balancerctl start ADDRESS PORT '
     "[SERVER...]"),
    (["5432"], '"5432" is a port without an address; write: balancerctl start ADDRESS '
     "PORT [SERVER...]"),
    (["127.0.0.1", "99999"], '"127.0.0.1:99999" has no port from 1 to 65535'),
    (["no_such_name.invalid", "80"], '"no_such_name.invalid" has no address: '),
    (["unix:/run/x.sock"], "unix:/run/x.sock is no address and port to listen on"),
    (["127.0.0.1", "5432", "5433"], '"5433" is a port without an address; write: '
     "balancerctl start ADDRESS PORT ADDRESS:PORT ..."),
    (["127.0.0.1", "5432", "app1:80", "app1:80"],
     "balancerd did not start: server app1:80 is given twice"),
    (["127.0.0.1", "5432", "--threads", "0"], '--threads: "0" is too small'),
])
def test_lines_that_start_nothing(bench, words, says):
    done = bench("start", *words, "--log", bench.log, "--state", bench.folder)
    assert done.failed(2).startswith(says)


@pytest.fixture
def everywhere():
    """A port that is ours on every address of this machine."""
    holder = socket.socket(socket.AF_INET6)
    share(holder)
    holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    holder.bind(("::", 0))
    yield holder.getsockname()[1]
    holder.close()


@pytest.mark.parametrize("address, shown", [
    ("localhost", r"(127\.0\.0\.1|\[::1\])"), ("::1", r"\[::1\]"), ("[::1]", r"\[::1\]"),
    ("0.0.0.0", r"0\.0\.0\.0")])
def test_addresses_to_start_on(bench, everywhere, address, shown):
    done = bench("start", address, everywhere, "--log", bench.log, "--state",
                 bench.folder)
    bench.note(done)
    assert re.match(rf"started on {shown}:{everywhere} ", done.did())


def test_names_and_ipv6_as_servers(bench):
    bench.start("localhost:1", "[::1]:1", "app1.invalid:80")
    assert "with 3 servers" in bench.said
    for words in (["localhost", 1], ["::1", 1], ["app1.invalid:80"]):
        assert bench("drain", *words).code == 0
        assert bench("add", *words).failed(6)
    assert {line.split("\t")[2] for line in bench("list").lines} == {"draining"}


def test_a_unix_socket_as_a_server(bench):
    echo = bench.echo(socket.AF_UNIX, str(bench.folder / "echo.sock"))
    bench.start()
    assert bench("add", echo.address).did() == f"added {echo.address} to pool default"
    bench.is_up(echo.address)
    bench.connect().close()
    assert bench("remove", echo.address).code == 0


def test_drain_enable_weight(bench):
    bench.start("127.0.0.1:1", "127.0.0.1:2")

    def state():
        rows = [line.split("\t") for line in bench("list").lines]
        return {row[0]: row[2:4] for row in rows}
    assert bench("drain", "127.0.0.1", 1).did() == (
        "draining 127.0.0.1:1 in pool default, which has 0 connections")
    assert state()["127.0.0.1:1"] == ["draining", "1"]
    assert bench("enable", "127.0.0.1", 1).did() == (
        "enabled 127.0.0.1:1 in pool default, but it is down")
    assert bench("weight", "127.0.0.1", 2, 5).did() == (
        "127.0.0.1:2 in pool default has weight 5 now")
    assert state()["127.0.0.1:2"][1] == "5"
    assert bench("weight", "127.0.0.1", 2, 0).code == 0
    assert state()["127.0.0.1:2"][0] == "off"
    assert bench("weight", "127.0.0.1", 2, 9999).failed(2)


def test_unknown_and_known_servers(bench):
    bench.start("127.0.0.1:1")
    for command in (["remove"], ["drain"], ["enable"], ["weight"]):
        line = [*command, "127.0.0.1:9"] + (["3"] if command == ["weight"] else [])
        assert "127.0.0.1:9" in bench(*line).failed(5)
    assert "127.0.0.1:1" in bench("add", "127.0.0.1", 1).failed(6)
    for command in ("list", "remove 127.0.0.1 1", "add 127.0.0.1 2"):
        assert "nowhere" in bench(*command.split(), "--pool", "nowhere").failed(5)


def test_remove_waits_until_the_last_connection_has_left(bench):
    echo = bench.echo()
    bench.start(echo.address)
    bench.is_up(echo.address)
    client = bench.connect()
    removing = bench.control.start("remove", echo.address)
    line = removing.stderr.readline()
    assert line == f"balancerctl: waiting for 1 connection of {echo.address}\n"
    assert removing.poll() is None
    client.sendall(b"still here")
    assert client.recv(10) == b"still here"
    client.close()
    out, err = removing.communicate(timeout=PATIENCE)
    assert (removing.returncode, err) == (0, "")
    assert out == f"removed {echo.address} from pool default\n"


def test_stop_waits_for_connections_and_can_be_hurried(bench):
    echo = bench.echo()
    process = bench.start(echo.address)
    bench.is_up(echo.address)
    client = bench.connect()
    done = bench("stop", "--timeout", "400ms", "--quiet")
    assert done.failed(7) == ("the balancer is still draining, 1 connection left; "
                              "balancerctl stop --now cuts them")
    assert not ended(process)
    assert bench("status").lines[2] == "state\tdraining"
    assert bench("stop", "--now").code == 0
    assert ended(process)
    client.close()


def test_stop_with_a_limit(bench):
    echo = bench.echo()
    process = bench.start(echo.address)
    bench.is_up(echo.address)
    client = bench.connect()
    assert bench("stop", "--limit", "300ms", "--quiet").code == 0
    assert ended(process)
    client.close()


def test_a_person_sees_what_is_waited_for(bench):
    echo = bench.echo()
    bench.start(echo.address)
    bench.is_up(echo.address)
    client = bench.connect()
    code, seen = bench.control.on_terminal("stop", "--limit", "1s")
    client.close()
    assert code == 0
    assert "\r\x1b[Kwaiting for 1 connection" in seen
    assert seen.splitlines()[-1].rpartition("\x1b[K")[2].startswith("stopped balancer")


def test_changes_last(bench):
    bench.start("127.0.0.1:1")
    assert bench("add", "127.0.0.1", 2, "--weight", 3).code == 0
    assert bench("add", "127.0.0.1", 3, "--temporary").did() == (
        "added 127.0.0.1:3 to pool default, until the balancer ends")
    assert bench("stop").code == 0
    bench.start("127.0.0.1:1")
    assert "with 2 servers" in bench.said
    rows = {line.split("\t")[0]: line.split("\t") for line in bench("list").lines}
    assert rows["127.0.0.1:2"][3] == "3" and rows["127.0.0.1:2"][7] == "change"
    assert "127.0.0.1:3" not in rows


def test_a_balancer_that_died(bench):
    process = bench.start()
    process.kill()
    until(lambda: ended(process), "it is dead")
    assert "one that is gone left its socket" in bench("list").failed(3)
    assert "left its socket" in bench("stop").failed(3)
    bench.start()
    assert bench("status").code == 0


def test_json_of_start_and_stop(bench):
    done = bench("start", "127.0.0.1", bench.port, "--log", bench.log, "--state",
                 bench.folder, "--json")
    bench.pids.append(done.json["pid"])
    assert done.json == {"pid": done.json["pid"], "address": f"127.0.0.1:{bench.port}",
                         "socket": str(bench.folder / "b.sock"), "log": str(bench.log)}
    assert bench("stop", "--json").json == {"pid": done.json["pid"]}


def test_paths_may_be_relative(bench):
    del bench.control.environment["BALANCERD_SOCKET"]
    done = bench("start", "127.0.0.1", bench.port, "--socket", "c.sock", "--log", "c.log",
                 "--state", "c.state", cwd=bench.folder)
    bench.note(done)
    assert f"log in {bench.folder}/c.log" in done.did()
    assert bench("add", "127.0.0.1", 1, "--socket", "c.sock", cwd=bench.folder).code == 0
    assert list((bench.folder / "c.state").glob("*.json"))
    assert bench("stop", "--socket", bench.folder / "c.sock").code == 0


@pytest.fixture
def served(bench):
    """A balancer that runs by a file."""
    path = bench.folder / "web.conf"
    path.write_text(f"listen http 127.0.0.1:{bench.port} {{ to web }}\n"
                    "pool web {\n    check off\n    server 127.0.0.1:1\n}\n")
    with open(bench.log, "ab") as log:
        process = subprocess.Popen(
            [BALANCERD, "run", "--state", bench.folder / "state", path], stderr=log,
            env=bench.control.environment)
    until(lambda: bench("status").code == 0, "it answers")
    yield path
    process.terminate()
    assert process.wait(PATIENCE) == 0


def test_the_configuration(bench, served):
    assert bench("config", "check").did().startswith(f"{served} is good: 1 listener")
    assert bench("config", "check", served).code == 0
    assert "server 127.0.0.1:1" in bench("config", "show").out
    assert bench("config", "diff").out == ""
    assert bench("add", "127.0.0.1", 2, "--weight", 3).code == 0
    assert bench("config", "diff").lines == [
        " pool web {", "+\tserver 127.0.0.1:2 weight 3"]
    assert bench("reload").did() == f"reloaded {served}; nothing has changed"
    assert len(bench("list").lines) == 2, "a reload keeps what was added"

    served.write_text(served.read_text().replace("check off", "chekc off"))
    done = bench("config", "check")
    assert done.code == 1
    assert done.err.splitlines()[0].startswith(f"{served}:3:5: error: unknown word")
    assert done.err.splitlines()[-1] == f"balancerctl: {served} has 1 error"
    assert "chekc" in bench("reload").failed(1)
    assert bench("config", "diff").code == 1


def test_nothing_to_reload(bench):
    bench.start()
    assert "without a file" in bench("reload").failed(1)


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@pytest.fixture
def other(bench):
    """The same for somebody who is not root, with programs that they may run."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    for folder in [bench.folder, *bench.folder.parents]:
        if folder.stat().st_uid == 0 and "pytest" in str(folder):
            folder.chmod(0o755)
    home = bench.folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    for program in (BALANCERCTL, BALANCERD):
        shutil.copy(program, bench.folder)
    control = Control(home=home)
    control.environment |= {"XDG_RUNTIME_DIR": str(home)}

    def run(*words):
        return control(*words, program=bench.folder / "balancerctl", cwd=home,
                       preexec_fn=become_nobody)
    run.home = home
    return run


def test_two_balancers_of_one_user_by_name(bench, other):
    second = Port()
    for name, port in (("web", bench.port), ("db", second.number)):
        done = other("start", "127.0.0.1", port, "--name", name)
        bench.note(done)
        assert f"log in {other.home}/.local/state/balancerd/{name}.log" in done.did()
    assert other("add", "127.0.0.1", 1, "--name", "web").code == 0
    assert len(other("list", "--name", "web").lines) == 1
    assert other("list", "--name", "db").out == ""
    assert "no balancer is running at" in other("list").failed(3)
    assert other("status", "--name", "db").lines[0] == "name\tdb"
    for name in ("web", "db"):
        assert other("stop", "--name", name).did().startswith(f"stopped balancer {name} ")
    second.release()


def test_somebody_without_permission(bench, other):
    process = bench.start()
    socket_path = bench.folder / "b.sock"
    assert other("list", "--socket", socket_path).failed(4) == (
        f"no permission to use {socket_path}; run as root, or as the user that runs the "
        "balancer")
    assert "no permission" in other("stop", "--socket", socket_path).failed(4)
    assert not ended(process)
    assert other("start", "127.0.0.1", 80, "--socket", other.home / "x.sock",
                 "--log", "/proc/x.log").failed(1) == (
        "cannot open the log /proc/x.log: No such file or directory")


@pytest.fixture
def stand_in(bench):
    """balancerctl beside a balancerd that is a shell script; called with the script."""
    shutil.copy(BALANCERCTL, bench.folder)

    def start(script, *words):
        program = bench.folder / "balancerd"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return bench("start", "127.0.0.1", bench.port, "--log", bench.log, *words,
                     program=bench.folder / "balancerctl")
    return start


@pytest.mark.parametrize("script, code, says", [
    ("echo 'balancerd: the moon is full' >&2; echo more; exit 1", 1,
     "balancerd did not start: the moon is full"),
    ("echo only this; exit 3", 1, "balancerd did not start: only this"),
    ("echo 'balancerd: --state: what?' >&2; exit 2", 2,
     "balancerd did not start: --state: what?"),
    ("exit 1", 1, "balancerd ended with exit code 1 and said nothing; its log is {log}"),
    ("kill -SEGV $$", 1,
     "balancerd was ended by signal 11 (Segmentation fault); its log is {log}"),
    ("head -c 9999 /dev/zero | tr '\\0' x; exit 1", 1, "balancerd did not start: xxxx"),
])
def test_a_balancerd_that_does_not_start(bench, stand_in, script, code, says):
    bench.log.write_text("balancerd: an older matter\n")
    why = stand_in(script).failed(code)
    assert why.startswith(says.format(log=bench.log)) and len(why) < 600


def test_a_balancerd_that_never_becomes_ready_is_ended(bench, stand_in):
    done = stand_in(f"echo $$ >{bench.folder}/pid; exec sleep 1000", "--timeout", "400ms")
    assert done.failed(7) == (
        f"balancerd was not ready in time and has been ended; its log is {bench.log}")
    pid = int((bench.folder / "pid").read_text())
    assert not psutil.pid_exists(pid)


def test_only_the_child_says_that_it_is_ready(bench, stand_in):
    shout = ("import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
             "s.sendto(b'READY=1', chr(0) + os.environ['NOTIFY_SOCKET'][1:])")
    done = stand_in(f'/usr/bin/python3 -c "{shout}"; exec sleep 1000', "--timeout", "1s")
    assert done.code == 7, "a grandchild said so"


def test_no_balancerd_anywhere(bench, tmp_path):
    lonely = tmp_path / "bin" / "balancerctl"
    lonely.parent.mkdir()
    shutil.copy(BALANCERCTL, lonely)
    bench.control.environment["PATH"] = str(tmp_path)
    if any(os.path.exists(f"/usr/{place}/balancerd") for place in ("local/sbin", "sbin")):
        pytest.skip("balancerd is installed here")
    assert bench("start", "127.0.0.1", bench.port, "--log", bench.log,
                 program=lonely).failed(1).startswith("balancerd is neither next to ")


# Shells. All run what `balancerctl completion` prints.

BASH = r"""
source <(balancerctl completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
word=${1##* }
[[ $COMP_WORDBREAKS == *:* ]] && word=${word##*:}
_balancerctl balancerctl "$word" x
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def bash(bench):
    bench.control.environment["PATH"] = f"{BALANCERCTL.parent}:{os.environ['PATH']}"

    def complete(line):
        done = bench("-c", BASH, "bash", line, program="bash", cwd=bench.folder)
        assert "balancerctl" not in done.err, done
        return done.out.split()
    return complete


def test_bash_offers_commands_options_servers_and_pools(bench, bash):
    assert bash("balancerctl st") == ["start", "stop", "status"]
    assert bash("balancerctl config ") == ["check", "show", "diff"]
    assert bash("balancerctl stop --") == [
        "--socket", "--name", "--url", "--token-file", "--timeout", "--json", "--quiet",
        "--help", "--limit", "--now"]
    assert bash("balancerctl remove ") == [], "nobody runs, and nobody complains"
    bench.start("127.0.0.1:8081", "[::1]:8082", "app1.invalid:80")
    assert bash("balancerctl remove ") == [
        "127.0.0.1:8081", r"\[::1\]:8082", "app1.invalid:80"]
    assert bash("balancerctl drain 127.0.0.1:80") == ["8081"], "what is behind the colon"
    assert bash("balancerctl list --pool ") == ["default"]
    socket_path = bench.control.environment.pop("BALANCERD_SOCKET")
    bench.control.environment["HOME"] = str(bench.folder)
    assert bash(f"balancerctl --socket {socket_path} remove app") == ["app1.invalid:80"]
    (bench.folder / "a.conf").write_text("")
    assert bash("balancerctl config check a.c") == ["a.conf"]


class Terminal:
    """A shell that somebody types into."""

    def __init__(self, words, environment):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=environment, start_new_session=True)
        os.close(theirs)

    def type(self, text):
        os.write(self.ours, text.encode())

    def read_until(self, text):
        seen = ""
        deadline = time.monotonic() + PATIENCE
        while text not in seen:
            ready, _, _ = select.select([self.ours], [], [], deadline - time.monotonic())
            assert ready, f"no {text!r} in {seen!r}"
            seen += os.read(self.ours, 65536).decode()
        return seen

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_offers_the_same(bench):
    bench.start("127.0.0.1:8081", "app1.invalid:80")
    functions = bench.folder / "functions"
    functions.mkdir()
    (functions / "_balancerctl").write_text(bench("completion", "zsh").out)
    environment = bench.control.environment | {
        "PATH": f"{BALANCERCTL.parent}:{os.environ['PATH']}", "TERM": "dumb"}
    zsh = Terminal(["zsh", "-f", "-i"], environment)
    try:
        zsh.type(f"fpath=({functions} $fpath); autoload -U compinit; "
                 f"compinit -u -d {bench.folder}/dump; bindkey '^I' expand-or-complete; "
                 "print REA''DY\n")
        zsh.read_until("READY")
        zsh.type("balancerctl ena\t127\t\n")
        zsh.read_until("enabled 127.0.0.1:8081 in pool default, but it is down")
        zsh.type("balancerctl drain a\t--te\t\n")
        zsh.read_until("draining app1.invalid:80 in pool default, which has 0 "
                       "connections, until the balancer ends")
        zsh.type("balancerctl list --pool d\t\n")
        zsh.read_until("REASON")
        zsh.type("balancerctl config sh\t--help\n")
        zsh.read_until("usage: balancerctl config show")
    finally:
        zsh.close()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_offers_the_same(bench):
    bench.control.environment |= {"PATH": f"{BALANCERCTL.parent}:{os.environ['PATH']}",
                                  "HOME": str(bench.folder)}
    bench.start("127.0.0.1:8081", "[::1]:8082", "app1.invalid:80")

    def fish(line):
        done = bench("--no-config", "-c", "balancerctl completion fish | source\n"
                     'complete --do-complete "$argv[1]"', line, program="fish",
                     cwd=bench.folder)
        assert done.err == "", done
        return [offer.split("\t")[0] for offer in done.out.splitlines()]
    assert fish("balancerctl st") == ["start", "stop", "status"]
    assert fish("balancerctl config ") == ["check", "show", "diff"]
    assert fish("balancerctl drain 127") == ["127.0.0.1:8081"]
    assert fish("balancerctl remove [") == ["[::1]:8082"]
    assert fish("balancerctl list --po") == ["--pool"]
    assert fish("balancerctl list --pool ") == ["default"]
    (bench.folder / "a.conf").write_text("")
    assert fish("balancerctl config check a.c") == ["a.conf"]
