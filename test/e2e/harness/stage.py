"""Everything that one test puts up, taken down in order whatever happened."""

from . import balancer as balancers
from .balancer import Balancer
from .client import RawClient
from .patience import until
from .ports import Port
from .server import ScriptedServer


class Stage:
    until = staticmethod(until)

    def __init__(self, directory):
        self.directory = directory
        self.clients = []
        self.balancers = []
        self.servers = []
        self.ports = []

    def port(self):
        """A port of our own on which nobody listens."""
        port = Port()
        self.ports.append(port)
        return port.number

    def server(self, answer=None, on_connection=None):
        server = ScriptedServer(answer, on_connection)
        self.servers.append(server)
        return server

    def origins(self, count):
        """Servers that answer with their number."""
        return [self.server(numbered(i)) for i in range(count)]

    def balancer(self, servers, **settings):
        """One listener in front of one pool; settings as harness.balancer.config."""
        port = self.port()
        return self.run(balancers.config(port, servers, **settings), port)

    def run(self, text, port):
        """balancerd run with this configuration, once it accepts on port."""
        directory = self.directory_of_next()
        path = directory / "balancerd.conf"
        path.write_text(text)
        return self.start(Balancer(port, ["run", path], directory))

    def quick(self, servers, *options):
        """balancerd http, once it accepts."""
        port = self.port()
        words = ["http", *options, port, *servers]
        return self.start(Balancer(port, words, self.directory_of_next()))

    def directory_of_next(self):
        directory = self.directory / f"balancer-{len(self.balancers)}"
        directory.mkdir()
        return directory

    def start(self, balancer):
        self.balancers.append(balancer)
        balancer.wait_until_it_accepts()
        return balancer

    def client(self, balancer, **options):
        client = RawClient(balancer.port, **options)
        self.clients.append(client)
        return client

    def get(self, balancer, target="/", *fields):
        """One GET on a connection of its own."""
        client = RawClient(balancer.port)
        try:
            return client.get(target, "Connection: close", *fields)
        finally:
            client.close()

    def logs(self):
        """For the report of a failure."""
        for balancer in self.balancers:
            if balancer.configuration.exists():
                yield "configuration", balancer.configuration.read_text()
            yield "balancerd's log", balancer.log
        for server in self.servers:
            for peer in server.peers:
                yield f"connection to {server}", repr(peer.received[:2000])

    def close(self):
        """Takes all down. What was wrong is an error of this test."""
        wrong = []
        for client in self.clients:
            client.close()
        for balancer in self.balancers:
            wrong += balancer.end()
        for server in self.servers:
            server.close()
            wrong += [f"{server} complains: {text}" for text in server.complaints]
        for port in self.ports:
            port.release()
        assert not wrong, "; ".join(wrong)


def numbered(number):
    from .server import response
    return response(str(number))
