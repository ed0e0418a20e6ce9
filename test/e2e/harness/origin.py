"""The real origin program, which may be killed and started again."""

import subprocess

from .patience import until
from .ports import Port, accepts
from .program import OUT

ORIGIN = OUT / "origin"


class Origin:
    def __init__(self, *options):
        self.options = list(map(str, options))
        self.reserved = Port()
        self.port = self.reserved.number
        self.process = None
        self.start()

    def __str__(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen([ORIGIN, str(self.port), *self.options],
                                        stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, cwd="/")
        until(lambda: accepts(self.port), f"origin accepts on port {self.port}")

    def kill(self):
        """SIGKILL: not even a goodbye."""
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        self.reserved.release()
