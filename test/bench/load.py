"""What a benchmark asks of a proxy: requests by the pump, connections by ourselves."""

import contextlib
import dataclasses
import http.client
import json
import socket
import struct
import subprocess
import threading
import time

from processes import NotStarted, pinned
from programs import LOAD_CPU

WARM_UP_MS = 500
SETTLE_SECONDS = 1
ANSWER_SECONDS_MAX = 5
SCRAPE_SECONDS = 1              # oftener than Prometheus does by default, which is 15


@dataclasses.dataclass(frozen=True)
class Pumped:
    """A run of the pump: its figures, and what the proxy needed meanwhile."""
    figures: dict
    cpu_seconds: float
    wall_seconds: float


def run_pump(pump, proxy, origin_port, options, seconds):
    """Loads a proxy from both ends. The options are the pump's."""
    command = [pump, "--proxy", str(proxy.port), "--origin", str(origin_port),
               "--warm-up", str(WARM_UP_MS), "--ms", str(seconds * 1000), *options]

    def marked(word):
        if running.stdout.readline() != f"{word}\n":
            raise NotStarted(running.communicate()[1].strip())
        return proxy.cpu_seconds(), time.monotonic()

    # pylint: disable-next=subprocess-popen-preexec-fn
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, preexec_fn=pinned(LOAD_CPU)) as running:
        cpu_before, before = marked("begin")
        cpu_after, after = marked("end")
        figures = json.loads(running.stdout.read())
    return Pumped(figures, cpu_after - cpu_before, after - before)


def scrape(path):
    """Reads /metrics from a control socket."""
    connection = http.client.HTTPConnection("localhost", timeout=ANSWER_SECONDS_MAX)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(ANSWER_SECONDS_MAX)
    with contextlib.closing(connection):
        connection.sock.connect(str(path))
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        if answer.status != 200 or b"balancerd_listener_responses" not in answer.read():
            raise NotStarted(f"no metrics at {path}: {answer.status}")


@contextlib.contextmanager
def scraped(proxy):
    """Its metrics are read every second meanwhile, if it has a socket for that."""
    if proxy.metrics is None:
        yield
        return
    scrape(proxy.metrics)
    over = threading.Event()

    def go_on():
        while not over.wait(SCRAPE_SECONDS):
            scrape(proxy.metrics)
    scraper = threading.Thread(target=go_on)
    scraper.start()
    try:
        yield
    finally:
        over.set()
        scraper.join()


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def answers(client, path, length):
    """Whether one more request is answered whole on this connection."""
    try:
        client.sendall(request(path))
        got = b""
        while b"\r\n\r\n" not in got:
            more = client.recv(4096)
            if not more:
                return False
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        while len(body) < length:
            more = client.recv(4096)
            if not more:
                return False
            body += more
        return head.startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def connect(port, receive_buffer=None):
    client = socket.socket()
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(ANSWER_SECONDS_MAX)
    client.connect(("127.0.0.1", port))
    return client


def drop(clients):
    """Without the long goodbye: with thousands it would reach into the next run."""
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def warm_up(port):
    """What a program allocates once is not counted per connection."""
    clients = [connect(port) for _ in range(16)]
    for client in clients:
        answers(client, "/64", 64)
    drop(clients)
    time.sleep(SETTLE_SECONDS)


def hold_idle(proxy, count, seconds):
    """Connections that had one answer each and are silent now. Returns bytes per
    connection and how many were still served after the silence."""
    warm_up(proxy.port)
    before = proxy.memory()
    clients = []
    try:
        for _ in range(count):
            client = connect(proxy.port)
            clients.append(client)
            if not answers(client, "/64", 64):
                break
        time.sleep(SETTLE_SECONDS)
        memory = (proxy.memory() - before) / len(clients)
        time.sleep(seconds)
        return memory, sum(answers(client, "/64", 64) for client in clients)
    finally:
        drop(clients)


def hold_busy(proxy, count):
    """Connections in the middle of a 4 MiB answer that the client does not read on.
    Returns bytes per connection and how many got their first bytes."""
    warm_up(proxy.port)
    before = proxy.memory()
    clients = []
    try:
        for _ in range(count):
            client = connect(proxy.port, receive_buffer=4096)
            clients.append(client)
            client.sendall(request("/4m"))
        begun = sum(bool(client.recv(64)) for client in clients)
        time.sleep(SETTLE_SECONDS)
        return (proxy.memory() - before) / count, begun
    finally:
        drop(clients)
