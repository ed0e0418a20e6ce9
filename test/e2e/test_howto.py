"""The how-to pages: what they show runs, serves, and does what is said of it."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.balancerctl import FOREIGN
from harness.client import RawClient
from harness.program import OUT
from harness.server import response

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("doc/howto/*.md"), *ROOT.glob("doc/explain/*.md")])
SERVER = re.compile(r"((?:^|[{;])\s*server )(\S+)", re.M)
LISTEN = re.compile(r"^(\s*listen (?:http|tcp) )(\S+)", re.M)


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.M | re.S)


def shown():
    for page in PAGES:
        for i, text in enumerate(blocks(page, "balancerd")):
            if "server srv" in text:        # wants a name server: test_srv.py
                continue
            yield pytest.param(text, id=f"{page.stem}-{i}")


class Shown:
    """A configuration of a page, with ports and servers of our own."""

    def __init__(self, stage, text):
        self.stage = stage
        self.servers = {theirs: stage.server(response(theirs.encode()))
                        for _, theirs in SERVER.findall(text)}
        self.ports = [stage.port() for _ in LISTEN.findall(text)]
        text = SERVER.sub(lambda m: m[1] + str(self.servers[m[2]]), text)
        ports = iter(self.ports)
        text = LISTEN.sub(lambda m: f"{m[1]}127.0.0.1:{next(ports)}", text)
        text = text.replace("/var/log/balancerd", str(stage.directory))
        self.greets = "proxy-protocol from" in text
        self.balancer = stage.run("threads 1\n" + text, self.ports[0])

    def get(self, target="/", *fields, port=0, host="app.example.com"):
        client = RawClient(self.ports[port])
        self.stage.clients.append(client)
        if self.greets:
            client.send(b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n")
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]
        return client.ask("\r\n".join(lines).encode())

    def address(self, theirs):
        return str(self.servers[theirs]).rsplit(":", 1)

    def sh(self, page):
        """Types what balancerctl is told there, one after the other."""
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        environment |= {"PATH": f"{OUT}:{environment['PATH']}",
                        "BALANCERD_SOCKET": str(self.balancer.socket_path)}
        for line in "".join(blocks(page, "sh")).splitlines():
            for theirs in self.servers:
                line = line.replace(theirs.replace(":", " "), " ".join(self.address(theirs)))
            if "jq" in line and shutil.which("jq") is None:
                continue
            done = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=environment,
                                  capture_output=True, text=True)
            assert done.returncode == 0 and done.stderr == "", (line, done)
            yield line, done.stdout


@pytest.mark.parametrize("text", shown())
def test_what_is_shown_serves(stage, text):
    page = Shown(stage, text)
    for port in range(len(page.ports)):
        answer = page.get("/api/x", port=port)
        assert answer.status == 200 and answer.body.decode() in page.servers


def test_routes_are_those_of_the_other_file(stage):
    page = Shown(stage, blocks(ROOT / "doc/howto/from-haproxy.md", "balancerd")[0])
    api = {"10.0.0.21:9000", "10.0.0.22:9000"}
    assert {page.get("/api/x", f"X-User: {i}").body.decode() for i in range(20)} == api
    same = {page.get("/api/x", "X-User: 7").body for _ in range(5)}
    assert len(same) == 1
    web = page.get("/")
    assert web.body.decode() not in api and b"SRV=" in web.head
    page = Shown(stage, blocks(ROOT / "doc/howto/from-nginx.md", "balancerd")[0])
    assert page.get("/api/x").status == 200
    assert page.get("/other").status == 404
    assert page.get("/api/x", host="other.example.com").status == 404


@pytest.mark.parametrize("name", ["from-nginx", "from-haproxy"])
def test_who_stands_in_front_may_say_that_it_was_https(stage, name):
    page = Shown(stage, blocks(ROOT / f"doc/howto/{name}.md", "balancerd")[1])
    said = ("X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1")
    server = page.servers[page.get("/seen", *said).body.decode()]
    heard = server.received.split(b"GET /seen")[1].split(b"\r\n\r\n")[0]
    for field in said:
        assert heard.lower().count(field.lower().encode()) == 1
    assert heard.lower().count(b"x-forwarded-") == 2


def test_a_canary_gets_what_it_is_said_to_get(stage):
    where = ROOT / "doc/howto/canary.md"
    page = Shown(stage, blocks(where, "balancerd")[0])
    new = "10.0.0.21:8080"
    for line, said in page.sh(where):
        asked = [page.get().body.decode() for _ in range(200)]
        if " weight " in line:
            assert asked.count(new) == 2, "one in a hundred"
        elif "jq" in line:
            seen = json.loads(re.search(r"\{[^}]*" + page.address(new)[1] + r".*?\n\}", said,
                                        re.S)[0])
            assert seen["requests"] > 0 and seen["p99"] > 0
        else:
            assert "drain" in line and asked.count(new) == 0


def test_blue_and_green_change_places(stage):
    where = ROOT / "doc/howto/blue-green.md"
    page = Shown(stage, blocks(where, "balancerd")[0])
    shares = []
    for line, _ in page.sh(where):
        if " list" not in line:
            shares.append([page.get().body for _ in range(20)].count(b"10.0.0.21:8080"))
    assert shares == [0, 1, 10, 20]


def ours(text, stage):
    """Ports, addresses and certificates that there are here."""
    text = re.sub(r"(listen |bind :)\d+", lambda m: f"{m[1]}{stage.port()}", text)
    pem = stage.directory / "site.pem"
    if not pem.exists():
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
             "-keyout", "-", "-out", "-"], capture_output=True, check=True)
        pem.write_bytes(made.stdout)
    return re.sub(r"/etc/(ssl|haproxy)/\w+\.(pem|key)", str(pem), text)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.parametrize("i", range(2))
def test_what_is_said_to_be_nginx_s_is(stage, i):
    text = ours(blocks(ROOT / "doc/howto/from-nginx.md", "nginx")[i], stage)
    path = stage.directory / "nginx.conf"
    path.write_text(f"pid {stage.directory}/pid;\nevents {{}}\nhttp {{\n{text}}}\n")
    done = subprocess.run(["nginx", "-t", "-e", "stderr", "-c", path], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
@pytest.mark.parametrize("i", range(2))
def test_what_is_said_to_be_haproxy_s_is(stage, i):
    text = ours(blocks(ROOT / "doc/howto/from-haproxy.md", "haproxy")[i], stage)
    path = stage.directory / "haproxy.cfg"
    path.write_text("defaults\n    mode http\n    timeout connect 1s\n    timeout client 9s\n"
                    f"    timeout server 9s\n{text}")
    done = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
