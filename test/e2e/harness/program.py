"""One of our programs as a child process, and what must be true when it ends."""

import os
import re
import signal
import subprocess
from pathlib import Path

import psutil

from .patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / os.environ.get("BALANCERD_OUT", "out")

REPORTS = re.compile(r"Sanitizer|runtime error:|must\b.*(?:failed|not hold)|Assertion")


def is_gone(process):
    """It does not run any more; who has to be told of that may not have looked yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Program:
    """A program with these arguments in this directory, and with an environment that
    differs in these variables (None: not there). It must end with exit code 0 unless a
    test says otherwise, leave no process behind and have nothing to report."""

    def __init__(self, path, arguments, directory, **variables):
        self.name = path.name
        self.directory = directory
        self.log_path = directory / "stderr"
        self.expected_exit = 0
        self.arguments = [str(path), *map(str, arguments)]
        environment = {"ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99",
                       "UBSAN_OPTIONS": "print_stacktrace=1", **os.environ, **variables}
        environment = {name: str(value) for name, value in environment.items()
                       if value is not None}
        with open(self.log_path, "ab") as log, open(directory / "stdout", "ab") as out:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                cwd=directory, env=environment, start_new_session=True)
        self.pid = self.process.pid

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def stdout(self):
        return (self.directory / "stdout").read_text(errors="replace")

    def runs(self):
        """It has not ended; for conditions that wait for something it does."""
        assert self.process.poll() is None, f"{self.name} ended at once:\n{self.log}"
        return True

    def logs(self, text, times=1, within=PATIENCE):
        """Waits until so many lines of the log hold the text (a regular expression);
        returns them."""
        def found():
            lines = [line for line in self.log.splitlines() if re.search(text, line)]
            return lines if len(lines) >= times else None
        return until(found, f"the log says {text!r} {times} times", within)

    def signal(self, number):
        """After SIGSTOP all its threads have stopped: what comes then is not seen."""
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            until(self.is_stopped, "it has stopped")

    def is_stopped(self):
        states = [path.read_text().rpartition(")")[2].split()[0]
                  for path in Path(f"/proc/{self.process.pid}/task").glob("*/stat")]
        return set(states) == {"T"}

    def terminate(self):
        """TERM, and the end it leads to: returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """It dies as it stands, which is no fault of its own."""
        self.expected_exit = -signal.SIGKILL
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, within=PATIENCE):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {within} s") from None

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
            if not is_gone(child):
                wrong.append(f"left process {child.pid} behind")
                child.kill()
        if report := REPORTS.search(self.log):
            wrong.append(f"report: {report[0]}")
        return [f"{self.name}: {what}" for what in wrong]
