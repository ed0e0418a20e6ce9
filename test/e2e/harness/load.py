"""Many requests at once, by wrk, and what became of them."""

import re
import subprocess

from .patience import PATIENCE


class Load:
    """wrk with 64 connections for so many seconds, already under way."""

    def __init__(self, port, seconds, path="/bytes/64", connections=64):
        self.seconds = seconds
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
             f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, text=True)

    def result(self):
        """(requests, what failed): every failure as wrk puts it, '' for none."""
        text, _ = self.process.communicate(timeout=self.seconds + 3 * PATIENCE)
        requests = re.search(r"(\d+) requests in", text)
        failed = re.findall(r"(Socket errors: .*|Non-2xx.*)", text)
        return int(requests[1]), "; ".join(failed)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
