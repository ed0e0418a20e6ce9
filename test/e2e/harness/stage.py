"""Everything that one test puts up, taken down in order whatever happened."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from . import balancer as balancers
from .balancer import Balancer
from .client import RawClient
from .kv_stage import KvStage
from .load import Load
from .origin import Origin
from .patience import until
from .ports import Blackhole, DatagramPort, Port
from .server import ScriptedServer, response


class Stage(KvStage):
    until = staticmethod(until)

    def __init__(self, directory):
        self.directory = directory
        self.clients = []
        self.balancers = []
        self.workers = []       # programs; stand-ins are among the servers
        self.servers = []
        self.ports = []
        self.threads = ThreadPoolExecutor(32)

    def port(self):
        """A port of our own on which nobody listens."""
        port = Port()
        self.ports.append(port)
        return port.number

    def datagram_port(self):
        """The same for datagrams."""
        port = DatagramPort()
        self.ports.append(port)
        return port.number

    def blackhole(self):
        """A port that never completes a connection."""
        port = Blackhole()
        self.ports.append(port)
        return port.number

    def server(self, answer=None, on_connection=None):
        server = ScriptedServer(answer, on_connection)
        self.servers.append(server)
        return server

    def origins(self, count):
        """Servers that answer with their number."""
        return [self.server(response(str(i))) for i in range(count)]

    def program(self, *options):
        """The origin program, with these options."""
        origin = Origin(*options)
        self.servers.append(origin)
        return origin

    def load(self, balancer, seconds, **options):
        """wrk against balancerd, under way until .result()."""
        load = Load(balancer.port, seconds, **options)
        self.clients.append(load)
        return load

    def balancer(self, servers, **settings):
        """One listener in front of one pool; settings as harness.balancer.config."""
        port = self.port()
        return self.run(balancers.config(port, servers, **settings), port)

    def run(self, text, port, *options, **variables):
        """balancerd run with this configuration, once it accepts on port."""
        directory = self.directory_of_next()
        path = directory / "balancerd.conf"
        path.write_text(text)
        return self.start(Balancer(port, ["run", *options, path], directory, **variables))

    def restart(self, balancer):
        """Ends it, and starts the same again."""
        assert balancer.terminate() == 0
        return self.start(balancer.again())

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

    def spread(self, balancer, requests, target="/"):
        """How many of so many requests each server of origins() has answered, by
        the number it answers with; all on one connection."""
        client = self.client(balancer)
        answers = [client.get(target) for _ in range(requests)]
        assert all(answer.status == 200 for answer in answers), answers
        return Counter(int(answer.body) for answer in answers)

    def aside(self, action, *arguments, **options):
        """Starts action(*arguments) on a thread; .result() waits for what it returns."""
        return self.threads.submit(action, *arguments, **options)

    def logs(self):
        """For the report of a failure."""
        for balancer in self.balancers:
            if balancer.configuration.exists():
                yield "configuration", balancer.configuration.read_text()
            yield "balancerd's log", balancer.log
        for worker in self.workers:
            yield f"log of worker {worker.pid}", worker.log
        for server in self.servers:
            for peer in getattr(server, "peers", []):
                yield f"connection to {server}", repr(peer.received[:2000])

    def close(self):
        """Takes all down. What was wrong is an error of this test."""
        wrong = []
        for client in self.clients:
            client.close()
        self.threads.shutdown()
        for balancer in self.balancers:
            wrong += balancer.end()
        with ThreadPoolExecutor(8) as enders:
            for errors in enders.map(lambda worker: worker.end(), self.workers):
                wrong += errors
        for server in self.servers:
            server.close()
            wrong += [f"{server} complains: {text}"
                      for text in getattr(server, "complaints", [])]
        for port in self.ports:
            port.release()
        assert not wrong, "; ".join(wrong)

