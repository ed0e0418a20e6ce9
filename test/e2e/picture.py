#!/usr/bin/python3
"""picture - shows the page what it is made for, and takes a picture of it.

    make picture [PICTURE_SECONDS=300]

Four servers of a shop, two of them with a fault, and three that keep sessions, under a
load that goes up and down.
"""

import argparse
import http.client
import math
import pathlib
import tempfile
import threading
import time

from harness.browser import Browser, why_not
from harness.png import smaller
from harness.stage import Stage

CLIENTS = {"shop.example.com": 4, "api.example.com": 3}
WAVE_S = 90
PAUSE_S = 0.03

CONFIGURATION = """\
threads 1
control 127.0.0.1:{control} token {token}
listen http 127.0.0.1:{port} {{ route host api.example.com to api; to shop }}
pool shop {{
    balance least-load
    check http /healthcheck every 1s
{shop}
}}
pool api {{
    balance ring
    key header X-User
    check http /healthcheck every 1s
{api}
}}
"""


def ask(port, host, began, ended):
    """One client after the other on one connection, more often in some minutes."""
    number = 0
    while not ended.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(500):
            number += 1
            connection.request("GET", "/bytes/200", headers={
                "Host": host, "X-User": str(number)})
            connection.getresponse().read()
            wave = math.sin(2 * math.pi * (time.monotonic() - began) / WAVE_S)
            if ended.wait(PAUSE_S * (1.4 - wave)):
                break
        connection.close()


def servers(stage):
    """The lines of both pools."""
    shop = [stage.program("--delay", 4), stage.program("--delay", 5),
            stage.program("--delay", 6, "--error-rate", 2)]
    api = [stage.program("--delay", delay) for delay in (8, 9, 12)]
    lines = [f"    server {server}" for server in shop]
    lines.insert(2, f"    server 127.0.0.1:{stage.port()}")
    return ("\n".join(lines), "\n".join(f"    server {server} weight {i % 2 + 1}"
                                        for i, server in enumerate(api)), str(api[2]))


def take(stage, seconds, path):
    token = stage.directory / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    port, control = stage.port(), stage.port()
    shop, api, drained = servers(stage)
    balancer = stage.run(CONFIGURATION.format(port=port, control=control, token=token,
                                              shop=shop, api=api), port)
    began, ended = time.monotonic(), threading.Event()
    clients = [threading.Thread(target=ask, args=(port, host, began, ended))
               for host, count in CLIENTS.items() for _ in range(count)]
    for client in clients:
        client.start()
    browser = Browser()
    try:
        browser.open(f"http://127.0.0.1:{control}/", token="secret")
        time.sleep(seconds * 0.8)
        balancer.control.set(drained, "api", drain=True)
        time.sleep(seconds * 0.2)
        browser.run("await page.screenshot({ path: arg, fullPage: true })", str(path))
    finally:
        ended.set()
        browser.close()
        for client in clients:
            client.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("path", type=pathlib.Path)
    given = parser.parse_args()
    if why_not():
        raise SystemExit(f"picture: {why_not()}")
    given.path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(pathlib.Path(folder))
        try:
            take(stage, given.seconds, given.path.absolute())
            given.path.write_bytes(smaller(given.path.read_bytes()))
        finally:
            stage.close()


if __name__ == "__main__":
    main()
