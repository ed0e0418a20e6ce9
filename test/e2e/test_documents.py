"""Configurations that the documents show are good ones, and their links lead somewhere."""

import pathlib
import re
import subprocess

import pytest

from harness.program import OUT

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("doc/**/*.md"), *ROOT.glob("contrib/*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def configurations():
    for page in PAGES:
        text = page.read_text()
        for i, block in enumerate(re.findall(r"^```balancerd\n(.*?)^```", text, re.M | re.S)):
            yield pytest.param(block, id=f"{page.stem}-{i}")


@pytest.mark.parametrize("text", configurations())
def test_a_configuration_that_is_shown_is_good_and_in_the_usual_form(text, tmp_path):
    path = tmp_path / "shown.conf"
    path.write_text(text)
    done = subprocess.run([OUT / "balancerd", "check", path], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    lost = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert lost == []
