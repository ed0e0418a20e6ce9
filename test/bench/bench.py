#!/usr/bin/python3
"""bench - haproxy, nginx and balancerd side by side, and nutcracker with Redis.

    make bench [ROUNDS=5] [SECONDS=4] [ONLY=small,16k]

Runs take turns, so that what else the machine does hits all of them alike. Prints a
page of tables; a run of all scenarios also writes it to doc/benchmarks.md, and one of all
key-value scenarios (ONLY=kv) writes their part of it.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import sys
import tempfile

import load
import programs
import report
import stores
from processes import NotStarted, free_port, raise_descriptors

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "doc/benchmarks.md"
IDLE_SECONDS = 5

PLAIN = ("balancerd", "haproxy", "nginx")
LARGE = ("balancerd", "haproxy", "haproxy, splice", "nginx", "nginx, unbuffered")
LOGGED = ("balancerd", *(f"balancerd, {kind}" for kind in programs.LOGS),
          "balancerd, traces")
METERED = ("balancerd, no metrics", "balancerd", "balancerd, scraped")
BULK = ("balancerd", "haproxy", "haproxy, splice", "nginx", "nginx, large buffers")


@dataclasses.dataclass(frozen=True)
class Requests:
    """Closed-loop load: each connection asks again when it was answered."""
    title: str
    body: int = 64              # bytes of each answer
    connections: int = 64
    depth: int = 1              # requests sent at once on a connection
    close: bool = False         # a new connection for each request
    names: tuple = PLAIN
    tcp = False
    heading, settings = "", programs.SETTINGS

    def run(self, proxy, origin_port, given):
        options = ["--body", str(self.body), "--connections", str(self.connections),
                   "--depth", str(self.depth), *(["--close"] if self.close else [])]
        with load.scraped(proxy):
            run = load.run_pump(given.out / "bench/pump", proxy, origin_port, options,
                                given.seconds)
        programs.empty_logs(proxy.log.parent)
        got = run.figures
        return {"cpu_us": run.cpu_seconds * 1e6 / max(got["requests"], 1),
                "rate": got["requests"] / got["seconds"],
                "utilisation": run.cpu_seconds / run.wall_seconds,
                **{key: got[key] for key in ("p50", "p90", "p99", "failed")}}

    def summary(self, run):
        return (f"{run['cpu_us']:7.1f} µs CPU per request, "
                f"{run['rate']:7,.0f} requests/s, "
                f"p99 {run['p99']:7,.0f} µs, utilisation {run['utilisation']:.2f}, "
                f"{run['failed']} failed")


@dataclasses.dataclass(frozen=True)
class Streams:
    """The same without HTTP: 64 bytes, and an answer."""
    title: str
    unit: str                   # what CPU is counted by
    body: int = 64              # bytes of each answer
    connections: int = 64
    close: bool = False         # a new connection for each exchange
    names: tuple = PLAIN
    tcp = True
    heading, settings = "TCP, ", programs.SETTINGS_TCP

    @property
    def bulk(self):
        return self.body > 64

    def run(self, proxy, origin_port, given):
        options = ["--plain", "--body", str(self.body),
                   "--connections", str(self.connections),
                   *(["--close"] if self.close else [])]
        run = load.run_pump(given.out / "bench/pump", proxy, origin_port, options,
                            given.seconds)
        got = run.figures
        figures = {"utilisation": run.cpu_seconds / run.wall_seconds,
                   "failed": got["failed"]}
        if self.bulk:
            gigabytes = got["bytes"] / 1e9
            return {"cpu": run.cpu_seconds * 1e3 / max(gigabytes, 1e-9),
                    "rate": gigabytes / got["seconds"], **figures}
        return {"cpu": run.cpu_seconds * 1e6 / max(got["requests"], 1),
                "rate": got["requests"] / got["seconds"],
                **{key: got[key] for key in ("p50", "p99")}, **figures}

    def summary(self, run):
        return (f"{run['cpu']:7.1f} {self.unit}, {run['rate']:10,.1f}/s, "
                f"utilisation {run['utilisation']:.2f}, {run['failed']} failed")


@dataclasses.dataclass(frozen=True)
class Memory:
    """Connections held open, and what that costs. Measured once per program: a
    second time, its memory is there already."""
    title: str
    connections: int
    busy: bool
    names: tuple = PLAIN
    tcp = False
    heading, settings = "", programs.SETTINGS

    def run(self, proxy, _origin_port, _given):
        if self.busy:
            memory, served = load.hold_busy(proxy, self.connections)
        else:
            memory, served = load.hold_idle(proxy, self.connections, IDLE_SECONDS)
        return {"bytes": memory, "served": served}

    def summary(self, run):
        return f"{run['bytes']:9,.0f} bytes per connection, {run['served']:,} served"


@dataclasses.dataclass(frozen=True)
class KeyValue:
    """Clients of Redis, each of which asks again when all that it sent was answered."""
    title: str
    what: str                   # the command
    depth: int = 1              # requests sent at once on a connection
    names: tuple = tuple(stores.SETTINGS)
    tcp = False
    heading, settings = "", stores.SETTINGS

    def run(self, proxy, store, given):
        return stores.load(proxy, store, self.what, self.depth, given.seconds)

    def summary(self, run):
        return (f"{run['op_us']:6.2f} µs CPU per operation, {run['store_us']:5.2f} of the "
                f"store, {run['rate']:9,.0f}/s, p99 {run['p99']:7,.0f} µs, "
                f"utilisation {run['utilisation']:.2f}")


SCENARIOS = {
    "small":      Requests("64 B"),
    "16k":        Requests("16 KiB", body=16 << 10),
    "1m":         Requests("1 MiB", body=1 << 20, names=LARGE),
    "connection": Requests("64 B, a connection each", close=True),
    "pipelined":  Requests("64 B, 16 pipelined", depth=16),
    "logged":     Requests("64 B, access log", names=LOGGED),
    "metered":    Requests("64 B, metrics", names=METERED),
    "tcp-bulk":   Streams("TCP, bulk", "ms CPU per GB", body=4 << 20, connections=4,
                          names=BULK),
    "tcp-pingpong": Streams("TCP, 64 B each way", "µs CPU per round trip"),
    "tcp-connect": Streams("TCP, a connection each", "µs CPU per connection", close=True),
    "idle":       Memory("idle", 10_000, busy=False),
    "busy":       Memory("busy", 1_000, busy=True, names=LARGE),
    "kv-get":     KeyValue("GET", "get"),
    "kv-set":     KeyValue("SET", "set"),
    "kv-get-16":  KeyValue("GET, 16 pipelined", "get", depth=16),
    "kv-set-16":  KeyValue("SET, 16 pipelined", "set", depth=16),
}
GROUPS = {"kv": [key for key, one in SCENARIOS.items() if isinstance(one, KeyValue)]}


def start_all(scenario, out, stack, skipped):
    """Returns the programs of a scenario, each with what is behind it: the port of the
    origin, or a store."""
    shared_memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(
        prefix="balancerd-bench-", dir=shared_memory)))
    origin_port = free_port()
    if isinstance(scenario, Memory):    # otherwise the load is the origin too
        stack.callback(programs.start_origin(folder, origin_port).end)
    proxies = {}
    for name in scenario.names:
        try:
            if isinstance(scenario, KeyValue):
                proxies[name] = stores.start(name, folder, out, stack)
                continue
            proxy = programs.start_proxy(name, scenario.tcp, folder, out,
                                         (free_port(), origin_port))
            stack.callback(proxy.end)
            proxies[name] = proxy, origin_port
        except NotStarted as why:
            skipped.setdefault(scenario.heading + name, str(why))
    return proxies


def run_scenario(scenario, given, skipped):
    rounds = 1 if isinstance(scenario, Memory) else given.rounds
    with contextlib.ExitStack() as stack:
        proxies = start_all(scenario, given.out, stack, skipped)
        results = {name: report.Result(scenario, name, []) for name in proxies}
        for _ in range(rounds):
            for name, (proxy, behind) in proxies.items():
                run = scenario.run(proxy, behind, given)
                results[name].runs.append(run)
                print(f"{scenario.title:24} {name:20} {scenario.summary(run)}",
                      flush=True)
    return list(results.values())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", type=lambda text: [
        key for word in text.split(",") for key in GROUPS.get(word, [word])],
                        default=list(SCENARIOS), help=",".join([*SCENARIOS, *GROUPS]))
    given = parser.parse_args()
    unknown = set(given.only) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)} among {', '.join(SCENARIOS)}")
    if not {programs.PROXY_CPU, programs.LOAD_CPU} <= os.sched_getaffinity(0):
        parser.error("two CPUs are needed: one for the proxy, one for the load")
    return given


def keep(given, page, kv, skipped):
    """Writes the page of a run that has all, or its key-value part if that is all there."""
    if skipped:
        return
    if set(given.only) == set(SCENARIOS):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
        print(f"\nwritten to {PAGE.relative_to(ROOT)}")
    elif set(given.only) == set(GROUPS["kv"]):
        PAGE.write_text(report.with_kv_tables(PAGE.read_text(), kv))
        print(f"\nits part of {PAGE.relative_to(ROOT)} is written")


def main():
    given = arguments()
    raise_descriptors()
    results, skipped = [], {}
    for key in given.only:
        try:
            results += run_scenario(SCENARIOS[key], given, skipped)
        except NotStarted as why:
            print(f"bench: {why}", file=sys.stderr)
            return 1
    for name, reason in skipped.items():
        print(f"left out: {name}: {reason}")
    if not results:
        return 1
    command = f"make bench ROUNDS={given.rounds} SECONDS={given.seconds}"
    if given.only != list(SCENARIOS):
        group = next((name for name, keys in GROUPS.items() if keys == given.only), None)
        command += f" ONLY={group or ','.join(given.only)}"
    run = report.Run(command, given.rounds, given.seconds, skipped)
    page = report.page(results, run)
    print(f"\n{page}", end="")
    keep(given, page, report.kv_tables(report.of_stores(results), run), skipped)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
