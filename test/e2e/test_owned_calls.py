"""/rep, /add and /rm of pools that own their servers, by both drivers: to the byte what
programs have long relied on, and nothing changed behind a call that cannot be."""

import json
import re
from types import SimpleNamespace

import pytest

from harness.client import RawClient
from harness.owned_pool import OwnedPool, failure, replicas
from harness.stage import Stage

LIST_LONG = ("Length of hostname list is more than newly added instances",
             "Length of hostname list is more than removable instances")


def is_json(answer):
    return (answer.fields.get("content-type") == "application/json"
            and answer.fields.get("cache-control") in (None, "no-store"))


# ---- what is seen of them ----

def counted(pool):
    """What is counted of its listener, in one row."""
    listener, = pool.balancer.control.get("/v1/listeners")["listeners"]
    classes = listener["responses"]
    return [listener["requests"], listener["times"]["count"],
            *(classes[name] for name in ("none", "2xx", "4xx", "5xx"))]


def more(pool, before):
    return [now - then for now, then in zip(counted(pool), before)]


def test_calls_are_in_the_figures_and_the_log_of_their_listener(stage, tmp_path):
    pool = OwnedPool(stage, "process", min=1, top=f"access-log json to {tmp_path}/log")
    pool.until_serving(1)
    before = counted(pool)
    assert pool.ask("GET", "/rep?x=1").status == 200
    assert pool.ask("POST", "/add", {"n": 99}).status == 400
    added = pool.ask("POST", "/add", {"n": 1})
    assert added.status == 200
    assert pool.ask("PUT", "/rm").status == 405
    assert pool.ask("GET", "/home").status == 200
    stage.until(lambda: more(pool, before) == [5, 5, 0, 3, 2, 0], "each is counted")
    stage.until(lambda: (tmp_path / "log").read_text().count("\n") == before[0] + 5,
                "each has its line")
    text = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()[before[0]:]]
    by = {(line["method"], line["target"], line["status"]): line for line in lines}
    assert set(by) == {("GET", "/rep?x=1", 200), ("POST", "/add", 400),
                       ("POST", "/add", 200), ("PUT", "/rm", 405), ("GET", "/home", 200)}
    line = by["POST", "/add", 200]
    assert line["pool"] == "web" and line["bytes"] == len(added.text)
    assert line["peer"] == "127.0.0.1" and line["server"] is None


def test_who_leaves_before_the_answer_is_noted_without_one(stage, tmp_path):
    pool = OwnedPool(stage, "process", min=1, top=f"access-log json to {tmp_path}/log")
    pool.until_serving(1)
    before = counted(pool)
    client = RawClient(pool.port)
    client.send(b"POST /add HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\n{")
    stage.until(lambda: more(pool, before) == [1, 0, 0, 0, 0, 0], "it has come")
    client.close()
    stage.until(lambda: more(pool, before) == [1, 1, 1, 0, 0, 0], "it has left")
    stage.until(lambda: '"status":null' in (tmp_path / "log").read_text(), "it has its line")


# ---- what is right ----

def test_a_pool_starts_with_three(owned):
    pool = owned()
    pool.until_serving(pool.names(1, 2, 3))
    assert [one.name for one in pool.all()] == pool.names(1, 2, 3)
    assert {pool.home() for _ in range(30)} == set(pool.names(1, 2, 3))


def test_its_names_are_s_and_a_number(owned):
    pool = owned(names=None)
    pool.until_serving(["S1", "S2", "S3"])
    answer = pool.rep()
    assert answer.status == 200 and is_json(answer)
    assert answer.text == ('{"message":{"N":3,"replicas":["S1","S2","S3"]},'
                           '"status":"successful"}')


def test_two_are_added_under_made_up_names(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    answer = pool.ask("POST", "/add", {"n": 2})
    assert (answer.status, answer.text) == (200, replicas(pool.names(1, 2, 3)))
    assert is_json(answer)
    assert [one.name for one in pool.all()] == pool.names(1, 2, 3)
    assert pool.rep().text == answer.text


def test_servers_are_added_by_name_and_the_rest_made_up(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    given = [f"{pool.mark}-z", *pool.names(3)]
    answer = pool.add(3, *given)
    assert (answer.status, answer.text) == (
        200, replicas([*pool.names(1, 2, 3), f"{pool.mark}-z"]))
    assert pool.home() in answer.text


def test_names_are_listed_as_people_count(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    answer = pool.add(2, *pool.names(10, 2))
    assert answer.text == replicas(pool.names(1, 2, 10))


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_one_is_removed_by_name(owned, method):
    pool = owned(min=1)
    pool.until_serving(1)
    pool.add(2)
    answer = pool.ask(method, "/rm", {"n": 1, "hostnames": pool.names(2)})
    assert (answer.status, answer.text) == (200, replicas(pool.names(1, 3)))
    pool.stage.until(lambda: [one.name for one in pool.all()] == pool.names(1, 3),
                     "what was removed has ended")
    assert {pool.home() for _ in range(10)} == set(pool.names(1, 3))


def test_the_rest_of_a_removal_is_chosen(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    pool.add(3)
    answer = pool.remove(2, *pool.names(3))
    left = json.loads(answer.text)["message"]["replicas"]
    assert answer.status == 200 and len(left) == 2
    assert answer.text == replicas(left)
    assert pool.names(3)[0] not in left and set(left) < set(pool.names(1, 2, 4))
    pool.stage.until(lambda: [one.name for one in pool.all()] == left,
                     "those that were removed have ended")


def test_a_name_that_was_removed_is_free_again(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    before = pool.ids()
    pool.add(1)
    pool.remove(1, *pool.names(2))
    pool.stage.until(lambda: len(pool.own()["servers"]) == 1, "nothing is left of it")
    assert pool.ids() == before
    answer = pool.add(1)
    assert answer.text == replicas(pool.names(1, 2))
    assert before < pool.ids()


def test_whatever_else_is_asked_for_goes_to_a_server(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    name, = pool.names(1)
    hello = '{"message":"Hello from Server: ' + name + '","status":"successful"}'
    assert pool.ask("GET", "/home").text.strip() == hello
    heartbeat = pool.ask("GET", "/heartbeat")
    assert (heartbeat.status, heartbeat.text) == (200, "")
    assert pool.ask("GET", "/status/418").status == 418
    assert pool.ask("POST", "/echo", "said").text == "said"
    for target in ("/repl", "/rep/", "/add/1", "/rm/x", "/x/rep"):
        answer = pool.ask("GET", target)
        assert answer.status == 404 and "<Error>" not in answer.text, target


def test_a_query_does_not_matter(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    assert pool.ask("GET", "/rep?now=1").text == replicas(pool.names(1))


# ---- what is wrong ----

# What is said, behind "<Error> ".
NO_JSON = "the body is no JSON: "       # and the parser's own words
MISSING = '"n" is missing'
NUMBER = '"n" has to be a whole number from 1 to 1000'
ARRAY = '"hostnames" has to be an array'
TEXTS = '"hostnames" has to be an array of texts'
NO_NAME = ('hostnames: "{}" is no name for a server: expected a letter or a digit, then '
           'letters, digits, ".", "_" and "-", 63 in all at most')
TWICE = 'hostnames: "{}" is there twice'


def bad(text, message):
    """A body and what is said of it. NAME and NAME2 are servers that there are, NEW is
    none."""
    return pytest.param(text, message, id=text[:50] or "nothing")


BAD_BOTH = [
    bad("", MISSING),
    bad("no JSON", NO_JSON),
    bad('{"n":1', NO_JSON),
    bad('{"n":1}}', NO_JSON),
    bad("7", NO_JSON),
    bad("null", NO_JSON),
    bad('{"n":1,"n":1}', NO_JSON),
    bad('{"n":18446744073709551617}', NO_JSON),
    bad('{"n":1,"hostnames":["nul\\u0000"]}', NO_JSON),
    bad("[]", "the body is an array, it has to be an object: {...}"),
    bad("{}", MISSING),
    bad('{"hostnames":["NEW"]}', MISSING),
    bad('{"n":null}', NUMBER),
    bad('{"n":"1"}', NUMBER),
    bad('{"n":1.5}', NUMBER),
    bad('{"n":true}', NUMBER),
    bad('{"n":[1]}', NUMBER),
    bad('{"n":0}', NUMBER),
    bad('{"n":-1}', NUMBER),
    bad('{"n":1001}', NUMBER),
    bad('{"n":4294967297}', NUMBER),
    bad('{"n":1,"hostnames":"NEW"}', ARRAY),
    bad('{"n":1,"hostnames":{}}', ARRAY),
    bad('{"n":1,"hostnames":null}', ARRAY),
    bad('{"n":1,"hostnames":[1]}', TEXTS),
    bad('{"n":1,"hostnames":[null]}', TEXTS),
    bad('{"n":1,"hostnames":[["NEW"]]}', TEXTS),
    bad('{"n":1,"hostnames":[""]}', NO_NAME.format("")),
    bad('{"n":1,"hostnames":["a b"]}', NO_NAME.format("a b")),
    bad('{"n":1,"hostnames":["../up"]}', NO_NAME.format("../up")),
    bad('{"n":1,"hostnames":["\xff"]}', NO_NAME.format("\xff")),
    bad('{"n":1,"hostnames":["' + 64 * "x" + '"]}', NO_NAME.format(60 * "x" + "...")),
    bad('{"n":1,"host":["NEW"]}', '"host" is not understood here: expected one of n, '
                                  'hostnames'),
]

IN_USE = 'hostnames: "NAME" is in use: there is a server of that name, serving'

BAD_ADD = [
    bad('{"n":1,"hostnames":["NEW","NEW2"]}', LIST_LONG[0]),
    bad('{"n":0,"hostnames":["NEW"]}', LIST_LONG[0]),
    bad('{"n":9,"hostnames":[' + 9 * '"NEW",' + '"NEW"]}', LIST_LONG[0]),
    bad('{"n":2,"hostnames":["NEW","NEW"]}', TWICE.format("NEW")),
    bad('{"n":1,"hostnames":["NAME"]}', IN_USE),
    bad('{"n":2,"hostnames":["NEW","NAME"]}', IN_USE),
    bad('{"n":3}', "n: 3 cannot be added: 1 to 2 can, since the pool has 3 servers, and "
                   "5 at most"),
]

BAD_REMOVE = [
    bad('{"n":1,"hostnames":["NAME","NAME2"]}', LIST_LONG[1]),
    bad('{"n":0,"hostnames":["NAME"]}', LIST_LONG[1]),
    bad('{"n":1,"hostnames":["NEW"]}',
        'hostnames: "NEW" is unknown: no server has that name'),
    bad('{"n":2,"hostnames":["NAME","NAME"]}', TWICE.format("NAME")),
    bad('{"n":3}', "n: 3 cannot be removed: 1 to 2 can, since the pool has 3 servers, "
                   "and 1 at least"),
]


@pytest.fixture(scope="module", params=["process", "docker"])
def three(request, tmp_path_factory):
    """A pool of three, of which two may be removed and to which two may be added, for all
    that leave it as it is; with what it was like."""
    stage = Stage(tmp_path_factory.mktemp("three"))
    engine = request.getfixturevalue("engine") if request.param == "docker" else None
    pool = OwnedPool(stage, request.param, engine, min=1, max=5)
    pool.until_serving(1)
    pool.add(2)
    yield SimpleNamespace(pool=pool, stage=stage, ids=pool.ids(), rep=pool.rep().text)
    stage.close()


def refuses(three, method, path, text, message):
    """To the byte; and nothing has changed behind it."""
    first, second = three.pool.names(1, 2)
    for word, name in [("NAME2", second), ("NAME", first),
                       ("NEW", f"{three.pool.mark}-new")]:
        text, message = text.replace(word, name), message.replace(word, name)
    answer = three.pool.ask(method, path, text)
    if message == NO_JSON:
        message = json.loads(answer.text)["message"].removeprefix("<Error> ")
        assert message.startswith(NO_JSON)
    assert (answer.status, answer.text) == (400, failure(f"<Error> {message}"))
    assert is_json(answer)
    assert three.pool.ids() == three.ids
    assert three.pool.rep().text == three.rep


@pytest.mark.parametrize("text, message", BAD_BOTH + BAD_ADD)
def test_a_bad_add_is_refused(three, text, message):
    refuses(three, "POST", "/add", text, message)


@pytest.mark.parametrize("text, message", BAD_BOTH + BAD_REMOVE)
def test_a_bad_rm_is_refused(three, text, message):
    refuses(three, "DELETE", "/rm", text, message)


@pytest.mark.parametrize("method, path, allow", [
    ("POST", "/rep", "GET"), ("DELETE", "/rep", "GET"), ("PUT", "/rep", "GET"),
    ("GET", "/add", "POST"), ("DELETE", "/add", "POST"), ("PATCH", "/add", "POST"),
    ("GET", "/rm", "DELETE, POST"), ("PUT", "/rm", "DELETE, POST")])
def test_a_wrong_method_is_refused(three, method, path, allow):
    body = None if method == "GET" else '{"n":1}'
    answer = three.pool.ask(method, path, body)
    assert answer.status == 405 and is_json(answer)
    said = json.loads(answer.text)["message"]
    assert answer.text == failure(said) and said.startswith("<Error> ")
    allowed = {word.strip() for word in answer.fields.get("allow").split(",")}
    assert set(allow.split(", ")) <= allowed <= {*allow.split(", "), "HEAD"}
    assert three.pool.ids() == three.ids
    assert three.pool.rep().text == three.rep


def test_a_body_that_is_too_long_is_refused(three):
    text = '{"n":1,"hostnames":["' + 2_000_000 * "x" + '"]}'
    answer = three.pool.ask("POST", "/add", text)
    assert answer.status in (400, 413)
    assert answer.text == failure(json.loads(answer.text)["message"])
    assert three.pool.ids() == three.ids


# ---- what fails ----

def test_an_add_that_fails_half_way_leaves_none_behind(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    before = pool.ids()
    names = [f"{pool.mark}-{letter}" for letter in "abcde"]
    pool.driver.obstruct(names[2])
    answer = pool.add(5, *names)
    said = json.loads(answer.text)["message"]
    assert answer.status == 502 and answer.text == failure(said)
    assert said.startswith("<Error> ") and names[2] in said
    assert pool.ids() == before
    assert pool.rep().text == replicas(pool.names(1))
    pool.driver.clear(names[2])
    answer = pool.add(5, *names)
    assert (answer.status, answer.text) == (200, replicas([*pool.names(1), *names]))


def test_an_add_says_what_is_wrong_with_the_driver(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    before = pool.ids()
    pool.driver.hinder()
    answer = pool.add(2)
    said = json.loads(answer.text)["message"]
    assert answer.status == 502 and answer.text == failure(said)
    assert re.search(pool.driver.trouble, said)
    assert pool.ids() == before
    pool.driver.mend()
    assert pool.add(2).text == replicas(pool.names(1, 2, 3))


def test_two_adds_at_once_never_exceed_the_most(owned):
    pool = owned(min=1, max=4)
    pool.until_serving(1)
    answers = [pool.stage.aside(pool.add, 2) for _ in range(3)]
    done = sorted(answer.result().status for answer in answers)
    assert done == [200, 400, 400]
    assert pool.rep().text == replicas(pool.names(1, 2, 3))
    assert [one.name for one in pool.all()] == pool.names(1, 2, 3)


def test_an_add_goes_on_when_its_asker_is_gone(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    client = pool.stage.client(pool)
    client.send(b"POST /add HTTP/1.1\r\nHost: test\r\nContent-Length: 7\r\n\r\n{\"n\":2}")
    pool.stage.until(lambda: len(pool.all()) > 1, "it has begun")
    client.reset()
    pool.until_serving(pool.names(1, 2, 3))
