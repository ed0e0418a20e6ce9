"""Fixtures of the end-to-end tests: one stage per test."""

import pytest

from harness.balancer import BALANCERD
from harness.stage import Stage


def pytest_configure(config):
    if not BALANCERD.exists():
        raise pytest.UsageError(f"{BALANCERD} is missing: run make first")


@pytest.fixture
def stage(tmp_path, request):
    stage = Stage(tmp_path)
    request.node.stage = stage
    yield stage
    stage.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed and hasattr(item, "stage"):
        report.sections.extend(item.stage.logs())
