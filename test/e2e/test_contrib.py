"""What is in contrib/ fits the figures that balancerd gives."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.control import UnixConnection

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
RULES = CONTRIB / "prometheus" / "alerts.yaml"
DASHBOARD = CONTRIB / "grafana" / "balancerd.json"

# Two pools, one of which loses its servers after five minutes.
STORY = """
rule_files: [alerts.yaml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: 'balancerd_pool_servers{instance="a",pool="web",state="up"}'
        values: "2x20 0x20"
      - series: 'balancerd_pool_servers{instance="a",pool="web",state="down"}'
        values: "0x20 2x20"
      - series: 'balancerd_pool_servers{instance="a",pool="empty",state="up"}'
        values: "0x40"
      - series: 'balancerd_listener_responses_total{instance="a",listener=":80",class="2xx"}'
        values: "0+90x40"
      - series: 'balancerd_listener_responses_total{instance="a",listener=":80",class="5xx"}'
        values: "0+10x40"
    alert_rule_test:
      - eval_time: 4m
        alertname: BalancerdPoolWithoutServers
        exp_alerts: []
      - eval_time: 8m
        alertname: BalancerdPoolWithoutServers
        exp_alerts:
          - exp_labels: {severity: page, instance: a, pool: web, state: up}
            exp_annotations:
              summary: "no server of pool web is up"
              remedy: "balancerctl list --pool web says why each is down."
      - eval_time: 10m
        alertname: BalancerdErrorsToClients
        exp_alerts:
          - exp_labels: {severity: page, instance: a, listener: ":80"}
            exp_annotations:
              summary: "10% of the answers of :80 are 5xx"
              remedy: "balancerd_server_responses_total by server shows whose they are."
"""


@pytest.fixture
def promtool():
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    return found


def test_the_rules_are_rules(promtool):
    done = subprocess.run([promtool, "check", "rules", RULES], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_come_when_they_should(promtool, tmp_path):
    shutil.copy(RULES, tmp_path)
    (tmp_path / "story.yaml").write_text(STORY)
    done = subprocess.run([promtool, "test", "rules", "story.yaml"], cwd=tmp_path, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_figure_that_is_named_is_given(stage):
    balancer = stage.balancer(stage.origins(1))
    connection = UnixConnection(balancer.socket_path)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    families = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    named = set()
    for path in (RULES, DASHBOARD):
        named |= set(re.findall(r"\b(?:balancerd|process)_\w+", path.read_text()))
    parts = re.compile("_(bucket|sum|count)$")
    assert len(named) > 10
    assert {parts.sub("", name) for name in named} - families == set()


def test_the_dashboard_is_json_with_panels_side_by_side():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 5
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
