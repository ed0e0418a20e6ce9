"""The real kv-client: one command, a script, a load, or a person's terminal."""

import json
import os
import re
import subprocess

import pexpect

from .patience import PATIENCE
from .program import OUT, REPORTS

KV_CLIENT = OUT / "kv-client"


class Done:
    """How it ended and what it said. Bytes: values may be any."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err.decode(errors="replace")
        assert not REPORTS.search(self.err), self.err

    def __repr__(self):
        return f"exit code {self.code}\n{self.out!r}\n{self.err}"

    def worked(self):
        """What it printed."""
        assert self.code == 0 and self.err == "", self
        return self.out

    def failed(self, code=1):
        """The one line that says why."""
        lines = self.err.splitlines()
        assert self.code == code and len(lines) == 1, self
        assert lines[0].startswith("kv-client: ") and self.out == b"", self
        return lines[0].removeprefix("kv-client: ")

    @property
    def complaints(self):
        """What a load has said beside its progress, which a slow machine has time to see."""
        return [line for line in self.err.splitlines()
                if not re.match(r" *[0-9.]+ s .* operations ", line)]

    @property
    def figures(self):
        """Of a load with --json."""
        return json.loads(self.out)


class KvProgram:
    """kv-client for the balancer at this port, with a state folder of its own."""

    def __init__(self, port, directory, host="127.0.0.1"):
        self.at = ["--balancer", f"{host}:{port}"]
        self.state = directory / "state"
        self.environment = {"ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99",
                            "UBSAN_OPTIONS": "print_stacktrace=1", **os.environ,
                            "TERM": "xterm", "XDG_STATE_HOME": str(self.state)}

    def arguments(self, words):
        return [str(KV_CLIENT), *self.at, *map(str, words)]

    def __call__(self, *words, script="", within=PATIENCE * 3):
        script = script if isinstance(script, bytes) else script.encode()
        done = subprocess.run(self.arguments(words), input=script, capture_output=True,
                              timeout=within, env=self.environment)
        return Done(done.returncode, done.stdout, done.stderr)

    def load(self, *words, **more):
        """A load whose figures are read."""
        return self("load", "--json", *words, **more)

    def start(self, *words):
        """The process, still running, with pipes."""
        return subprocess.Popen(self.arguments(words), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment)

    def terminal(self, *words):
        """A person's session, by pexpect."""
        program, *arguments = self.arguments(words)
        return pexpect.spawn(program, arguments, env=self.environment, timeout=PATIENCE,
                             encoding="utf-8", dimensions=(30, 200))


def ended(process):
    """Waits for one that was started."""
    out, err = process.communicate(timeout=PATIENCE * 3)
    return Done(process.returncode, out, err)
