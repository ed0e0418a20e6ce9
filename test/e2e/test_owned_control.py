"""Pools that own their servers in the control interface and from balancerctl: the same
orders as /add and /rm, by the same hands, and what is to be seen. By both drivers."""

import re

from harness.owned_pool import replicas


def ask(pool, method, body=None, path=""):
    return pool.balancer.control.ask(method, f"/v1/pools/web/owned{path}", body)


# ---- the control interface ----

def test_each_server_is_told_with_its_life(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    own = pool.own()
    assert (own["pool"], own["driver"]) == ("web", pool.driver.kind)
    assert (own["min"], own["max"], own["wanted"]) == (2, 10, 2)
    assert (own["serving"], own["starting"], own["leaving"]) == (2, 0, 0)
    assert (own["starts"], own["start_failures"], own["replaced"]) == (2, 0, 0)
    assert (own["trouble"], own["retry_ms"]) == ("", 0)
    assert [one["name"] for one in own["servers"]] == pool.names(1, 2)
    assert all(one["state"] == "serving" and one["serves"] for one in own["servers"])
    addresses = {server["address"]: server for server in pool.about()["servers"]}
    assert {one["address"] for one in own["servers"]} == set(addresses)
    assert {one["from"] for one in addresses.values()} == {"owned"}
    assert {one["name"] for one in addresses.values()} == set(pool.names(1, 2))


def test_what_has_happened_is_counted(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    lost = pool.all()[0]
    lost.kill()
    pool.until_replaced(lost)
    own = pool.own()
    assert (own["starts"], own["replaced"], own["adopted"]) == (2, 1, 0)
    pool.balancer.kill()
    pool.start_again()
    pool.until_serving(1)
    own = pool.own()
    assert (own["starts"], own["replaced"], own["adopted"]) == (0, 0, 1)


def test_the_control_interface_adds_removes_and_scales(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    guest = f"{pool.mark}-guest"
    answer = ask(pool, "POST", {"names": [guest]})
    assert answer.status == 201 and answer.json["serving"] == 2
    assert pool.rep().text == replicas([*pool.names(1), guest])
    answer = ask(pool, "PUT", {"count": 4})
    assert answer.status == 200 and answer.json["wanted"] == 4
    assert pool.rep().text == replicas([*pool.names(1, 2, 3), guest])
    answer = ask(pool, "DELETE", {"count": 1, "names": [guest]})
    assert answer.status == 200
    assert pool.rep().text == replicas(pool.names(1, 2, 3))
    answer = ask(pool, "PUT", {"count": 1})
    assert answer.status == 200 and len(pool.serving()) == 1
    pool.until_left(1)


def test_an_order_that_cannot_be_is_refused_with_its_field(owned):
    pool = owned(min=1, max=4)
    pool.until_serving(1)
    pool.add(1)
    before = pool.ids()
    new = f"{pool.mark}-new"
    for method, body, status, field in [
            ("PUT", {"count": 0}, 400, "count"), ("PUT", {"count": 5}, 400, "count"),
            ("PUT", {}, 400, "count"), ("PUT", {"count": "2"}, 400, "count"),
            ("POST", {"count": 3}, 400, "count"), ("POST", {}, 400, "count"),
            ("POST", {"names": [new, new]}, 400, "names"),
            ("POST", {"count": 1, "names": [new, f"{new}2"]}, 400, "names"),
            ("POST", {"names": ["a b"]}, 400, "names"),
            ("POST", {"names": pool.names(1)}, 409, "names"),
            ("DELETE", {"count": 2}, 400, "count"),
            ("DELETE", {"names": [new]}, 404, "names")]:
        answer = ask(pool, method, body)
        assert answer.status == status, (method, body, answer)
        assert answer.json["error"]["field"] == field, (method, body, answer)
    assert pool.ids() == before
    assert pool.rep().text == replicas(pool.names(1, 2))


def test_servers_of_such_a_pool_are_not_added_or_removed_by_address(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    address, = pool.balancer.control.servers()
    assert pool.balancer.control.remove(address).code == "refused"
    assert pool.balancer.control.add("127.0.0.1:9").code == "refused"
    assert len(pool.all()) == 1 and pool.home()


def test_a_server_that_a_person_drains_gets_no_request_and_stays(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    before = pool.ids()
    own = {one["name"]: one["address"] for one in pool.own()["servers"]}
    drained, other = pool.names(1, 2)
    assert pool.balancer.control.set(own[drained], drain=True).status == 200
    assert {pool.home() for _ in range(20)} == {other}
    assert pool.ids() == before
    assert pool.balancer.control.set(own[drained], drain=False).status == 200
    assert {pool.home() for _ in range(20)} == {drained, other}


def test_a_pool_that_owns_nothing_says_so(stage):
    server = stage.server()
    balancer = stage.balancer([server])
    answer = balancer.control.ask("PUT", "/v1/pools/web/owned", {"count": 2})
    assert answer.status == 409 and answer.code == "not-owned"


# ---- balancerctl ----

def says(*names):
    return (f"{len(names)} server{'s' if len(names) > 1 else ''} in pool web: "
            + ", ".join(names))


def test_balancerctl_scales_adds_and_removes(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    guest = f"{pool.mark}-guest"
    assert pool.ctl("scale", "web", 3).did() == says(*pool.names(1, 2, 3))
    assert pool.rep().text == replicas(pool.names(1, 2, 3))
    assert pool.ctl("scale", "+1").did() == says(*pool.names(1, 2, 3, 4))
    assert pool.ctl("remove", *pool.names(2, 3)).did() == says(*pool.names(1, 4))
    assert pool.ctl("add", guest).did() == says(*pool.names(1, 4), guest)
    assert pool.rep().text == replicas([*pool.names(1, 4), guest])
    pool.ctl("scale", "web", 1).did()
    assert len(pool.serving()) == 1
    pool.until_left(1)


def test_balancerctl_lists_them_by_name(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    listed = pool.ctl("list")
    assert listed.code == 0 and listed.err == "", listed
    rows = [line.split() for line in listed.lines]
    assert sorted(row[-1] for row in rows) == pool.names(1, 2)
    assert [(row[1], row[2], row[7]) for row in rows] == 2 * [("web", "up", "owned")]


def test_balancerctl_says_why_not(owned):
    pool = owned(min=1, max=3)
    pool.until_serving(1)
    pool.add(1)
    before = pool.ids()
    assert "3" in pool.ctl("scale", "web", 4).failed(1)
    assert "api" in pool.ctl("scale", "api", 2).failed(5)
    assert "nobody" in pool.ctl("remove", "nobody").failed(5)
    assert pool.names(1)[0] in pool.ctl("add", *pool.names(1)).failed(6)
    pool.driver.hinder()
    assert re.search(pool.driver.trouble, pool.ctl("scale", "web", 3).failed(1))
    assert pool.ids() == before
    pool.driver.mend()
