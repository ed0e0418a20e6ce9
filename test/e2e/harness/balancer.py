"""The real balancerd, and the configuration that most tests give it."""

import os
import re
import signal

import psutil

from .control import Control
from .patience import until
from .ports import accepts
from .program import OUT, Program, is_gone

BALANCERD = OUT / "balancerd"


def config(port, servers, listen="", pool="", top="", check="off", threads=None,
           kind="http", drain="5s"):
    """A configuration with one listener, of this kind, and one pool, `web`."""
    threads = threads or os.environ.get("BALANCERD_THREADS", "1")
    lines = [f"threads {threads}", f"drain {drain}", *top.split(";"),
             f"listen {kind} 127.0.0.1:{port} {{", "to web", *listen.split(";"), "}",
             "pool web {", f"check {check}", *pool.split(";"),
             *(f"server {server}" for server in servers), "}"]
    return "\n".join(line.strip() for line in lines if line.strip()) + "\n"


class Balancer(Program):
    """balancerd with these arguments."""

    def __init__(self, port, arguments, directory, program=BALANCERD, **variables):
        self.given = (port, arguments, directory, variables)
        self.port = port
        self.socket_path = directory / "control.sock"  # its own, as its state is
        self.state_path = directory / "state"
        self.successors = []    # pids, of those that have taken its place
        super().__init__(program, arguments, directory,
                         **{"BALANCERD_SOCKET": self.socket_path,
                            "STATE_DIRECTORY": self.state_path} | variables)

    def wait_until_it_accepts(self):
        until(lambda: self.runs() and accepts(self.port),
              f"balancerd accepts on port {self.port}:\n{self.log}")

    def again(self):
        """Another one by the same words in the same place."""
        port, arguments, directory, variables = self.given
        return Balancer(port, arguments, directory, **variables)

    @property
    def control(self):
        """Its control interface."""
        return Control(self.socket_path)

    @property
    def configuration(self):
        return self.directory / "balancerd.conf"

    def reload(self, text):
        """Puts a new configuration in place and waits until the log says what
        became of it; returns that line."""
        before = len(self.log)
        self.configuration.write_text(text)
        self.signal(signal.SIGHUP)
        until(lambda: re.search("reload", self.log[before:]), "the reload is logged")
        return self.log[before:]

    def upgrade(self, **how):
        """Another process takes its place; returns its pid."""
        answer = self.control.ask("POST", "/v1/upgrade", how)
        assert answer.status == 200, answer
        return self.succeeded_by(answer.json["pid"])

    def succeeded_by(self, pid):
        self.successors.append(pid)
        return pid

    def end_successors(self):
        """Those that still run, the youngest first."""
        wrong = []
        for pid in reversed(self.successors):
            try:
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    process.terminate()
                until(lambda: is_gone(process), f"process {pid} ends")
            except psutil.NoSuchProcess:
                pass
            except AssertionError as error:
                wrong.append(f"{self.name}: {error}")
                process.kill()
        return wrong

    def end(self):
        return self.end_successors() + super().end()

    def served(self, what):
        """Ends it, and returns the figures that it says last of a pool or listener."""
        self.terminate()
        line = self.logs(f"served {what}")[0]
        words = (word.split("=") for word in line.split() if "=" in word)
        return {name: int(value) for name, value in words if value.isdigit()}
