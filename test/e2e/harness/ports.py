"""Ports that nobody else takes while a test holds them.

A reserved port is bound but not listened on: a connection to it is refused, the
kernel gives it to no other process, and whoever sets SO_REUSEPORT or SO_REUSEADDR,
as our programs and servers do, may still listen there. So workers that run side by
side never collide, and a server may come back to its port.
"""

import contextlib
import random
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class Port:
    def __init__(self):
        self.holder = socket.socket()
        share(self.holder)
        self.holder.bind(("127.0.0.1", 0))
        self.number = self.holder.getsockname()[1]

    def release(self):
        self.holder.close()


class DatagramPort(Port):
    """One for datagrams, too. What reserves a port among connections does not do so among
    datagrams, and one that is bound there would get some of what comes; so it is one that
    the kernel gives to nobody who does not ask for it by number."""

    def __init__(self):
        lowest = int(RANGE.read_text().split()[0])
        while True:
            self.number = random.randrange(lowest // 3, lowest)
            with contextlib.suppress(OSError):
                self.reserve()
                return

    def reserve(self):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as probe:
                probe.bind(("127.0.0.1", self.number))
        self.holder = socket.socket()
        share(self.holder)
        self.holder.bind(("127.0.0.1", self.number))


def share(sock):
    """Lets sock listen on a port that is reserved."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


IP_BIND_ADDRESS_NO_PORT = 24    # linux/in.h


def bind_source(sock, address):
    """Lets sock connect from this address. Its port is chosen as it connects: one taken
    now might be one that a balancer is about to listen on, on all addresses."""
    sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    sock.bind((address, 0))


def accepts(port, host="127.0.0.1"):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


class Blackhole:
    """A port where connecting neither succeeds nor fails: somebody listens whose
    queue is full, so the kernel drops what comes."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.number = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.number))
            self.fillers.append(filler)

    def release(self):
        for sock in [*self.fillers, self.listener]:
            sock.close()
