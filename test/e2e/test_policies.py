"""How requests spread, seen from outside."""

import time
from collections import Counter

import pytest

from harness.server import response

POLICIES = ["round-robin", "least-load", "least-conn", "two-choices", "random"]


def test_round_robin_is_exact(stage):
    balancer = stage.balancer(stage.origins(3), pool="balance round-robin", threads=1)
    assert stage.spread(balancer, 30) == {0: 10, 1: 10, 2: 10}


def test_round_robin_honours_weights_smoothly(stage):
    servers = stage.origins(3)
    balancer = stage.balancer([f"{servers[0]} weight 4", servers[1], servers[2]],
                              pool="balance round-robin", threads=1)
    client = stage.client(balancer)
    order = [int(client.get("/").body) for _ in range(60)]
    assert Counter(order) == {0: 40, 1: 10, 2: 10}
    runs = "".join(map(str, order)).replace("1", "2").split("2")
    longest = max(map(len, runs))
    assert longest <= 3, "no more in a row than the weights call for"


@pytest.mark.parametrize("policy", POLICIES)
def test_idle_servers_all_get_something(stage, policy):
    balancer = stage.balancer(origins(stage, 4), pool=f"balance {policy}",
                              check=check_for(policy), threads=1)
    spread = concurrent_spread(stage, balancer, 160)
    assert sum(spread.values()) == 160
    if policy in ("round-robin", "random", "two-choices"):
        assert len(spread) == 4 and min(spread.values()) >= 10


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("setting", ["weight 0", "drain"])
def test_who_takes_nothing_new_gets_nothing(stage, policy, setting):
    servers = origins(stage, 3)
    balancer = stage.balancer([servers[0], f"{servers[1]} {setting}", servers[2]],
                              pool=f"balance {policy}", check=check_for(policy))
    assert 1 not in concurrent_spread(stage, balancer, 60)


@pytest.mark.parametrize("policy", ["round-robin", "least-conn", "two-choices", "random"])
def test_a_greater_weight_means_more(stage, policy):
    servers = [stage.server(slowly(str(i))) for i in range(2)]
    balancer = stage.balancer([f"{servers[0]} weight 5", servers[1]],
                              pool=f"balance {policy}", threads=1)
    spread = concurrent_spread(stage, balancer, 240, clients=12)
    assert spread[0] > 1.5 * spread[1]


@pytest.mark.parametrize("policy", ["least-conn", "two-choices"])
def test_a_slow_server_gets_less(stage, policy):
    servers = [stage.server(slowly("0", 0.05)), stage.server(response("1")),
               stage.server(response("2"))]
    balancer = stage.balancer(servers, pool=f"balance {policy}", threads=1)
    spread = concurrent_spread(stage, balancer, 240, clients=8)
    assert spread[0] < spread[1] / 2 and spread[0] < spread[2] / 2


def test_least_load_follows_what_servers_report(stage):
    servers = [stage.server(loaded("0", 1000)), stage.server(loaded("1", 10)),
               stage.server(loaded("2", 1000))]
    balancer = stage.balancer(servers, pool="balance least-load", threads=1,
                              check="http /load expect load every 100ms")
    stage.until(lambda: stage.spread(balancer, 20) == {1: 20}, "the reports have come")


def origins(stage, count):
    return [stage.server(loaded(str(i), 0)) for i in range(count)]


def check_for(policy):
    return "http /load every 100ms" if policy == "least-load" else "off"


def slowly(name, seconds=0.005):
    def answer(request, peer):
        time.sleep(seconds)
        return response(name)
    return answer


def loaded(name, total):
    def answer(request, peer):
        return response(f"0\n{total}\n" if request.target == "/load" else name)
    return answer


def concurrent_spread(stage, balancer, requests, clients=4):
    total = Counter()
    for part in [stage.aside(stage.spread, balancer, requests // clients)
                 for _ in range(clients)]:
        total += part.result()
    return total
