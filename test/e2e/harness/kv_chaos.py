"""Clients write the same keys at random through all workers of a pool, while workers are
killed and others join, and what must be true of it afterwards."""

import random
import time

from .kv_history import Recorder, faults
from .kv_pool import Pool
from .patience import PATIENCE, until

# Workers that are ready, at least: one would do for the data, another one may be just
# about to be killed.
READY_MIN = 2


def chaos(stage, seconds, keys, clients, workers, acks="all", options=()):
    """Fails where a write was lost, a read was stale, or workers differ in the end.
    Returns (operations, kills)."""
    pool = Pool(stage, workers, options, pool=f"acks {acks}; queue 4096 wait 30s",
                threads=2)
    names = [b"key %d" % number for number in range(keys)]
    recorder = Recorder(pool.balancer, names, clients)
    stage.clients.append(recorder)
    kills = kill_and_add(pool, workers, seconds, recorder)
    events, errors = recorder.stop()
    assert not errors, f"{len(errors)} errors, as: {errors[:3]}"
    pool.agrees(3 * PATIENCE)
    contents = pool.contents(names)
    for other in contents[1:]:
        differing = [key for key in names if other.get(key) != contents[0].get(key)]
        assert not differing, f"workers differ in {len(differing)} keys: {differing[:5]}"
    if acks == "all":
        wrong = list(faults(events, contents[0]))
        assert not wrong, f"{len(wrong)} times, as: {wrong[:5]}"
    assert kills > seconds / 2, "hardly anybody was killed"
    return len(events), kills


def kill_and_add(pool, workers, seconds, recorder):
    """For so long: kills one, adds one, at random moments, sometimes in quick succession
    and sometimes with time for all to settle; in the end as many are ready as there were.
    Returns how many were killed that were ready."""
    rng = random.Random(seconds)
    ready, joining, kills = list(pool.workers), [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and not recorder.errors:
        ready += [worker for worker in joining if worker.says_ready]
        joining = [worker for worker in joining if worker not in ready]
        if len(ready) > READY_MIN and rng.random() < 0.7:
            pool.kill(ready.pop(rng.randrange(len(ready))))
            kills += 1
        elif joining and rng.random() < 0.2:
            pool.kill(joining.pop())
        if len(pool.workers) < workers:
            joining.append(pool.start())
        goes_on(recorder, rng.choice([20, 200, 2000]))
    for worker in joining:
        worker.is_ready()
    while len(pool.workers) < workers:
        pool.add()
    return kills


def goes_on(recorder, operations):
    """Until so many more have been done, or one has gone wrong."""
    enough = recorder.count() + operations
    until(lambda: recorder.count() >= enough or recorder.errors, "clients are served",
          3 * PATIENCE)
