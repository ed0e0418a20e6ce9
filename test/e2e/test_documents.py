"""Configurations that the documents show are good ones, and their links lead somewhere."""

import pathlib
import re
import subprocess
import xml.etree.ElementTree as xml

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


def test_the_index_leads_to_every_page():
    """In one step, or by way of a page that it leads to."""
    folder, found = ROOT / "doc", {ROOT / "doc/README.md"}
    todo = list(found)
    while todo:
        page = todo.pop()
        if page.suffix == ".md":
            new = {(page.parent / link).resolve() for link in LINK.findall(page.read_text())}
            todo += new - found
            found |= new
    there = [path for path in folder.rglob("*") if path.is_file()]
    lost = [path for path in there if path not in found and path.suffix != ".conf"]
    assert lost == [], "nobody finds these"
    direct = {(folder / link).resolve() for link in LINK.findall(
        (folder / "README.md").read_text())}
    pages = {path for path in there if re.fullmatch(r"\.(md|\d)", path.suffix)}
    assert pages - direct - {folder / "README.md"} == set(), "not in the index itself"


def test_pictures_can_be_read_aloud_and_in_the_dark():
    for picture in (ROOT / "doc/pictures").glob("*.svg"):
        text = picture.read_text()
        xml.fromstring(text)
        assert "<title" in text and "<desc" in text, picture.name
        assert "prefers-color-scheme: dark" in text, picture.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    lost = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert lost == []
