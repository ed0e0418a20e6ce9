"""W3C Trace Context: passed on as it is, or with a step of our own."""

import json
import re

import pytest

from harness.requests import get

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"traceparent: 00-{TRACE}-{PARENT}-01"
OURS = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])")


def asked(stage, listen, *fields, top=""):
    """What the server got of such a request."""
    server = stage.server()
    balancer = stage.balancer([server], listen=listen, top=top)
    assert stage.get(balancer, "/", *fields).status == 200
    return server.requests[0].fields


def parts_of(fields):
    match = OURS.fullmatch(fields.get("traceparent"))
    assert match, fields
    return match.groups()


@pytest.mark.parametrize("value", [f"00-{TRACE}-{PARENT}-01", "nonsense"])
def test_off_both_pass_as_they_are(stage, value):
    fields = asked(stage, "", f"traceparent: {value}", "tracestate: a=1")
    assert (fields.get("traceparent"), fields.get("tracestate")) == (value, "a=1")


def test_off_none_is_begun(stage):
    assert asked(stage, "").get("traceparent") is None


def test_on_a_trace_goes_on_with_our_parent_id(stage):
    fields = asked(stage, "trace on", VALID, "tracestate: a=1")
    trace, parent, flags = parts_of(fields)
    assert (trace, flags, fields.get("tracestate")) == (TRACE, "01", "a=1")
    assert parent not in (PARENT, "0" * 16)


@pytest.mark.parametrize("given", [
    [], ["traceparent: nonsense"], [f"traceparent: 00-{'0' * 32}-{PARENT}-01"],
    [f"traceparent: ff-{TRACE}-{PARENT}-01"], [f"traceparent: 00-{TRACE.upper()}-{PARENT}-01"],
    [VALID, VALID],
])
def test_on_what_is_not_valid_is_replaced(stage, given):
    fields = asked(stage, "trace on", *given, "tracestate: a=1")
    assert parts_of(fields)[0] not in (TRACE, "0" * 32)
    assert fields.get("tracestate") is None


@pytest.mark.parametrize("sample, flags", [("1/1", {"01"}), ("none", {"00"}),
                                           ("1/2", {"00", "01"})])
def test_what_begins_here_is_sampled_by_choice(stage, sample, flags):
    server = stage.server()
    balancer = stage.balancer([server], listen=f"trace on sample {sample}", threads=2)
    client = stage.client(balancer)
    for _ in range(64):
        assert client.get("/").status == 200
    parts = [parts_of(request.fields) for request in server.requests]
    assert {part[2] for part in parts} == flags
    assert len({part[0] for part in parts}) == len({part[1] for part in parts}) == 64


def test_the_flag_of_others_stays(stage):
    fields = asked(stage, "trace on sample 1/1", VALID[:-2] + "00")
    assert parts_of(fields)[2] == "00"


def test_each_try_of_a_request_is_of_the_same_trace(stage):
    def refuses(request, peer):
        peer.close()
    servers = [stage.server(refuses), stage.server()]
    balancer = stage.balancer(servers, listen="trace on", pool="passive off; balance round-robin")
    for _ in range(4):
        assert stage.get(balancer).status == 200
    seen = [request.fields.get("traceparent") for server in servers for request in server.requests]
    assert len(servers[0].requests) > 0
    assert len(set(seen)) == 4


@pytest.mark.parametrize("listen", ["", "trace on"])
def test_the_access_log_has_the_trace(stage, tmp_path, listen):
    path = tmp_path / "access"
    asked(stage, listen, VALID, top=f"access-log json to {path}")
    stage.until(lambda: path.exists() and path.read_text().endswith("\n"), "it is written")
    assert json.loads(path.read_text())["trace_id"] == TRACE


def test_a_request_that_no_server_saw_has_its_trace_too(stage, tmp_path):
    path = tmp_path / "access"
    balancer = stage.balancer([stage.server()], listen="body-size 1",
                              top=f'access-log format "{{status}} {{trace_id}}" to {path}')
    client = stage.client(balancer)
    client.send(get("/", VALID, "Content-Length: 5"))
    assert client.response().status == 413
    stage.until(lambda: path.exists() and path.read_text().endswith("\n"), "it is written")
    assert path.read_text() == f"413 {TRACE}\n"
