"""What goes wrong around pools that own their servers: the engine that is not there, the
image, the program, the server that never answers. The balancer serves, says what is
wrong, tries again in measured steps, and goes on by itself when it can."""

import re
import time

import pytest


# ---- nothing can be started ----

def test_a_start_without_the_driver_serves_and_goes_on_later(owned):
    pool = owned(min=2, start=False, pool="queue 100 wait 300ms")
    pool.driver.hinder()
    pool.start()
    assert pool.rep().text == '{"message":{"N":0,"replicas":[]},"status":"successful"}'
    assert pool.ask("GET", "/home").status == 503
    pool.balancer.logs(pool.driver.trouble)
    pool.stage.until(lambda: re.search(pool.driver.trouble, pool.own()["trouble"]),
                     "the control interface says what is wrong")
    pool.driver.mend()
    pool.until_serving(pool.names(1, 2))
    pool.stage.until(lambda: not pool.own()["trouble"], "the trouble is over")


def test_trouble_that_lasts_is_logged_once(owned):
    pool = owned(min=1, start=False)
    pool.driver.hinder()
    pool.start()
    pool.balancer.logs(pool.driver.trouble)
    pool.stage.until(lambda: pool.own()["retry_ms"] > 1000, "it was tried again")
    lines = [line for line in pool.balancer.log.splitlines()
             if re.search(pool.driver.trouble, line) and "events" not in line]
    assert len(lines) == 1, lines
    pool.driver.mend()


def test_servers_go_on_without_the_driver(owned):
    pool = owned(min=2)
    pool.until_serving(2)
    before = pool.all()
    pool.driver.hinder()
    assert {pool.home() for _ in range(20)} == set(pool.names(1, 2))
    before[0].kill()
    pool.until_serving([before[1].name])
    assert {pool.home() for _ in range(5)} == {before[1].name}
    assert before[1].runs
    pool.driver.mend()
    pool.until_replaced(before[0])
    assert before[1].runs


def test_a_reload_says_no_to_an_own_block_that_is_wrong(owned):
    pool = owned(min=1)
    pool.until_serving(1)
    before = pool.ids()
    assert "max" in pool.reload(min=5, max=4)
    assert pool.ids() == before
    assert pool.home() == pool.names(1)[0]


# ---- what starts is no server ----

def starts(pool):
    return pool.own()["starts"] + pool.own()["start_failures"]


def test_one_that_never_answers_is_taken_back_and_tried_again(owned):
    pool = owned(min=1, start_time="700ms", arguments="--silent-health", start=False)
    pool.start()
    first = pool.stage.until(pool.all, "one is started")[0]
    pool.stage.until(lambda: first.id not in pool.ids(), "it is taken back")
    pool.stage.until(pool.all, "another one is tried")
    assert pool.serving() == []
    pool.reload(arguments="")
    pool.until_serving(pool.names(1))


def test_one_that_ends_at_once_is_tried_again_in_measured_steps(owned):
    began = time.monotonic()
    pool = owned(min=1, arguments="--nonsense")
    pool.balancer.logs(r"exit|ended")
    pool.stage.until(lambda: pool.own()["start_failures"] >= 2, "it was tried again")
    assert starts(pool) <= 2 * (2 + time.monotonic() - began)
    assert pool.own()["retry_ms"] >= 0
    pool.reload(arguments="")
    pool.until_serving(pool.names(1))


def test_starts_in_a_minute_have_a_ceiling(owned):
    pool = owned(min=3, starts_per_minute=2)        # the first three do not count
    pool.until_serving(3)
    for _ in range(2):
        lost = pool.all()[0]
        lost.kill()
        pool.until_replaced(lost)
    pool.all()[0].kill()
    pool.until_serving(2)
    pool.balancer.logs("starts-per-minute|per minute|a minute")
    assert pool.own()["retry_ms"] > 10_000
    assert pool.add(1).status == 200        # whoever asks is not kept waiting


def test_an_add_of_servers_that_never_answer_is_taken_back(owned):
    pool = owned(min=0, start_time="500ms", arguments="--silent-health")
    answer = pool.add(2)
    assert answer.status == 502 and "<Error> " in answer.text
    assert pool.all() == []
    assert pool.serving() == []


# ---- docker's own ----

@pytest.mark.parametrize("owned", ["docker"], indirect=True)
def test_an_image_that_is_missing_is_named_and_waited_for(owned):
    pool = owned(min=1, start=False)
    pool.driver.image = f"{pool.mark}:late"
    pool.start()
    line, = pool.balancer.logs(f"{pool.mark}:late")
    assert "image" in line
    assert f"{pool.mark}:late" in pool.own()["trouble"]
    pool.driver.tag(pool.driver.image)
    pool.until_serving(1)
    # An add that meets an image which has gone meanwhile says so, and leaves nothing.
    pool.driver.untag(pool.driver.image)
    before = pool.ids()
    answer = pool.add(2)
    assert answer.status == 502 and f"{pool.mark}:late" in answer.text
    assert pool.ids() == before


@pytest.mark.parametrize("owned", ["docker"], indirect=True)
def test_a_network_that_is_missing_is_made(owned):
    pool = owned(min=1, start=False)
    pool.driver.network = f"{pool.driver.engine.prefix}{pool.mark}"
    pool.start()
    pool.until_serving(1)
    about = pool.driver.engine.inspect(pool.all()[0].id)
    network = about["NetworkSettings"]["Networks"][pool.driver.network]
    assert pool.names(1)[0] in network["Aliases"]


@pytest.mark.parametrize("owned", ["docker"], indirect=True)
def test_a_container_is_made_with_its_limits_and_labels(owned):
    pool = owned(min=1, memory="64m", cpu="50%", files=512, processes=40)
    pool.until_serving(1)
    about = pool.driver.engine.inspect(pool.all()[0].id)
    limits, labels = about["HostConfig"], about["Config"]["Labels"]
    assert limits["Memory"] == 64 << 20 and limits["PidsLimit"] == 40
    assert limits["NanoCpus"] == 500_000_000 or limits["CpuQuota"] == 50_000
    assert {"Name": "nofile", "Soft": 512, "Hard": 512} in limits["Ulimits"]
    assert about["Config"]["Hostname"] == pool.names(1)[0]
    assert labels["org.balancerd.balancer"] == pool.mark
    assert labels["org.balancerd.pool"] == "web"
    assert labels["org.balancerd.server"] == pool.names(1)[0]


@pytest.mark.parametrize("owned", ["docker"], indirect=True)
def test_containers_of_others_are_left_even_if_they_look_like_ours(owned):
    pool = owned(min=1, start=False)
    labels = {"org__balancerd__pool": "web", "org__balancerd__balancer": "another",
              "org__balancerd__server": pool.names(1)[0]}
    other = pool.driver.stranger(f"{pool.mark}-x", **labels)
    labels |= {"org__balancerd__balancer": pool.mark, "org__balancerd__pool": "other"}
    pool.driver.stranger(f"{pool.mark}-y", **labels)
    pool.start()
    pool.until_serving(pool.names(1))
    pool.add(1)
    pool.remove(1)
    assert pool.balancer.terminate() == 0
    assert other.runs
    assert [one.name for one in pool.all()] == [f"{pool.mark}-y"] and pool.all()[0].runs
    pool.driver.clear(f"{pool.mark}-y")


# ---- processes' own ----

@pytest.mark.parametrize("owned", ["process"], indirect=True)
def test_a_process_is_started_where_and_as_it_is_said(owned, tmp_path):
    (tmp_path / "work").mkdir()
    pool = owned(min=1, directory=tmp_path / "work", files=512)
    pool.until_serving(1)
    one = pool.all()[0]
    assert one.folder() == str(tmp_path / "work")
    assert one.limit("Max open files") == ("512", "512")
    assert one.group() == one.pid


@pytest.mark.parametrize("owned", ["process"], indirect=True)
def test_what_a_process_says_is_in_the_log(owned):
    pool = owned(min=1, start=False)
    (pool.driver.folder / pool.names(1)[0]).write_text("echo words for the log\n")
    pool.start()
    pool.until_serving(1)
    line, = pool.balancer.logs("words for the log")
    assert pool.names(1)[0] in line


@pytest.mark.parametrize("owned", ["process"], indirect=True)
def test_what_a_process_has_started_ends_with_it(owned):
    pool = owned(min=1, start=False)
    children = pool.driver.folder / "children"
    (pool.driver.folder / pool.names(1)[0]).write_text(
        f"sleep 1000 &\necho $! >>{children}\n")
    pool.start()
    pool.until_serving(1)
    pool.all()[0].kill()
    pool.stage.until(lambda: len(children.read_text().split()) == 2, "it is replaced")
    pool.until_serving(1)
    assert pool.balancer.terminate() == 0
    assert not any(pool.driver.exists(int(pid)) for pid in children.read_text().split())
