"""The real kv-worker as a child process."""

import re
import signal

from .patience import until
from .ports import Port
from .program import OUT, Program

KV_WORKER = OUT / "kv-worker"

READY = " info ready worker="


class Worker(Program):
    """kv-worker for the balancer whose worker port this is, with these further options.
    Its id is its own choice where none is given."""

    def __init__(self, port, options, directory, identity=None, data=None, peer_port=None,
                 **variables):
        self.given = (port, options, directory, identity, data, peer_port)
        self.variables = variables
        self.id = identity
        self.data = data
        self.reserved = None
        if peer_port is None:
            self.reserved = Port()
            peer_port = self.reserved.number
        self.peer_port = peer_port
        words = ["--balancer", f"127.0.0.1:{port}", "--peers", f"127.0.0.1:{peer_port}"]
        words += ["--id", identity] if identity is not None else []
        words += ["--data", data] if data is not None else []
        super().__init__(KV_WORKER, [*words, *options], directory, **variables)

    def again(self):
        """Another one by the same words in the same place, its log behind the first's."""
        return Worker(*self.given[:-1], self.peer_port, **self.variables)

    def is_ready(self, times=1):
        """Waits until it has said so often that it is ready to serve."""
        until(lambda: self.runs() and self.log.count(READY) >= times,
              f"kv-worker is ready:\n{self.log}")

    @property
    def says_ready(self):
        """Whether it has; for those who wait for several things at once."""
        return self.runs() and READY in self.log

    def statistics(self):
        """What it logs when SIGUSR1 asks it: {name: value}."""
        before = len(self.log)
        self.signal(signal.SIGUSR1)
        line = until(lambda: re.search(r" statistics .* bad_input=\d+.*\n", self.log[before:]),
                     "the statistics are in the log")
        pairs = re.findall(r" (\w+)=(\w+)", line[0])  # others may be written late
        return {name: int(value) if value.isdigit() else value for name, value in pairs}

    def end(self):
        wrong = super().end()
        if self.reserved:
            self.reserved.release()
        return wrong
