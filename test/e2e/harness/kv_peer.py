"""A worker as other workers see it: a listener for those who write to it, and what it
opens itself. The test says every word."""

import socket

from . import kv_wire as wire
from .kv_connection import Connection, dial
from .patience import PATIENCE
from .ports import Port, share


class FakePeer:
    def __init__(self, identity, version=2, secret=None, **about):
        """`about`: what its HELLO says beside its id and port (pool_key, newest, ...)."""
        self.id, self.version, self.secret, self.about = identity, version, secret, about
        self.reserved = Port()
        self.port = self.reserved.number
        self.listener = socket.socket()
        share(self.listener)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(128)
        self.listener.settimeout(PATIENCE)
        self.connections = []

    def accept_raw(self):
        """The next one who connects, before a word was said."""
        sock, _ = self.listener.accept()
        connection = Connection(sock)
        self.connections.append(connection)
        return connection

    def accept(self):
        """The next one who connects, after HELLO where that is spoken."""
        connection = self.accept_raw()
        if self.version == 2:
            connection.greet(wire.PEER, acceptor=True, **self.myself())
        return connection

    def connect(self, port, **about):
        """A connection to the worker with this peer port, after HELLO."""
        connection = Connection(dial(port))
        self.connections.append(connection)
        if self.version == 2:
            connection.greet(wire.PEER, **self.myself() | about)
        return connection

    def myself(self):
        return dict(id=self.id, port=self.port, secret=self.secret) | self.about

    def refuse(self):
        """From now on connections are refused; those that stand go on."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def close(self):
        self.refuse()
        for connection in self.connections:
            connection.close()
        self.reserved.release()
