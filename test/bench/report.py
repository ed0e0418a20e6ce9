"""Figures become the page doc/benchmarks.md, which is also what is printed."""

import dataclasses
import datetime
import statistics

import programs

OURS = "balancerd"
OTHERS = ("haproxy", "nginx")


@dataclasses.dataclass
class Result:
    """One program in one scenario: a list of runs, each a dict of figures."""
    scenario: object
    name: str
    runs: list

    def median(self, figure):
        values = [run[figure] for run in self.runs if figure in run]
        return statistics.median(values) if values else None


def table(head, rows):
    """A Markdown table whose source is readable too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        first = cells[0].ljust(widths[0])
        return "| " + " | ".join([first, *(c.rjust(w) for c, w in
                                           zip(cells[1:], widths[1:]))]) + " |"
    rule = "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":")
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


@dataclasses.dataclass
class Run:
    """How it came about: the command, and who could not take part, and why."""
    command: str
    rounds: int
    seconds: int
    skipped: dict


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(ours, theirs):
    return "-" if not ours or not theirs else f"{ours / theirs:.2f}"


def best_of(results, program, figure):
    """The result of a program's better setting."""
    mine = [r for r in results if r.name.split(",")[0] == program]
    known = [r for r in mine if r.median(figure) is not None]
    return min(known, key=lambda r: r.median(figure), default=None)


def ratio_rows(results, figures):
    """One row per scenario: ours through theirs, for each figure and program."""
    rows = []
    for title in dict.fromkeys(r.scenario.title for r in results):
        here = [r for r in results if r.scenario.title == title]
        if all(r.name.split(",")[0] == OURS for r in here):
            continue
        ours = best_of(here, OURS, figures[0])
        cells = []
        for figure in figures:
            for other in OTHERS:
                theirs = best_of(here, other, figures[0])
                cells.append(ratio(ours and ours.median(figure),
                                   theirs and theirs.median(figure)))
        rows.append([title, *cells])
    return rows


def paired_ratio(result, base, figure):
    """The median of what each round says: its two runs were soon after one another, so
    that what else the machine did counts for both."""
    rounds = [run[figure] / other[figure] for run, other in zip(result.runs, base.runs)
              if run[figure] > 0 and other[figure] > 0]
    return number(statistics.median(rounds) if rounds else None, 3)


def least(result, figure):
    """That of the round that was disturbed least: nothing makes a program cheaper."""
    return min(run[figure] for run in result.runs)


def own_table(results, title, name, base):
    """Settings of ours beside one of them; empty where they did not take part."""
    here = [r for r in results if r.scenario.title == title]
    beside = next((r for r in here if r.name == base), None)
    if beside is None:
        return ""
    return "\n" + table(
        [name, "CPU µs per request", "by rounds", "least", "by least"],
        [[r.name.partition(", ")[2] or ("none" if r is beside else "on"),
          number(r.median("cpu_us"), 1), paired_ratio(r, beside, "cpu_us"),
          number(least(r, "cpu_us"), 1),
          number(least(r, "cpu_us") / least(beside, "cpu_us"), 3)]
         for r in here]) + "\n"


def own_tables(results):
    """What lines of the access log cost, traces, and metrics: ours alone."""
    logs = own_table(results, "64 B, access log", "access log", OURS)
    metrics = own_table(results, "64 B, metrics", "metrics", f"{OURS}, no metrics")
    if logs:
        logs += """
A line for each request costs its note by the loop, and the thread that makes lines of
these and writes them; both are in the figures.
"""
    if metrics:
        metrics += """
Metrics are what the loop counts by status, bytes and time; scraped: and what it costs to
print them once a second.
"""
    if not logs and not metrics:
        return ""
    return logs + metrics + """
All are divided by the first line of their table: by rounds is the median of what each round
says, whose runs were soon after one another; by least compares the rounds that were disturbed
least, which is what to look at when the machine is not ours alone.
"""


def request_tables(results):
    if not results:
        return ""
    ratios = table(
        ["balancerd divided by", "CPU: haproxy", "nginx", "requests/s: haproxy", "nginx",
         "p99: haproxy", "nginx"],
        ratio_rows(results, ("cpu_us", "rate", "p99")))
    figures = table(
        ["scenario", "program", "CPU µs per request", "utilisation", "requests/s",
         "p50 µs", "p90 µs", "p99 µs", "failed"],
        [[r.scenario.title, r.name, number(r.median("cpu_us"), 1),
          number(r.median("utilisation"), 2), number(r.median("rate")),
          *(number(r.median(figure)) for figure in ("p50", "p90", "p99")),
          number(sum(run["failed"] for run in r.runs))] for r in results])
    return f"""
## Requests

CPU is what counts: it says how much one core can carry, and depends less than rates
and latencies on what else the machine does. Below 1 is better for CPU and p99, above
1 for requests/s. Where a program has two settings, the one with less CPU is compared.

The load is test/bench/pump: one thread that is both the clients and the origin, and
takes all that is ready at once, so that it is cheaper than a proxy. Each of
{results[0].scenario.connections} clients asks (370 bytes, as a browser does), checks \
status and length of the
answer, and asks again at once; pipelined requests are sent together, and the next
when all are answered. The origin answers from memory, 1 MiB by sendfile; the clients
let the kernel drop what follows the first part of a large body.

Utilisation is the proxy's CPU time divided by the time that went by. At 0.9 and
above the proxy was saturated, and requests/s is what it can do. Below, it slept in
between: its CPU per request then includes being woken, requests/s is the load's
limit, and something else may have used the CPUs. That is so by nature with a
connection for each request: most of the work of opening and closing, for both ends,
is done by the kernel in the client's time.

Latencies are those of a full proxy, in whose queue all clients wait. That of a
pipelined request begins when its burst is sent.

{ratios}

{figures}
{own_tables(results)}"""


def of_setting(results, title, name, figure):
    here = [r for r in results if r.scenario.title == title and r.name == name]
    return here[0].median(figure) if here else None


def stream_ratios(results):
    """One row per scenario: ours through theirs. Of haproxy each setting, since one of
    them is what it does unasked; of nginx the better one."""
    rows = []
    for title in dict.fromkeys(r.scenario.title for r in results):
        cells = []
        for figure in ("cpu", "p99"):
            ours = of_setting(results, title, OURS, figure)
            nginx = best_of([r for r in results if r.scenario.title == title], "nginx", "cpu")
            cells += [ratio(ours, of_setting(results, title, name, figure))
                      for name in ("haproxy", "haproxy, splice")[:2 if figure == "cpu" else 1]]
            cells.append(ratio(ours, nginx and nginx.median(figure)))
        rows.append([title, *cells])
    return rows


def stream_tables(results):
    if not results:
        return ""
    ratios = table(["balancerd divided by", "CPU: haproxy", "haproxy, splice", "nginx",
                    "p99: haproxy", "nginx"], stream_ratios(results))
    figures = table(
        ["scenario", "program", "CPU", "", "utilisation", "per second", "p50 µs",
         "p99 µs", "failed"],
        [[r.scenario.title, r.name, number(r.median("cpu"), 1), r.scenario.unit,
          number(r.median("utilisation"), 2),
          number(r.median("rate"), 2 if r.scenario.bulk else 0),
          number(r.median("p50")), number(r.median("p99")),
          number(sum(run["failed"] for run in r.runs))] for r in results])
    return f"""
## TCP

Bytes without a meaning, by the same load. Bulk: four connections, on each of which 64
bytes ask for 4 MiB, written 256 KiB at a time and dropped by the receiving kernel; a GB
is 10^9 bytes. 64 B each way: 64 connections, each of which sends again when it was
answered. A connection each: 64 clients connect, send 64 bytes, get 64 and the end.

{ratios}

{figures}
"""


def memory_tables(results):
    if not results:
        return ""
    ratios = table(["balancerd divided by", "memory: haproxy", "nginx"],
                   ratio_rows(results, ("bytes",)))
    figures = table(
        ["scenario", "program", "bytes per connection", "connections served"],
        [[r.scenario.title, r.name, number(r.median("bytes")),
          f"{number(r.median('served'))} of {r.scenario.connections:,}"]
         for r in results])
    return f"""
## Memory

User memory (proportional set size) that a connection adds, without the kernel's
socket buffers; the origin is nginx. Idle: one answer received, silent since, and
served again afterwards. Busy: in the middle of a 4 MiB answer whose client has
stopped reading.

{ratios}

{figures}
"""


def of_stores(results):
    return [r for r in results if "op_us" in r.runs[0]]


def kv_ratios(results):
    """One row per scenario: ours through both settings of nutcracker."""
    rows = []
    for title in dict.fromkeys(r.scenario.title for r in results):
        rows.append([title, *(ratio(of_setting(results, title, OURS, figure),
                                    of_setting(results, title, other, figure))
                              for figure in ("op_us", "rate", "p99")
                              for other in ("nutcracker", "nutcracker, -v 4"))])
    return rows


KV_HEADING = "\n## Keys and values\n"


def kv_tables(results, run):
    """A part that says by itself how it came about, since it is measured alone, too."""
    if not results:
        return ""
    ratios = table(["balancerd divided by", "CPU: nutcracker", "-v 4", "operations/s: nutcracker",
                    "-v 4", "p99: nutcracker", "-v 4"], kv_ratios(results))
    figures = table(
        ["scenario", "program", "CPU µs per operation", "of the store", "utilisation",
         "operations/s", "p50 µs", "p99 µs"],
        [[r.scenario.title, r.name, number(r.median("op_us"), 2),
          number(r.median("store_us"), 2) if r.name != "redis" else "-",
          number(r.median("utilisation"), 2), number(r.median("rate")),
          *(number(r.median(figure)) for figure in ("p50", "p99"))] for r in results])
    return f"""{KV_HEADING}
Measured by `{run.command}`: medians of {run.rounds} rounds of
{run.seconds} s, on {datetime.date.today().isoformat()}, {programs.machine()};
{versions_of("balancerd", "nutcracker", "redis-server")}.

{settings_of(results)}

redis-benchmark is the clients: 50 connections, values of 64 bytes, 100,000 keys, all of
which are there. The program that clients talk to is alone on CPU \
{programs.PROXY_CPU}; redis-benchmark and the
store behind it (kv-worker, or redis-server) share CPU {programs.LOAD_CPU}. So operations/s \
are what the
whole system does on two cores, with CPU {programs.LOAD_CPU} as its narrow place, and CPU per \
operation
is the proxy's part of it. Below 1 is better for CPU and p99, above 1 for operations/s.
Without a pipeline most of it is the kernel's time for a `recv` and a `send` to each
client; what can be saved are the calls beside them and being woken.

{ratios}

{figures}

### The life of the memory

![Memory and threads of balancerd and of kv-worker at six steps](kv-memory.svg)

Measured by `make kv-memory`, which draws it; test/e2e/test_kv_memory.py checks it. A
balancer and three workers, of two loops each, hold 20,000 entries of 64 bytes from the
third step on. Under stress four processes with 25 clients each read and overwrite them,
and 20,000 entries of 900 bytes are written that end after two seconds: the bars are the
most that was seen. In use is what mallinfo2 counts, and the blocks that entries live in,
which leave memory as soon as they are empty. Resident memory has besides what the C
library keeps free between pages in use; the balancer trims that when its last client
has gone. After the last step no process is left, each has ended with exit code 0, and
with `SAN=address` the leak checker has found nothing.
"""


def with_kv_tables(text, tables):
    """The page with another key-value part, which is its last."""
    return text.partition(KV_HEADING)[0] + tables


def settings_of(results):
    """A line for each setting that takes part."""
    taking_part = {(r.scenario.heading, r.name): r.scenario.settings for r in results}
    return "\n".join(f"- {heading}{name}: {taking_part[heading, name][name]}"
                     for heading, name in sorted(taking_part))


def versions_of(*names):
    known = programs.versions()
    return ", ".join(f"{name} {known[name]}" for name in names if name in known)


def page(results, run):
    settings = settings_of([r for r in results if r not in of_stores(results)])
    versions = versions_of("balancerd", "haproxy", "nginx")
    left_out = "".join(f"- left out: {name}: {reason}\n"
                       for name, reason in run.skipped.items())
    requests = [r for r in results if "cpu_us" in r.runs[0]]
    streams = [r for r in results if r.scenario.tcp]
    memory = [r for r in results if "bytes" in r.runs[0]]
    return f"""# Benchmarks

Written by `{run.command}`. One thread each, the proxy on
CPU {programs.PROXY_CPU}, the load on CPU {programs.LOAD_CPU}. \
Runs take turns (first program, second,
third, first, ...); figures are medians of {run.rounds} rounds of {run.seconds} s.

- {datetime.date.today().isoformat()}, {programs.machine()}
- {versions}
{settings}
{left_out}{request_tables(requests)}{stream_tables(streams)}\
{memory_tables(memory)}{kv_tables(of_stores(results), run)}"""
