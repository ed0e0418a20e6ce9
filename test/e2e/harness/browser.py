"""Chromium, without a window, by Playwright: browser.mjs speaks to it, and this to that."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from .patience import PATIENCE
from .program import OUT

MODULES = Path(__file__).resolve().parents[3] / "web/node_modules"
SCREENSHOTS = OUT / "screenshots"

LEFT_OUT = "the page is left out by choice: PAGE=no"


def is_left_out():
    return "BALANCERD_NO_PAGE" in os.environ


def why_not():
    """What is missing for tests in a browser, or None."""
    if not shutil.which("chromium") or not shutil.which("node"):
        return "there is no chromium or no node: tools/install-deps test"
    if not all((MODULES / name).exists() for name in ("playwright-core", "axe-core", "uplot")):
        return ("what the page is tested with is missing: tools/page test-yes out/page, "
                "or leave it out: make PAGE=no test")
    return None


class Browser:
    """One browser with one page at a time. Code is JavaScript, `page` Playwright's."""

    def __init__(self):
        script = Path(__file__).with_name("browser.mjs")
        self.process = subprocess.Popen(
            ["node", script, MODULES, shutil.which("chromium"), str(PATIENCE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def ask(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the browser has ended: {self.process.poll()}"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["value"]

    def open(self, url, width=1280, height=900, scheme="light", token=None, motion=True):
        how = {"url": url, "viewport": {"width": width, "height": height},
               "colorScheme": scheme, "token": token,
               "reducedMotion": "no-preference" if motion else "reduce"}
        self.ask(open={name: value for name, value in how.items() if value is not None})

    def run(self, code, arg=None):
        """What this code returns; `arg` is its argument."""
        return self.ask(code=code, arg=arg)

    def evaluate(self, code, arg=None):
        """What this function of one argument returns inside the page."""
        return self.run("return page.evaluate(arg)", f"({code})({json.dumps(arg)})")

    def until(self, code, arg=None):
        """Waits until this function returns what is true inside the page."""
        self.ask(until=f"({code})({json.dumps(arg)})")

    def until_says(self, selector, text):
        """Waits until the first that fits has this text in it."""
        self.until("([selector, text]) =>"
                   " document.querySelector(selector)?.textContent.includes(text)",
                   [selector, text])

    def click(self, role, name):
        self.run("await page.getByRole(arg[0], { name: arg[1], exact: true }).click()",
                 [role, name])

    def fill(self, label, text):
        self.run("await page.locator('input').and(page.getByLabel(arg[0], { exact: true }))"
                 ".fill(arg[1])", [label, str(text)])

    def choose(self, selector, value):
        self.run("await page.locator(arg[0]).selectOption(arg[1])", [selector, value])

    def press(self, *keys):
        for key in keys:
            self.run("await page.keyboard.press(arg)", key)

    def focused(self):
        """The name of what has the focus, as it is read out."""
        return self.evaluate("() => { const one = document.activeElement;"
                             " return one.getAttribute('aria-label') ?? one.textContent; }")

    def text(self, selector):
        return self.run("return page.locator(arg).first().textContent()", selector)

    def screenshot(self, name, whole=True):
        self.run("await page.screenshot({ path: arg[0], fullPage: arg[1] })",
                 [str((SCREENSHOTS / f"{name}.png").absolute()), whole])

    @property
    def complaints(self):
        """What the page has written to the console, errors and warnings."""
        return self.run("return seen.complaints")

    @property
    def requests(self):
        """The addresses of all that it has asked for."""
        return self.run("return seen.requests")

    def violations(self):
        """What axe finds wrong that is serious or critical, after it has looked at
        contrasts in truth."""
        self.run("await page.evaluate(await (await import('node:fs/promises'))"
                 ".readFile(arg, 'utf8'))", str(MODULES / "axe-core/axe.min.js"))
        found = self.evaluate(
            "() => axe.run(document, { resultTypes: ['violations'] }).then((all) => ({"
            " looked: all.passes.some((rule) => rule.id === 'color-contrast'),"
            " wrong: all.violations.filter((one) => ['serious', 'critical']"
            ".includes(one.impact)).map((one) => `${one.id}: ${one.help}: `"
            " + one.nodes.map((node) => node.html + node.failureSummary)) }))")
        assert found["looked"], "axe saw no text"
        return found["wrong"]

    def close(self):
        self.process.stdin.close()
        kill = threading.Timer(PATIENCE, self.process.kill)
        kill.start()
        self.process.wait()
        kill.cancel()
        self.process.stdout.close()
