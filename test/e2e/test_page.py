"""The page shows what is true, steers, and is of use to everybody: in Chromium, against a
balancer with its own control interface over TCP. Screenshots go to out/screenshots."""

import http.client
import json
import os
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from harness.balancer import config
from harness.browser import LEFT_OUT, Browser, is_left_out, why_not
from harness.origin import ORIGIN
from harness.patience import until
from harness.program import ROOT
from harness.server import response

TOKENS = {"token": "secret", "read-token": "look"}


@pytest.fixture(scope="module")
def browser():
    if is_left_out():
        pytest.skip(LEFT_OUT)
    assert not why_not(), why_not()
    browser = Browser()
    yield browser
    browser.close()


class Page:
    """A balancer, and its page in the browser."""

    def __init__(self, stage, browser, pools, listens=("http",)):
        self.stage, self.browser = stage, browser
        self.port, self.ports = stage.port(), [stage.port() for _ in listens]
        tokens = []
        for kind, text in TOKENS.items():
            path = stage.directory / kind
            path.write_text(f"{text}\n")
            path.chmod(0o600)
            tokens.append(f"{kind} {path}")
        names = [line.split()[1] for line in pools.splitlines() if line.startswith("pool ")]
        lines = [f"threads 1\ncontrol 127.0.0.1:{self.port} {' '.join(tokens)}"]
        lines += [f"listen {kind} 127.0.0.1:{port} {{ to {name} }}"
                  for kind, port, name in zip(listens, self.ports, names)]
        self.balancer = stage.run("\n".join(lines) + f"\n{pools}\n", self.ports[0])
        self.url = f"http://127.0.0.1:{self.port}/"

    @property
    def control(self):
        return self.balancer.control

    def open(self, token="secret", **how):
        self.browser.open(self.url, token=token, **how)
        if token:
            self.until_live()
        return self

    def until_live(self):
        self.browser.until("() => document.querySelector('#link').textContent === 'live'")

    def rows(self, table):
        """What a table shows: what stands in each row's head to what its columns say."""
        return self.browser.evaluate("""(table) => Object.fromEntries(
            [...document.querySelectorAll(`#${table} tbody tr`)].map((row) => [
                row.querySelector("th").textContent,
                Object.fromEntries([...row.cells].map((cell) =>
                    [cell.dataset.label, cell.textContent]))]))""", table)

    def change(self, server, what, pool="web"):
        self.browser.click("button", f"Change {server} in {pool}")
        self.browser.click("button", f"{what}…")

    def asks_raw(self, method, path, body, **fields):
        """Of the interface over TCP, past the browser."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, json.dumps(body), fields)
        answer = connection.getresponse()
        status, text = answer.status, answer.read()
        connection.close()
        return status, text

    def is_calm(self):
        assert self.browser.complaints == []


def pool(servers, name="web", more=""):
    lines = "\n".join(f"server {server}" for server in servers)
    return f"pool {name} {{\ncheck off\n{more}\n{lines}\n}}"


@pytest.fixture
def web(stage, browser):
    """A page of one pool with two servers."""
    servers = stage.origins(2)
    page = Page(stage, browser, pool(servers))
    page.servers = [str(server) for server in servers]
    return page


def figure(text):
    return int(text.replace(",", ""))


def test_what_it_shows_is_what_the_interface_says(stage, browser):
    dead = f"127.0.0.1:{stage.port()}"
    good = stage.origins(2)
    checked = "check tcp every 50ms timeout 40ms rise 1 fall 1"
    page = Page(stage, browser, pool(good).replace("check off", checked)
                .replace("\n}", f"\nserver {dead} weight 3\n}}") + "\n"
                + pool([good[0]], "keys", "balance ring").replace("check off", checked),
                ("http", "tcp"))
    page.open()
    client = stage.client(page.balancer)
    assert all(client.get("/").status == 200 for _ in range(30))
    page.control.set(str(good[1]), drain=True)
    browser.until("([dead, drained]) => { const text = document.querySelector('#servers')"
                  ".textContent; return /down/.test(text) && /draining/.test(text); }",
                  [dead, str(good[1])])
    until(lambda: figure(page.rows("pools")["web"]["Requests"]) == 30, "the page is there")
    pools = {one["name"]: one for one in page.control.get("/v1/pools")["pools"]}
    shown = page.rows("servers")
    assert set(shown) == {str(good[0]), str(good[1]), dead}
    for server in pools["web"]["servers"]:
        if server["address"] == str(good[0]):
            continue        # it is of both pools
        row = shown[server["address"]]
        assert row["State"] == server["state"] and row["Reason"] == server["reason"]
        for label, name in {"Weight": "weight", "Requests": "requests",
                            "Failures": "failures", "In flight": "in_flight"}.items():
            assert figure(row[label]) == server[name], (label, row, server)
    times = next(one for one in pools["web"]["servers"] if one["address"] == str(good[1]))
    of_listener = page.control.get("/v1/listeners")["listeners"][0]
    for row, one in [(shown[str(good[1])], times),
                     (page.rows("listeners")[of_listener["address"]], of_listener)]:
        assert one["recent"]["count"] >= 15
        for label, name in {"p50 ms": "p50_ms", "p90 ms": "p90_ms", "p99 ms": "p99_ms",
                            "p99.9 ms": "p999_ms"}.items():
            assert float(row[label]) == pytest.approx(
                one["recent"][name], rel=0.006, abs=0.006)
    for name, row in page.rows("pools").items():
        up = sum(server["state"] == "up" for server in pools[name]["servers"])
        assert row["Up"] == f"{up} of {len(pools[name]['servers'])}"
        assert row["Policy"] == pools[name]["balance"]
    status = page.control.get("/v1/status")
    assert set(page.rows("listeners")) == {one["address"] for one in status["listeners"]}
    assert f"process {status['pid']}" in browser.text("#facts")
    browser.screenshot("light")
    page.is_calm()


def test_rates_and_plots_move_with_the_load(web):
    web.open()
    load = web.stage.load(web.balancer, 4, connections=4)
    web.browser.until("() => /now [1-9]/.test(document.querySelector('#plots figure')"
                      ".getAttribute('aria-label'))")
    web.browser.until("() => +document.querySelector('#totals dd').textContent"
                      ".replaceAll(',', '') > 0")
    drawn = """() => [...document.querySelectorAll('#plots canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, i) => i % 4 === 2 && value - data[i - 2] > 60); })"""
    web.browser.until(f"() => ({drawn})()[0]")
    names = ["p50", "p90", "p99", "p99.9"]
    label = "() => document.querySelectorAll('#plots figure')[2].getAttribute('aria-label')"
    assert all(f"{name} " in web.browser.evaluate(label) for name in names)
    web.browser.choose("#plots-of", "*")
    web.browser.until(f"() => /now web/.test(({label})())")
    assert load.result()[1] == ""
    web.is_calm()


# Each figure that a plot shows of an earlier moment, as the pointer goes over it.
OVER = """async (n) => { const figure = document.querySelectorAll('#plots figure')[n];
    const over = figure.querySelector('.u-over'), box = over.getBoundingClientRect();
    const said = new Set();
    for (let x = 1; x < box.width; x += 4) {
        over.dispatchEvent(new MouseEvent("mousemove", { bubbles: true,
            clientX: box.left + x, clientY: box.top + 9 }));
        await new Promise(requestAnimationFrame);
        const [when, value] = figure.querySelector("output").textContent.split(": ");
        if (when && value !== undefined)
            said.add(value.replace("p99 ", ""));
    }
    over.dispatchEvent(new MouseEvent("mouseleave", { bubbles: true }));
    return [...said].filter((value) => value !== "0" && value !== "–"); }"""


def assert_alike(shown, told, **how):
    """Each text is one of these figures, and each figure is shown."""
    assert shown and all(any(float(text) == pytest.approx(one, **how) for one in told)
                         for text in shown), (shown, told)
    assert all(any(float(text) == pytest.approx(one, **how) for text in shown)
               for one in told), (shown, told)


def test_what_was_before_the_page_was_opened_is_there(web):
    client = web.stage.client(web.balancer)
    assert all(client.get("/").status == 200 for _ in range(30))
    told = until(lambda: (one := web.control.get("/v1/history")) and one["at_ms"] and one
                 and sum(one["whole"]["requests"]) == 30
                 and one["whole"]["requests"][-1] == 0 and one,
                 "the requests and the silence behind them are sampled", 40)
    web.open()
    polls = "() => performance.getEntriesByType('resource').filter(" \
        "({ name }) => name.endsWith('/v1/times')).length"
    web.browser.until(f"() => ({polls})() > 3")
    whole = told["whole"]
    rates = {1000 * count / took for count, took in zip(whole["requests"], told["took_ms"])
             if count > 0}
    assert_alike(web.browser.evaluate(OVER, 0), rates, abs=0.051)
    p99 = {ms for ms in whole["p99_ms"] if ms is not None}
    assert_alike(web.browser.evaluate(OVER, 2), p99, rel=0.006, abs=0.006)
    asked = [url for url in web.browser.requests if "/v1/history" in url]
    assert len(asked) == 1, "from then on points come by themselves"
    pid = web.control.get("/v1/status")["pid"]
    assert f"Process {pid} began at " in web.browser.text("#plots-note")
    web.is_calm()


def test_what_the_page_did_not_see_is_fetched_later(web):
    web.open()
    web.browser.run("await page.route('**/v1/status', (route) => route.abort())")
    web.browser.until("() => document.querySelector('#link').textContent !== 'live'")
    client = web.stage.client(web.balancer)
    assert all(client.get("/").status == 200 for _ in range(20))
    until(lambda: sum(web.control.get("/v1/history")["whole"]["requests"]) == 20,
          "they are sampled", 40)
    web.browser.run("await page.unroute('**/v1/status')")
    web.until_live()
    assert web.browser.evaluate(OVER, 0), "what came meanwhile is drawn"


def test_shares_of_keys_are_drawn_as_they_are(stage, browser):
    servers = stage.origins(3)
    page = Page(stage, browser, pool(servers, more="balance ring\nkey header X-User"))
    page.open()
    ring = page.control.get("/v1/pools/web/ring")
    browser.until("() => document.querySelectorAll('#ring path').length === 3")
    shown = page.rows("shares")
    for server in ring["servers"]:
        assert abs(float(shown[server["address"]]["Share"].rstrip(" %"))
                   - 100 * server["share"]) < 0.06
    page.control.set(str(servers[0]), drain=True)
    browser.until("() => document.querySelectorAll('#ring path').length === 2")
    assert page.rows("shares")[str(servers[0])]["Share"] == "0.00 %"
    page.is_calm()


# What is changed


def test_drain_and_enable(web):
    web.open()
    first, second = web.servers
    web.change(first, "Drain")
    assert second != first and "1 other server of web is up" in web.browser.text("dialog")
    web.browser.screenshot("dialog", whole=False)
    web.browser.click("button", "Drain")
    web.browser.until_says("#said", f"{first} is being drained")
    assert web.control.servers()[first]["drain"] is True
    assert web.rows("servers")[first]["State"] in ("up", "draining")
    web.browser.until("(server) => [...document.querySelectorAll('#servers tr')].some((row) =>"
                      " row.textContent.includes(server) && /draining/.test(row.textContent))",
                      first)
    web.change(first, "Enable")
    web.browser.click("button", "Enable")
    web.browser.until_says("#said", f"{first} is enabled")
    assert web.control.servers()[first]["drain"] is False
    web.is_calm()


def test_weight_and_what_is_wrong_with_one(web):
    web.open()
    first = web.servers[0]
    web.change(first, "Weight")
    web.browser.fill("Weight", 1e9)
    web.browser.click("button", "Set weight")
    web.browser.until_says("dialog [role=alert]", "weight")
    assert web.browser.evaluate("() => document.activeElement.name") == "weight"
    assert web.control.servers()[first]["weight"] == 1
    web.browser.fill("Weight", 7)
    web.browser.click("button", "Set weight")
    web.browser.until_says("#said", "has weight 7")
    assert web.control.servers()[first]["weight"] == 7
    assert len(web.browser.complaints) == 1 and "400" in web.browser.complaints[0]


def test_add_and_remove(web):
    web.open()
    new = str(web.stage.server(response("new")))
    web.browser.click("button", "Add a server to web")
    web.browser.fill("Address", new)
    web.browser.fill("Weight", 4)
    web.browser.click("button", "Add")
    web.browser.until_says("#servers", new)
    added = web.control.servers()[new]
    assert (added["weight"], added["temporary"]) == (4, False)
    web.change(new, "Remove")
    web.browser.click("button", "Remove")
    web.browser.until_says("#said", "is removed from web")
    assert new not in web.control.servers()
    web.browser.until("(server) => !document.querySelector('#servers').textContent"
                      ".includes(server)", new)
    assert web.browser.focused() == "Servers"
    web.is_calm()


def test_another_version_of_the_balancer_is_told(web):
    web.open()
    hidden = "(now) => document.querySelector('#old').hidden === now"
    web.browser.until(hidden, True)
    web.browser.run("""await page.route("**/v1/status", async (route) => {
        try {
            const response = await route.fetch();
            const json = { ...await response.json(), version: "another" };
            await route.fulfill({ response, json });
        } catch { } // whoever asked has been loaded anew meanwhile
    })""")
    web.browser.until(hidden, False)
    web.browser.click("button", "Load it anew")
    web.until_live()
    web.browser.until(hidden, True)


def test_a_pool_that_makes_its_servers_is_scaled(stage, browser):
    page = Page(stage, browser, f"pool web {{\nown process {{\ncommand {ORIGIN}\nmin 1\n"
                "max 4\n}\n}")
    page.open()
    serving = ("(n) => n === document.querySelectorAll("
               "'#made .state[data-state=serving]').length")
    browser.until(serving, 1)
    browser.click("button", "Scale pool web")
    browser.fill("Servers", 9)
    browser.click("button", "Scale")
    browser.until_says("dialog [role=alert]", "4")
    browser.fill("Servers", 2)
    browser.click("button", "Scale")
    browser.until(serving, 2)
    assert page.control.get("/v1/pools/web/owned")["wanted"] == 2
    browser.until_says("#owners", "2 wanted, 2 serving")


def test_by_keyboard_alone(web):
    web.open()
    first = web.servers[0]
    browser = web.browser
    wanted = f"Change {first} in web"
    browser.press("Tab")
    assert browser.focused() == "To the servers"
    browser.press("Enter")
    for _ in range(40):
        browser.press("Tab")
        if browser.focused() == wanted:
            break
    assert browser.focused() == wanted
    assert browser.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") \
        == "solid"
    browser.press("Enter")
    assert browser.focused() == "Drain…"
    browser.press("Enter")
    for _ in range(4):
        if browser.focused() == "Drain":
            break
        browser.press("Tab")
    browser.press("Enter")
    browser.until_says("#said", "is being drained")
    assert web.control.servers()[first]["drain"] is True
    assert browser.focused() == wanted
    browser.press("Enter", "Escape")
    assert not browser.evaluate("() => document.querySelector('dialog').open")
    assert browser.focused() == wanted
    web.is_calm()


# Who may


def test_the_token_is_asked_for_and_kept_in_the_tab(web):
    browser = web.browser
    web.open(token=None)
    browser.until("() => document.querySelector('dialog').open")
    browser.screenshot("token", whole=False)
    assert browser.focused() == "" and "first line" in browser.text("dialog")
    browser.fill("Token", "wrong")
    browser.press("Enter")
    browser.until_says("dialog [role=alert]", "token")
    assert browser.evaluate("() => sessionStorage.length") == 0
    browser.press("Escape")
    browser.click("button", "Enter token")
    browser.fill("Token", "secret")
    browser.press("Enter")
    web.until_live()
    assert browser.evaluate("() => [localStorage.length, document.cookie]") == [0, ""]
    browser.run("await page.reload()")
    web.until_live()
    assert not [url for url in browser.requests if "secret" in url]
    assert {urlsplit(url).netloc for url in browser.requests} == {f"127.0.0.1:{web.port}"}
    browser.click("button", "Forget token")
    browser.until("() => document.querySelector('dialog').open")
    assert browser.evaluate("() => sessionStorage.length") == 0
    assert all("401" in text for text in browser.complaints)


def test_a_token_that_may_only_look_is_told_so(web):
    web.open(token="look")
    web.change(web.servers[0], "Drain")
    web.browser.click("button", "Drain")
    web.browser.until_says("dialog [role=alert]", "token")
    assert web.control.servers()[web.servers[0]]["drain"] is False
    assert all("403" in text for text in web.browser.complaints)


def test_through_a_tunnel_to_the_socket_there_is_no_token(web):
    """Another balancer is the tunnel here, as ssh -L would be."""
    port = web.stage.port()
    web.stage.run(config(port, [f"unix:{web.balancer.socket_path}"], kind="tcp"), port)
    web.url = f"http://127.0.0.1:{port}/"
    web.open(token=None)
    web.until_live()
    web.browser.until_says("#events", "started")
    web.change(web.servers[0], "Drain")
    web.browser.click("button", "Drain")
    web.browser.until_says("#said", "is being drained")
    assert web.control.servers()[web.servers[0]]["drain"] is True
    web.is_calm()


def test_a_page_from_elsewhere_changes_nothing(web):
    path = f"/v1/pools/web/servers/{web.servers[0]}"
    there = web.stage.server(response("<!doctype html><title>another</title>",
                                      "Content-Type: text/html"))
    web.browser.open(f"http://{there}/")
    told = web.browser.evaluate("""async ([url, path]) => {
        const tried = async (path, how) => (await fetch(url + path, how).catch(() => null));
        const headers = { Authorization: "Bearer secret" };
        return [
            await tried(path, { method: "PATCH", headers, body: '{"drain": true}' }),
            await tried("v1/status", { headers }),
            (await tried("v1/stop", { method: "POST", mode: "no-cors" }))?.type,
        ];
    }""", [web.url, path])
    assert told == [None, None, "opaque"]
    fields = {"Authorization": "Bearer secret", "Origin": f"http://{there}"}
    assert web.asks_raw("PATCH", path, {"drain": True}, **fields)[0] == 403
    assert web.control.servers()[web.servers[0]]["drain"] is False
    fields["Origin"] = f"http://127.0.0.1:{web.port}"
    assert web.asks_raw("PATCH", path, {"drain": True}, **fields)[0] == 200


# What happens


def test_events_come_as_they_happen(web):
    web.open()
    web.browser.until_says("#events", "started")
    web.control.set(web.servers[1], weight=5)
    web.browser.until_says("#events li", "server set")
    first = web.browser.text("#events li")
    assert web.servers[1] in first and "weight=5" in first
    web.is_calm()


def test_it_says_that_the_balancer_is_gone_and_comes_back_with_it(web):
    web.open()
    before = web.balancer
    assert before.terminate() == 0
    web.browser.until_says("#lost", "does not answer")
    web.browser.screenshot("lost", whole=False)
    assert web.rows("servers")
    web.change(web.servers[0], "Drain")
    web.browser.click("button", "Drain")
    web.browser.until_says("dialog [role=alert]", "does not answer")
    web.browser.press("Escape")
    web.balancer = web.stage.start(before.again())
    web.until_live()
    assert web.browser.text("#lost") == ""
    web.browser.until("(pid) => document.querySelector('#facts').textContent.includes(pid)",
                      f"process {web.balancer.pid}")
    # What happened meanwhile is there, once, and nothing twice.
    web.browser.until_says("#events li", "started")
    kinds = web.browser.evaluate("() => [...document.querySelectorAll('#events .what')]"
                                 ".map((one) => one.textContent)")
    assert kinds.count("started") == 2, kinds
    assert all("ERR_" in text for text in web.browser.complaints)


# For everybody


@pytest.fixture
def many(stage, browser):
    """200 servers, some down, of which one answers."""
    good = stage.server()
    others = [f"127.0.{i // 100 + 1}.{i % 100 + 1}:9" for i in range(199)]
    page = Page(stage, browser, pool([good, *others[:150]], more="balance maglev") + "\n"
                + pool(others[150:], "api").replace("check off", "check tcp every 200ms fall 1"),
                ("http", "tcp"))
    page.good = str(good)
    return page


def test_two_hundred_servers_stay_in_place(many):
    many.open()
    browser = many.browser
    browser.until_says("#count", "200 servers")
    browser.until("() => document.querySelectorAll('#servers .state[data-state=down]')"
                  ".length === 49")
    browser.screenshot("many", whole=False)
    # Two refreshes, in which figures change and rows are neither made nor moved.
    browser.run("await page.getByRole('button', { name: arg }).focus()",
                f"Change {many.good} in web")
    browser.evaluate("""() => {
        window.moved = 0;
        new MutationObserver((all) => { moved += all.filter((one) =>
            one.target.localName === "tbody").length; })
            .observe(document.querySelector("#servers"), { childList: true, subtree: true });
    }""")
    client = many.stage.client(many.balancer)
    for _ in range(2):
        uptime = browser.text("#facts")
        client.get("/")
        browser.until("(was) => document.querySelector('#facts').textContent !== was", uptime)
    assert browser.evaluate("() => moved") == 0
    assert browser.focused() == f"Change {many.good} in web"
    many.is_calm()


def test_servers_are_found_and_sorted(many):
    many.open()
    browser = many.browser
    browser.until_says("#count", "200 servers")
    browser.fill("Find", "127.0.2. web")
    browser.until_says("#count", "50 of 200 servers")
    assert len(many.rows("servers")) == 50
    browser.fill("Find", "")
    browser.choose("#of-state", "!up")
    browser.until_says("#count", "49 of 200 servers")
    assert {row["State"] for row in many.rows("servers").values()} == {"down"}
    browser.choose("#of-state", "")
    browser.choose("#of-pool", "web")
    many.control.set(many.good, weight=9)
    browser.until("(good) => [...document.querySelectorAll('#servers tr')].some((row) =>"
                  " row.textContent.includes(good) && row.textContent.includes('9'))",
                  many.good)
    head = "th:has(button):nth-child(4)"
    browser.click("button", "Weight")
    browser.until("([head, good]) => document.querySelector(head).ariaSort === 'descending' &&"
                  " document.querySelector('#servers tbody th').textContent === good",
                  ["#servers " + head, many.good])
    browser.click("button", "Weight")
    browser.until("([head, good]) => document.querySelector(head).ariaSort === 'ascending' &&"
                  " document.querySelector('#servers tbody tr:last-child th').textContent"
                  " === good", ["#servers " + head, many.good])


def test_on_a_phone(web):
    web.open(width=360, height=740)
    browser = web.browser
    browser.until_says("#servers", web.servers[0])
    browser.screenshot("phone")
    wide = "() => document.documentElement.scrollWidth - innerWidth"
    assert browser.evaluate(wide) <= 0
    small = browser.evaluate("""() => [...document.querySelectorAll("button, select, input")]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24)
        .map((one) => one.outerHTML)""")
    assert small == []
    browser.click("button", f"Change {web.servers[0]} in web")
    browser.screenshot("phone-dialog", whole=False)
    assert browser.evaluate(wide) <= 0
    assert browser.violations() == []
    web.is_calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(stage, browser, scheme):
    servers = [*map(str, stage.origins(2)), f"127.0.0.1:{stage.port()}"]
    page = Page(stage, browser, pool(servers, more="balance ring").replace(
        "check off", "check tcp every 100ms fall 1"))
    page.control.set(servers[0], drain=True)
    page.open(scheme=scheme, motion=False)
    browser.until_says("#events", "server down")
    browser.until("() => document.querySelectorAll('#ring path').length > 0")
    browser.screenshot(scheme)
    assert browser.violations() == []
    assert browser.evaluate("() => getComputedStyle(document.querySelector('#ring path'))"
                            ".transitionDuration") == "0s"
    page.change(servers[0], "Enable")
    assert browser.violations() == []
    page.is_calm()


# Without it


def tool(directory, without_node=False, **variables):
    """tools/page in a tree of its own; returns what it says and the table it makes."""
    for name in ("tools/page", "web/package.json", "web/package-lock.json", "web/index.html"):
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, directory / name)
    path = os.environ["PATH"]
    if without_node:
        path = directory / "bin"
        path.mkdir()
        for name in ("sh", "dirname", "mkdir", "cat"):
            (path / name).symlink_to(shutil.which(name))
    done = subprocess.run([directory / "tools/page", "yes", directory / "out"], text=True,
                          capture_output=True, check=False,
                          env={**os.environ, "PATH": str(path), **variables})
    assert done.returncode == 0, done.stderr
    assert "page_file_count = 0;" in (directory / "out/files.c").read_text()
    line, = done.stderr.splitlines()
    return line


def test_without_node_it_is_left_out_in_one_line(tmp_path):
    assert "tools/install-deps page" in tool(tmp_path, without_node=True)


@pytest.mark.skipif(is_left_out(), reason=LEFT_OUT)
def test_without_a_network_it_is_left_out_in_one_line(stage, tmp_path):
    nobody = f"http://127.0.0.1:{stage.port()}/"
    line = tool(tmp_path, npm_config_registry=nobody, npm_config_fetch_retries="0",
                npm_config_cache=str(tmp_path / "cache"))
    assert "npm could not get" in line and "npm.log" in line
