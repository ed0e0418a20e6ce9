"""Chromium, without a window, by Playwright: browser.mjs speaks to it, and this to that."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

from .patience import PATIENCE
from .program import OUT

MODULES = Path(__file__).resolve().parents[3] / "web/node_modules"
SCREENSHOTS = OUT / "screenshots"


def why_not():
    """What is missing for tests in a browser, or None."""
    if not shutil.which("chromium") or not shutil.which("node"):
        return "no chromium or no node: tools/install-deps test"
    if not (MODULES / "playwright-core").exists():
        return "web/node_modules has no playwright-core: make page"
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
        return self.run("return page.evaluate(`(${arg[0]})(${JSON.stringify(arg[1])})`)",
                        [code, arg])

    def until(self, code, arg=None):
        """Waits until this function returns what is true inside the page."""
        self.run("await page.waitForFunction(`(${arg[0]})(${JSON.stringify(arg[1])})`)",
                 [code, arg])

    def click(self, role, name):
        self.run("await page.getByRole(arg[0], { name: arg[1], exact: true }).click()",
                 [role, name])

    def fill(self, label, text):
        self.run("await page.getByLabel(arg[0], { exact: true }).fill(arg[1])",
                 [label, str(text)])

    def press(self, key):
        self.run("await page.keyboard.press(arg)", key)

    def text(self, selector):
        return self.run("return page.locator(arg).first().innerText()", selector)

    def screenshot(self, name, whole=True):
        self.run("await page.screenshot({ path: arg[0], fullPage: arg[1] })",
                 [str((SCREENSHOTS / f"{name}.png").absolute()), whole])

    @property
    def complaints(self):
        """What the page has written to the console, errors and warnings."""
        return self.run("return complaints")

    def close(self):
        self.process.stdin.close()
        kill = threading.Timer(PATIENCE, self.process.kill)
        kill.start()
        self.process.wait()
        kill.cancel()
        self.process.stdout.close()
