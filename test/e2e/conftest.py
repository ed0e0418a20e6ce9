"""Fixtures of the end-to-end tests: one stage per test."""

from types import SimpleNamespace

import pytest

from harness import engine as engines
from harness.balancer import BALANCERD
from harness.owned_pool import OwnedPool
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


@pytest.fixture
def one(stage):
    """A server, balancerd in front of it, a client of that."""
    server = stage.server()
    balancer = stage.balancer([server], threads=1)
    return SimpleNamespace(server=server, balancer=balancer,
                           client=stage.client(balancer))


@pytest.fixture(scope="session")
def engine():
    """A Docker Engine; where none can run, its tests are skipped with the reason."""
    engine = engines.find()
    yield engine
    engine.close()


@pytest.fixture(params=["process", "docker"])
def owned(request, stage):
    """Makes pools that own their servers: each test once for each driver."""
    engine = request.getfixturevalue("engine") if request.param == "docker" else None
    return lambda **settings: OwnedPool(stage, request.param, engine, **settings)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed and hasattr(item, "stage"):
        report.sections.extend(item.stage.logs())
