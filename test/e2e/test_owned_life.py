"""What becomes of servers that a pool owns: who dies is replaced, who leaves finishes its
requests first, whoever survived the balancer is found again, and nobody else's is
touched. By both drivers."""

from harness.balancer import config
from harness.owned_pool import replicas


# ---- death ----

def test_one_that_dies_is_replaced(owned):
    pool = owned()
    pool.until_serving(3)
    lost = pool.one(pool.names(2)[0])
    others = pool.ids() - {lost.id}
    lost.kill()
    pool.until_replaced(lost)
    pool.until_serving(pool.names(1, 2, 3))
    assert others < pool.ids() and len(pool.ids()) == 3


def test_one_that_is_taken_away_is_replaced(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    lost = pool.one(pool.names(1)[0])
    lost.remove()
    pool.until_replaced(lost)
    assert len(pool.all()) == 2


def test_one_that_hangs_is_replaced(owned):
    pool = owned(min=2, check="http /heartbeat every 100ms timeout 1s rise 1 fall 1")
    pool.until_serving(2)
    lost = pool.one(pool.names(1)[0])
    lost.hang()
    pool.until_replaced(lost)
    assert lost.id not in pool.ids()


def test_all_that_die_at_once_are_replaced(owned):
    pool = owned()
    pool.until_serving(3)
    before = pool.all()
    for one in before:
        one.kill()
    for one in before:
        pool.until_replaced(one)
    assert pool.rep().text == replicas(pool.names(1, 2, 3))
    assert len(pool.all()) == 3


def test_one_that_was_added_is_replaced_as_well(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    name = f"{pool.mark}-guest"
    pool.add(1, name)
    lost = pool.one(name)
    lost.kill()
    pool.until_replaced(lost)
    assert pool.rep().text == replicas([*pool.names(1), name])


def test_a_request_waits_while_nobody_is_up(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    lost = pool.one(pool.names(1)[0])
    lost.kill()
    assert pool.home() == lost.name
    assert lost.id not in pool.ids()


# ---- leaving ----

def test_who_leaves_finishes_its_requests_first(owned):
    pool = owned(min=1, pool="balance round-robin")
    pool.until_serving(1)
    pool.add(1)
    slow = [pool.stage.aside(pool.home, "?delay=1500") for _ in range(4)]
    pool.stage.until(lambda: pool.in_flight() == 4, "the servers have their requests")
    leaves, stays = (pool.one(name) for name in pool.names(2, 1))
    assert pool.remove(1, leaves.name).text == replicas([stays.name])
    assert leaves.id in pool.ids() and not any(one.done() for one in slow)
    assert {pool.home() for _ in range(10)} == {stays.name}
    pool.stage.until(lambda: leaves.id not in pool.ids(), "it has ended")
    names = [one.result() for one in slow]
    assert sorted(names) == sorted(2 * pool.names(1, 2))


def test_who_does_not_finish_in_time_is_ended(owned):
    pool = owned(min=1, drain_time="200ms", pool="balance round-robin")
    pool.until_serving(1)
    pool.add(1)
    slow = [pool.stage.aside(pool.ask, "POST", "/echo?delay=20000", "x")
            for _ in range(2)]
    pool.stage.until(lambda: pool.in_flight() == 2, "the servers have their requests")
    pool.remove(1, *pool.names(2))
    pool.until_left(1)
    pool.one(pool.names(1)[0]).kill()
    assert [one.result().status for one in slow] == [502, 502]


# ---- the balancer's own end ----

def test_a_balancer_that_ends_takes_its_servers_along(owned):
    pool = owned()
    pool.until_serving(3)
    assert pool.balancer.terminate() == 0
    assert pool.all() == []


def test_a_balancer_that_ends_may_leave_its_servers(owned):
    pool = owned(min=2, at_end="leave")
    pool.leaves = True
    pool.until_serving(2)
    before = pool.ids()
    assert pool.balancer.terminate() == 0
    assert pool.ids() == before and all(one.runs for one in pool.all())
    pool.start_again()
    pool.until_serving(pool.names(1, 2))
    assert pool.ids() == before


def test_a_balancer_that_ends_lets_requests_finish(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    slow = pool.stage.aside(pool.home, "?delay=1000")
    pool.stage.until(lambda: pool.in_flight() == 1, "the server has its request")
    assert pool.balancer.terminate() == 0
    assert slow.result() == pool.names(1)[0]
    assert pool.all() == []


def test_survivors_of_a_killed_balancer_are_adopted(owned):
    pool = owned()
    pool.until_serving(3)
    before = pool.ids()
    pool.balancer.kill()
    assert pool.ids() == before and all(one.runs for one in pool.all())
    pool.start_again()
    pool.until_serving(pool.names(1, 2, 3))
    assert pool.ids() == before
    assert {pool.home() for _ in range(30)} == set(pool.names(1, 2, 3))


def test_who_did_not_survive_a_killed_balancer_is_replaced(owned):
    pool = owned()
    pool.until_serving(3)
    before = pool.all()
    pool.balancer.kill()
    before[1].kill()
    pool.start_again()
    pool.until_replaced(before[1])
    pool.until_serving(pool.names(1, 2, 3))
    assert {before[0].id, before[2].id} < pool.ids() and len(pool.all()) == 3


def test_one_that_was_adopted_is_watched_as_all_are(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    pool.balancer.kill()
    pool.start_again()
    pool.until_serving(2)
    lost = pool.all()[0]
    lost.kill()
    pool.until_replaced(lost)
    pool.add(1)
    assert pool.remove(1, *pool.names(2)).text == replicas(pool.names(1, 3))
    pool.until_left(2)


def test_a_balancer_killed_in_the_middle_of_an_add_leaves_no_orphan(owned):
    pool = owned(min=1, max=6)
    pool.until_serving(1)
    asked = pool.stage.client(pool)
    asked.send(b"POST /add HTTP/1.1\r\nHost: test\r\nContent-Length: 7\r\n\r\n{\"n\":5}")
    pool.stage.until(lambda: len(pool.all()) > 1, "it has begun")
    pool.balancer.kill()
    pool.start_again()

    def known():
        running = [one.name for one in pool.all() if one.runs]
        return sorted(running) == sorted(pool.serving())
    pool.stage.until(known, "whoever runs serves, and whoever does not run is gone")


def test_how_many_were_wanted_outlives_the_balancer(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    pool.add(2)
    assert pool.balancer.terminate() == 0
    assert pool.all() == []
    pool.start_again()
    pool.until_serving(pool.names(1, 2, 3))


def test_names_outlive_the_balancer(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    name = f"{pool.mark}-guest"
    pool.add(1, name)
    assert pool.balancer.terminate() == 0
    pool.start_again()
    pool.until_serving([*pool.names(1), name])


# ---- reloads ----

def test_a_reload_without_the_pool_ends_its_servers(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    other = pool.stage.server()
    pool.balancer.reload(config(pool.port, [other]).replace("web", "other"))
    pool.until_left(0)
    assert pool.ask("GET", "/rep").text == "hello"


def test_a_reload_that_changes_nothing_keeps_the_servers(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    before = pool.ids()
    pool.reload(start_time="8s", max=7)
    pool.until_serving(2)
    assert pool.ids() == before
    assert pool.add(5).status == 200
    assert pool.add(1).status == 400


def test_a_reload_raises_the_least(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    before = pool.ids()
    pool.reload(min=3)
    pool.until_serving(pool.names(1, 2, 3))
    assert before < pool.ids()


def test_servers_made_otherwise_are_replaced_without_a_failed_request(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    before = pool.all()
    load = pool.stage.load(pool, 3, path="/home", connections=8)
    pool.reload(env=["GREETING hello"])

    def new():
        now = pool.all()
        return (len(now) == 2 and not {one.id for one in now} & {one.id for one in before}
                and len(pool.serving()) == 2 and now)
    for one in pool.stage.until(new, "both are replaced", 20):
        assert one.environment()["GREETING"] == "hello"
    requests, failed = load.result()
    assert requests > 0 and failed == ""


# ---- what it is told and what it is like ----

def test_a_server_knows_its_name_and_its_port(owned):
    pool = owned(min=1, env=["GREETING hello", "EMPTY \"\""])
    pool.until_serving(1)
    environment = pool.all()[0].environment()
    assert environment["SERVER_ID"] == pool.names(1)[0]
    assert environment["PORT"].isdigit()
    assert environment["GREETING"] == "hello" and environment["EMPTY"] == ""


def test_two_balancers_do_not_mix_their_servers(owned):
    pool, other = owned(min=1), owned(min=1)
    pool.until_serving(1)
    other.until_serving(1)
    before = other.ids()
    pool.balancer.kill()
    pool.start_again()
    pool.until_serving(pool.names(1))
    assert pool.balancer.terminate() == 0
    assert other.ids() == before
    assert other.home() == other.names(1)[0]


def test_what_is_not_its_own_is_never_touched(owned):
    pool = owned(min=1, start=False)
    strangers = [pool.driver.stranger(f"{pool.prefix}{number}") for number in (1, 4)]
    pool.start()
    names = pool.names(1) if pool.driver.kind == "process" else pool.names(2)
    pool.until_serving(names)
    assert pool.add(2).status == 200
    assert pool.remove(2, *names).status == 200
    pool.balancer.kill()
    pool.start_again()
    pool.until_serving(1)
    assert pool.balancer.terminate() == 0
    assert pool.all() == []
    assert all(stranger.runs for stranger in strangers)
