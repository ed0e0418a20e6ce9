"""What the balancer remembers of the last minutes, for plots that begin before they are
looked at. What a window is and when it ends is told by the unit tests, which are given the
time; here is that the samples are taken, and of what."""

from harness.patience import until

LONG = 40       # seconds: several samples, which are 5 s apart


def history(balancer):
    told = balancer.control.get("/v1/history")
    for series in [told["whole"], *told["pools"], *told["listeners"]]:
        lists = [one for one in series.values() if isinstance(one, list)]
        assert len(lists) >= 8
        assert all(len(one) == len(told["at_ms"]) for one in lists)
    return told


def named(told, name="web"):
    return next(one for one in told["pools"] if one["name"] == name)


def total(values):
    return sum(value or 0 for value in values)


def until_sampled(balancer, requests):
    return until(lambda: total(history(balancer)["whole"]["requests"]) == requests
                 and history(balancer), "they are in the samples", LONG)


def test_samples_are_what_was_counted(stage):
    balancer = stage.balancer(stage.origins(2))
    client = stage.client(balancer)
    assert all(client.get("/").status == 200 for _ in range(30))
    told = until_sampled(balancer, 30)
    pool = balancer.control.get("/v1/pools")["pools"][0]
    listener = balancer.control.get("/v1/listeners")["listeners"][0]
    assert total(named(told, pool["name"])["requests"]) == pool["requests"] == 30
    of_listener = told["listeners"][0]
    assert of_listener["address"] == listener["address"]
    assert total(of_listener["requests"]) == listener["requests"] == 30
    assert of_listener["connections"][-1] == told["whole"]["connections"][-1] == 1
    assert told["pid"] == balancer.control.get("/v1/status")["pid"]
    assert told["at_ms"][0] - told["took_ms"][0] == 0
    assert all(at - took == before for at, took, before in
               zip(told["at_ms"][1:], told["took_ms"][1:], told["at_ms"]))
    assert told["at_ms"][-1] <= told["now_ms"]


def test_times_are_those_of_their_moment(stage):
    balancer = stage.balancer([stage.program()])
    assert stage.get(balancer, "/delay/400").status == 200
    until(lambda: any((p99 or 0) >= 396 for p99 in history(balancer)["whole"]["p99_ms"]),
          "a sample has the slow one", LONG)
    assert stage.get(balancer, "/delay/0").status == 200
    told = until(lambda: (history(balancer)["whole"]["p99_ms"][-1] or 0) < 396
                 and history(balancer), "a sample has it no more", LONG)
    assert any((p99 or 0) >= 396 for p99 in told["whole"]["p99_ms"])
    one = balancer.control.get("/v1/pools/web")
    assert one["times"]["p999_ms"] >= 396, "since the start it was there"


def test_it_stays_over_a_reload_and_ends_with_the_process(stage):
    server = stage.origins(1)[0]
    balancer = stage.balancer([server])
    assert stage.get(balancer, "/").status == 200
    first = until_sampled(balancer, 1)
    text = balancer.configuration.read_text()
    balancer.reload(f"{text}pool other {{\nserver {server}\n}}\n")
    assert stage.get(balancer, "/").status == 200
    told = until_sampled(balancer, 2)
    assert told["at_ms"][0] == first["at_ms"][0] and total(named(told)["requests"]) == 2
    until(lambda: len(history(balancer)["pools"]) == 2, "the new one is sampled", LONG)
    told = history(balancer)
    assert named(told, "other")["requests"][0] is None
    assert named(told, "other")["requests"][-1] == 0
    pid = balancer.upgrade()
    told = until(lambda: history(balancer)["at_ms"] and history(balancer),
                 "the new process has a sample", LONG)
    assert told["pid"] == pid and told["at_ms"][0] == told["took_ms"][0]
    assert total(told["whole"]["requests"]) == 0
