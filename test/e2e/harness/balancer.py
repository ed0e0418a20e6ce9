"""The real balancerd as a child process, and what must be true when it ends."""

import os
import re
import signal
import subprocess
from pathlib import Path

import psutil

from .control import Control
from .patience import PATIENCE, until
from .ports import accepts

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / os.environ.get("BALANCERD_OUT", "out")
BALANCERD = OUT / "balancerd"

REPORTS = re.compile(r"Sanitizer|runtime error:|must\b.*(?:failed|not hold)|Assertion")


def config(port, servers, listen="", pool="", top="", check="off", threads=None,
           kind="http", drain="5s"):
    """A configuration with one listener, of this kind, and one pool, `web`."""
    threads = threads or os.environ.get("BALANCERD_THREADS", "1")
    lines = [f"threads {threads}", f"drain {drain}", *top.split(";"),
             f"listen {kind} 127.0.0.1:{port} {{", "to web", *listen.split(";"), "}",
             "pool web {", f"check {check}", *pool.split(";"),
             *(f"server {server}" for server in servers), "}"]
    return "\n".join(line.strip() for line in lines if line.strip()) + "\n"


class Balancer:
    """balancerd with these arguments, and with an environment that differs in these
    variables (None: not there). It must end with exit code 0 unless a test says
    otherwise, leave no process behind and have nothing to report."""

    def __init__(self, port, arguments, directory, **variables):
        self.given = (port, arguments, directory, variables)
        self.port = port
        self.directory = directory
        self.log_path = directory / "stderr"
        self.socket_path = directory / "control.sock"  # its own, as its state is
        self.state_path = directory / "state"
        self.expected_exit = 0
        self.arguments = [str(BALANCERD), *map(str, arguments)]
        environment = {"ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99",
                       "UBSAN_OPTIONS": "print_stacktrace=1", **os.environ,
                       "BALANCERD_SOCKET": str(self.socket_path),
                       "STATE_DIRECTORY": str(self.state_path), **variables}
        environment = {name: str(value) for name, value in environment.items()
                       if value is not None}
        with open(self.log_path, "ab") as log, open(directory / "stdout", "ab") as out:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                cwd=directory, env=environment, start_new_session=True)
        self.pid = self.process.pid

    def wait_until_it_accepts(self):
        def ready():
            assert self.process.poll() is None, f"balancerd ended at once:\n{self.log}"
            return accepts(self.port)
        until(ready, f"balancerd accepts on port {self.port}:\n{self.log}")

    def again(self):
        """Another one by the same words in the same place."""
        port, arguments, directory, variables = self.given
        return Balancer(port, arguments, directory, **variables)

    @property
    def control(self):
        """Its control interface."""
        return Control(self.socket_path)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def stdout(self):
        return (self.directory / "stdout").read_text(errors="replace")

    @property
    def configuration(self):
        return self.directory / "balancerd.conf"

    def logs(self, text, times=1, within=PATIENCE):
        """Waits until so many lines of the log hold the text (a regular expression);
        returns them."""
        def found():
            lines = [line for line in self.log.splitlines() if re.search(text, line)]
            return lines if len(lines) >= times else None
        return until(found, f"the log says {text!r} {times} times", within)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, text):
        """Puts a new configuration in place and waits until the log says what
        became of it; returns that line."""
        before = len(self.log)
        self.configuration.write_text(text)
        self.signal(signal.SIGHUP)
        until(lambda: re.search("reload", self.log[before:]), "the reload is logged")
        return self.log[before:]

    def served(self, what):
        """Ends it, and returns the figures that it says last of a pool or listener."""
        self.terminate()
        line = self.logs(f"served {what}")[0]
        words = (word.split("=") for word in line.split() if "=" in word)
        return {name: int(value) for name, value in words if value.isdigit()}

    def terminate(self):
        """TERM, and the end it leads to: returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, within=PATIENCE):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"balancerd did not end within {within} s") from None

    def rss(self):
        """Resident memory in bytes."""
        return psutil.Process(self.pid).memory_info().rss

    def cpu_seconds(self):
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def descriptors(self):
        return psutil.Process(self.pid).num_fds()

    def end(self):
        """Ends it if a test has not; returns what is wrong with how it ended."""
        wrong = []
        family = []
        if self.process.poll() is None:
            family = psutil.Process(self.pid).children(recursive=True)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                wrong.append(f"still running {PATIENCE} s after TERM")
                self.process.kill()
                self.process.wait()
        code = self.process.returncode
        if not wrong and code != self.expected_exit:
            wrong.append(f"exit code {code}, expected {self.expected_exit}")
        for child in family:
            if child.is_running():
                wrong.append(f"left process {child.pid} behind")
                child.kill()
        if report := REPORTS.search(self.log):
            wrong.append(f"report: {report[0]}")
        return wrong
