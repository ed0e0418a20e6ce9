"""Clients that read and write all the while, each on a thread, and notice everything that
is not as it should be: an error, a wrong value, an end, and how long answers took."""

import random
import threading
import time

from .kv_client import KvClient, get, put
from .message import Cut, Ended

BATCH = 20


class KvLoad:
    """So many clients of the balancer until stop(). Each has keys of its own, which it
    writes in turn; reading goes by what it wrote last where `fresh` says that a read
    finds what was acknowledged before (acks all), or else by what was there before it began:
    `known`, keys whose value is the key."""

    def __init__(self, balancer, clients=4, fresh=False, known=(), version=1):
        self.balancer, self.fresh, self.known = balancer, fresh, list(known)
        self.version = version
        self.wrong = []
        self.answers = 0
        self.written = {}       # what was acknowledged last, by key
        self.seconds = []       # from a batch to its last answer
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.play, args=[name], daemon=True)
                        for name in range(clients)]
        for thread in self.threads:
            thread.start()

    def play(self, name):
        client = KvClient(self.balancer.port, self.version)
        rng = random.Random(name)
        held, turn = {}, 0
        try:
            while not self.stopping.is_set():
                turn += 1
                self.batch(client, rng, name, turn, held)
        except (Ended, Cut, OSError, AssertionError) as error:
            self.wrong.append(f"client {name} in turn {turn}: {error!r}")
        finally:
            self.written.update(held)
            client.close()

    def batch(self, client, rng, name, turn, held):
        """Some PUTs, and some GETs with what each must find."""
        messages, expected = [], []
        for number in range(BATCH // 2):
            key = b"%d of %d" % (rng.randrange(200), name)
            held[key] = b"%d in %d" % (number, turn)
            messages.append(put(key, held[key]))
            expected.append(None)
        client.say_all(*messages)
        began = time.monotonic()
        self.take(client, messages, expected)
        if self.fresh:
            asked = [(key, held[key]) for key in rng.choices(list(held), k=BATCH // 2)]
        else:
            asked = [(key, key) for key in rng.choices(self.known, k=BATCH // 2)
                     ] if self.known else []
        messages = [get(key) for key, _ in asked]
        client.say_all(*messages)
        self.take(client, messages, [value for _, value in asked])
        self.seconds.append(time.monotonic() - began)

    def take(self, client, messages, expected):
        for message, value in zip(messages, expected):
            answer = client.next()
            if answer.name != f"{message.name}_RESPONSE" or answer.key != message.key \
                    or answer.result != 0 or value is not None and answer.value != value:
                self.wrong.append(f"{message} was answered by {answer}, not {value}")
            self.answers += 1

    def stop(self):
        """Ends it, and fails where anything was wrong. Returns how many were answered."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, f"{len(self.wrong)} times, as: {self.wrong[:3]}"
        return self.answers

    def close(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
