"""A real pool: a balancer and its workers, what they say of themselves, and what each of
them holds, asked of it alone."""

from . import kv_wire as wire
from .kv_balancer import FakeBalancer
from .kv_client import KvClient, put, read_stats
from .patience import PATIENCE, until


class Pool:
    def __init__(self, stage, count, options=(), **settings):
        self.stage = stage
        self.options = options
        self.balancer = stage.kv(**settings)
        self.workers = []       # those that run
        for _ in range(count):
            self.add()

    @property
    def port(self):
        return self.balancer.port

    def start(self, *options, identity=None, **settings):
        """One more worker, not waited for."""
        identity = identity or 1 + len(self.stage.workers)
        worker = self.stage.worker(self.balancer, *self.options, *options,
                                   identity=identity, **settings)
        self.workers.append(worker)
        return worker

    def add(self, *options, **settings):
        """One more worker that is ready."""
        worker = self.start(*options, **settings)
        worker.is_ready()
        return worker

    def kill(self, worker):
        worker.kill()
        self.workers.remove(worker)

    def client(self, version=1):
        return self.stage.kv_client(self.balancer, version)

    def fill(self, count, size=0):
        """So many keys with their own name as value, or with values of this size; returns
        the keys."""
        client = KvClient(self.balancer.port)
        keys = [b"key %d" % number for number in range(count)]
        for begin in range(0, count, 500):
            some = keys[begin:begin + 500]
            client.say_all(*(put(key, key.ljust(size, b".")) for key in some))
            for answer in client.take(len(some), "PUT_RESPONSE"):
                assert answer.result == wire.FINE, answer
        client.close()
        return keys

    def stats(self):
        """Of each worker that is known; one that has just said that it is ready may not be
        yet."""
        client = KvClient(self.balancer.port, 2)
        try:
            replies = [client.ask(wire.STATS, b"%d" % worker.id) for worker in self.workers]
            return [read_stats(reply.value) for reply in replies
                    if reply.result == wire.FINE]
        finally:
            client.close()

    def agrees(self, within=PATIENCE):
        """Waits until all workers say that they hold the same; returns how much."""
        def same():
            stats = self.stats()
            said = {(one["digest"], one["entries"]) for one in stats}
            return said if len(stats) == len(self.workers) and len(said) == 1 else None
        (_, entries), = until(same, f"{len(self.workers)} workers agree", within)
        return entries

    def contents(self, keys):
        """What each worker holds under these keys: [{key: (version, value)}]. The
        balancer is ended for that, and a stand-in takes its place, to which the workers come by
        themselves."""
        if self.balancer.process.poll() is None:
            assert self.balancer.terminate() == 0
        stand_in = FakeBalancer(workers_port=self.balancer.workers_port)
        self.stage.servers.append(stand_in)
        return [held_by(link, keys) for link in stand_in.all_workers(len(self.workers))]


def held_by(link, keys):
    held = {}
    for begin in range(0, len(keys), 500):
        some = keys[begin:begin + 500]
        tags = {link.ask(wire.GET, key): key for key in some}
        for _ in some:
            reply = link.next_of("REPLY")
            if reply.result != wire.NOT_FOUND:
                assert reply.result == wire.FINE, reply
                held[tags[reply.tag]] = (reply.version, reply.value)
    return held
