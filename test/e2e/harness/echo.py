"""A TCP server in a process of its own that says who it is: each piece that it gets it
sends back behind its name. It can be killed, and holds tens of thousands of clients."""

import os
import resource
import selectors
import signal
import socket
import sys
from multiprocessing import Process

from .patience import until
from .ports import accepts, share

DESCRIPTORS = 200_000


def allow_descriptors():
    """As many descriptors as the system lets this process have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(hard, DESCRIPTORS)))
    except ValueError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def forget_what_the_test_holds():
    """In a child that was forked: or connections that the test closes would stay."""
    os.closerange(3, 4096)


def serve(port, name):
    forget_what_the_test_holds()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    allow_descriptors()
    listener = socket.socket()
    share(listener)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                accept_all(listener, selector)
            else:
                answer(key.fileobj, selector, name)


def accept_all(listener, selector):
    try:
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ)
    except BlockingIOError:
        pass


def answer(client, selector, name):
    try:
        piece = client.recv(65536)
        if piece.startswith(b"GET /tunnel "):
            client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                           b"Upgrade: words\r\n\r\n")
            return
        if piece:
            client.sendall(name + b" " + piece)
            return
    except BlockingIOError:
        return
    except OSError:
        pass
    selector.unregister(client)
    client.close()


class EchoServer:
    """Named after its port."""

    def __init__(self, port):
        self.port = port
        self.name = str(port).encode()
        self.start()

    def start(self):
        self.process = Process(target=serve, args=(self.port, self.name), daemon=True)
        self.process.start()
        until(lambda: accepts(self.port), f"the echo server accepts on {self.port}")

    def kill(self):
        self.process.kill()
        self.process.join()

    def close(self):
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def __str__(self):
        return f"127.0.0.1:{self.port}"
