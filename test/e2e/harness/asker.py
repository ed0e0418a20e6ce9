"""Requests that go on while something happens to the balancer."""

import threading

from .client import RawClient
from .patience import until


class Asker:
    """Asks on a new connection each time, one after the other, and notes what failed.
    patient: that nobody listens is no failure."""

    def __init__(self, port, target="/", patient=False):
        self.port = port
        self.target = target
        self.passed_over = ConnectionRefusedError if patient else ()
        self.good = 0
        self.wrong = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            try:
                client = RawClient(self.port)
            except self.passed_over:
                continue
            except OSError as error:
                self.wrong.append(repr(error))
                continue
            try:
                answer = client.get(self.target, "Connection: close")
                client.close()
                assert answer.status == 200, answer
                self.good += 1
            except Exception as error:      # noqa: whatever it is, it is noted
                self.wrong.append(repr(error))

    def goes_on(self, count=20):
        """Until so many more were answered."""
        there = self.good + count
        until(lambda: self.wrong or self.good >= there, "requests are answered")
        assert not self.wrong, self.wrong

    def close(self):
        self.stopping.set()
        self.thread.join()
