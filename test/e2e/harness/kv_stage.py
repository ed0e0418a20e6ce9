"""What the stage puts up for the key-value mode."""

import os

from .balancer import Balancer
from .kv_balancer import FakeBalancer
from .kv_client import KvClient
from .kv_fake_worker import FakeWorker
from .kv_peer import FakePeer
from .kv_worker import Worker
from .patience import until
from .ports import accepts


def kv_config(ports, listen="", pool="", top="", threads=None, drain="5s", secret=None):
    """A configuration with one pool of workers, `store`, behind a listener for clients and,
    where there is a third port, one for clients of Redis."""
    threads = threads or os.environ.get("BALANCERD_THREADS", "1")
    clients, workers, *redis = ports
    lines = [f"threads {threads}", f"drain {drain}", *top.split(";"),
             f"listen kv 127.0.0.1:{clients} {{", f"workers 127.0.0.1:{workers}",
             "to store", *listen.split(";"), "}"]
    for port in redis:
        lines += [f"listen kv 127.0.0.1:{port} {{", "protocol resp", "to store",
                  *listen.split(";"), "}"]
    lines += ["pool store {", *pool.split(";"), f"secret {secret}" if secret else "", "}"]
    return "\n".join(line.strip() for line in lines if line.strip()) + "\n"


class KvStage:
    """Part of Stage: it has its directory, its lists and run(), start() and port()."""

    def kv(self, *options, redis=False, **settings):
        """balancerd between clients and workers; settings as kv_config. It has
        workers_port beside port and, with `redis`, redis_port."""
        ports = [self.port() for _ in range(3 if redis else 2)]
        balancer = self.run(kv_config(ports, **settings), ports[0], *options)
        balancer.ports = ports
        balancer.workers_port = ports[1]
        balancer.redis_port = ports[2] if redis else None
        for port in ports[1:]:
            until(lambda: accepts(port), f"balancerd accepts on port {port}")
        return balancer

    def quick_kv(self, *options):
        """balancerd kv, without a file."""
        clients, workers = self.port(), self.port()
        words = ["kv", "--clients", f"127.0.0.1:{clients}",
                 "--workers", f"127.0.0.1:{workers}", *options]
        balancer = self.start(Balancer(clients, words, self.directory_of_next()))
        balancer.workers_port = workers
        until(lambda: accepts(workers), f"balancerd accepts on port {workers}")
        return balancer

    def kv_client(self, balancer, version=1, **options):
        client = KvClient(balancer.port, version, **options)
        self.clients.append(client)
        return client

    def fake_worker(self, balancer, identity, version=1, **options):
        worker = FakeWorker(balancer.workers_port, identity, version, **options)
        self.servers.append(worker)
        return worker

    def fake_balancer(self, **options):
        balancer = FakeBalancer(**options)
        self.servers.append(balancer)
        return balancer

    def fake_peer(self, identity, version=2, **options):
        peer = FakePeer(identity, version, **options)
        self.servers.append(peer)
        return peer

    def worker(self, balancer, *options, identity=None, **settings):
        """kv-worker of this balancer, real or not. It has been started, no more:
        is_ready() waits for the rest."""
        directory = self.directory / f"worker-{len(self.workers)}"
        directory.mkdir()
        worker = Worker(balancer.workers_port, options, directory, identity, **settings)
        self.workers.append(worker)
        return worker

    def worker_again(self, worker):
        """One that has ended is started again as it was."""
        self.workers.append(worker.again())
        return self.workers[-1]
