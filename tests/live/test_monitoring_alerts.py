# SPDX-License-Identifier: BSD-2-Clause
"""The example's alerts and dashboard, by the real promtool."""

import json
import pathlib
import re

import pytest

from monitoring import ALERTS, DASHBOARD, PROGRAM, mtail, promtool

SOURCES = pathlib.Path(__file__).resolve().parents[2]

# Minutes from one sample to the next; promtool takes long for a week of minutes.
STEPS = {"AppPasswordNoLogins": 10, "AppPasswordRemindersNotSent": 60}
WEEK = 7 * 24 * 6  # steps of 10 minutes

ALERT_TEXT = ALERTS.read_text()
NAMES = re.findall(r"- alert: (\w+)", ALERT_TEXT)


def logins(verdict, reason, values, service="smtp", instance="mail"):
    return (f'app_password_logins_total{{instance="{instance}", verdict="{verdict}", reason="{reason}", '
            f'service="{service}"}}', values)


def accepted(values, **labels):
    return logins("accepted", "app-password", values, **labels)


def mails(kind, result, values):
    return f'app_password_mails_total{{instance="mail", kind="{kind}", result="{result}"}}', values


LAST_RUN = 'app_password_remind_last_run_timestamp_seconds{instance="mail"}'
PAGE = 'node_systemd_unit_state{instance="mail", name="app-password-portal.service", state="active"}'
QUIET = "0x300"
STEADY = "0+10x300"  # ten a minute

# Alert: a name, the series with a sample a minute (see STEPS), the sample to look at, and whether the
# alert fires then, it alone. "_" is no sample.
CASES = {
    "AppPasswordDirectoryUnavailable": [
        ("a tenth of the logins", [accepted("0+9x30"), logins("unavailable", "directory-unavailable", "0+1x30")], 20, True),
        ("all logins", [logins("unavailable", "directory-unavailable", "0+3x30")], 20, True),
        ("one host of two", [accepted(STEADY, instance="other"), accepted("0+9x30"),
                             logins("unavailable", "directory-unavailable", "0+9x30")], 20, True),
        ("a restart of the directory", [accepted("0+9x30"), logins("unavailable", "directory-unavailable", "0x10 3x30")], 20, False),
        ("other reasons", [accepted("0+9x30"), logins("refused", "unknown-user", "0+5x30")], 20, False),
    ],
    "AppPasswordTooManyLogins": [
        ("a tenth of the logins", [accepted("0+9x30"), logins("unavailable", "waited-too-long", "0+1x30")], 20, True),
        ("a short storm", [accepted("0+9x30"), logins("unavailable", "waited-too-long", "0x10 3x30")], 20, False),
        ("few of many", [accepted("0+90x30"), logins("unavailable", "waited-too-long", "0+1x30")], 20, False),
    ],
    "AppPasswordBrokenConfiguration": [
        ("the first line of its kind", [accepted(STEADY), logins("unavailable", "configuration", "_x20 1x60")], 25, True),
        ("one more", [accepted(STEADY), logins("unavailable", "internal-error", "4x20 5x60")], 25, True),
        ("long ago", [accepted(STEADY), logins("unavailable", "configuration", "4x60")], 50, False),
    ],
    "AppPasswordMfaUnreadable": [
        ("the first line of its kind", [accepted(STEADY), logins("unavailable", "mfa-unreadable", "_x20 1x60")], 25, True),
        ("long ago", [accepted(STEADY), logins("unavailable", "mfa-unreadable", "7x60")], 50, False),
    ],
    "AppPasswordClockWrong": [
        ("the first line of its kind", [accepted(STEADY), logins("unavailable", "clock", "_x20 1x60")], 25, True),
        ("long ago", [accepted(STEADY), logins("unavailable", "clock", "7x60")], 50, False),
    ],
    "AppPasswordEntryBroken": [
        ("a damaged value", [accepted(STEADY), logins("refused", "unusable-value", "_x100 1x60")], 130, True),
        ("a second entry", [accepted(STEADY), logins("unavailable", "ambiguous-user", "1x100 2x60")], 130, True),
        ("long ago", [accepted(STEADY), logins("refused", "unusable-value", "7x200")], 150, False),
    ],
    "AppPasswordGuessing": [
        ("a list of users", [accepted("0+10x60"), logins("refused", "unknown-user", "0+30x60")], 40, True),
        ("of several reasons", [accepted("0+10x60"), logins("refused", "unknown-user", "0+9x60"),
                                logins("refused", "wrong-account-password", "0+9x60", service="imap")], 40, True),
        ("and nobody else signs in", [logins("refused", "wrong-account-password", "0+30x60")], 40, True),
        ("a large site", [accepted("0+100x60"), logins("refused", "unknown-user", "0+30x60")], 40, False),
        ("a small site", [accepted("0+1x60"), logins("refused", "unknown-user", "0+2x60")], 40, False),
        ("five minutes", [accepted("0+10x60"), logins("refused", "unknown-user", "0x20 0+30x5 150x60")], 40, False),
    ],
    "AppPasswordOldPasswords": [
        ("half of the logins", [accepted("0+5x300"), logins("refused", "account-password-with-mfa", "0+5x300")], 200, True),
        ("a few phones", [accepted("0+9x300"), logins("refused", "account-password-with-mfa", "0+1x300")], 200, False),
        ("half an hour", [accepted("0+5x300"), logins("refused", "expired", "0x60 0+5x30 150x300")], 150, False),
    ],
    "AppPasswordNoLogins": [
        ("no more since last week", [accepted(f"0+100x{WEEK} {100 * WEEK}x20")], WEEK + 6, True),
        ("mtail is gone", [accepted(f"0+100x{WEEK} _x20")], WEEK + 6, True),
        ("as quiet as last week", [accepted(f"7x{WEEK + 20}")], WEEK + 6, False),
        ("as usual", [accepted(f"0+100x{WEEK + 20}")], WEEK + 6, False),
        ("a new site", [accepted("7x20")], 10, False),
    ],
    "AppPasswordLogFailing": [
        ("a line", [('app_password_log_failures_total{instance="mail"}', "0x20 1x60")], 25, True),
        ("long ago", [('app_password_log_failures_total{instance="mail"}', "0x20 1x60")], 50, False),
    ],
    "AppPasswordMailsFailing": [
        ("the first one", [mails("page", "done", QUIET), mails("page", "failed", "_x90 1x60")], 100, True),
        ("one more", [mails("expiring", "failed", "3x90 4x60")], 100, True),
        ("mails are sent", [mails("expiring", "failed", "3x300"), mails("expiring", "done", STEADY)], 200, False),
    ],
    "AppPasswordRemindersNotSent": [
        ("three days ago", [(LAST_RUN, "60x100")], 72, True),
        ("three days ago, and mtail was restarted", [(LAST_RUN, "60x40 0x60")], 72, True),
        ("yesterday", [(LAST_RUN, f"60x47 {48 * 3600}x60")], 72, False),
        ("not in use", [(LAST_RUN, "0x100")], 72, False),
    ],
    "AppPasswordPageDown": [
        ("stopped", [(PAGE, "1x20 0x60")], 30, True),
        ("restarted", [(PAGE, "1x20 0x2 1x60")], 30, False),
        ("another service", [(PAGE.replace("app-password-portal", "nginx"), "0x60")], 30, False),
    ],
    "AppPasswordWatchStopped": [
        ("its time stays", [('app_password_watch_time{instance="mail"}', "60+60x20 1260x60"),
                            ('app_password_watch_interval{instance="mail"}', "5x100")], 40, True),
        ("it works", [('app_password_watch_time{instance="mail"}', "0+60x100"),
                      ('app_password_watch_interval{instance="mail"}', "5x100")], 40, False),
    ],
    "AppPasswordWatchWaits": [
        ("users wait", [('app_password_watch_waiting{instance="mail"}', "0x20 60x60")], 40, True),
        ("for a moment", [('app_password_watch_waiting{instance="mail"}', "0x20 60x2 0x60")], 40, False),
    ],
}


def check_rules(folder, rules):
    """Let promtool read them."""
    file = folder / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "a test", "rules": rules}]}))
    return promtool("check", "rules", file)


def test_promtool_accepts_the_alerts():
    assert f"SUCCESS: {len(NAMES)} rules found" in promtool("check", "rules", ALERTS)


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_fires_and_does_not(tmp_path, name):
    cases = CASES[name]
    assert {fires for *_, fires in cases} == {True, False}
    step = STEPS.get(name, 1)
    tests = [{
        "name": title, "interval": f"{step}m",
        "input_series": [{"series": series, "values": values} for series, values in all_series],
        "promql_expr_test": [{
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{number * step}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] if fires else []}],
    } for title, all_series, number, fires in cases]
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": f"{step}m", "tests": tests}))
    assert "SUCCESS" in promtool("test", "rules", file)


def test_an_alert_says_where_and_how_much(tmp_path):
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in
                         CASES["AppPasswordDirectoryUnavailable"][0][1]],
        "alert_rule_test": [{
            "eval_time": "20m", "alertname": "AppPasswordDirectoryUnavailable",
            "exp_alerts": [{"exp_labels": {"severity": "critical", "instance": "mail"}, "exp_annotations": {
                "summary": "mail: 10% of all logins fail because the directory does not answer",
                "description": "Users are asked to try later. error= in the log names the server; "
                               "app-password doctor tests each of them.",
                "manual": "app-password.conf(5), THE LOG LINE: directory-unavailable"}}]}]}]}))
    assert "SUCCESS" in promtool("test", "rules", file)


def test_each_alert_has_a_severity_and_says_what_to_read():
    for text in ALERT_TEXT.split("- alert: ")[1:]:
        for part in "labels: {severity: (critical|warning)}", 'summary: ".+"', 'description: ".+"', 'manual: ".+"':
            assert re.search(part, text), (part, text)


# ---- names ----

# What no line of ours makes: node_exporter's own, and the heartbeat's, which test_monitoring.py tests.
FROM_NODE_EXPORTER = {"node_systemd_unit_state", *(f"app_password_watch_{key}" for key in (
    "time", "interval", "users", "waiting"))}


def exported(folder):
    """The names of all metrics, from lines of each kind."""
    login = 'verdict=accepted reason=account-password user="a" service=smtp client=- id=-'
    lines = [login, f"{login} would-refuse=account-password-with-mfa", f"{login} action=create",
             f"{login} action=mail", login.replace("verdict=accepted", "action=kick"),
             'action=create actor="a" user="b" id=- result=done',
             'action=remind actor="remind" user=- id=- result=done sent=1 failed=0 held=0 without-address=0 revoked=0']
    file = folder / "lines"
    file.write_text("".join(f"app-password: {line}\n" for line in lines))
    declared = re.findall(r"^(?:counter|gauge) (\w+)", PROGRAM.read_text(), re.MULTILINE)
    found = {key[0] for key in mtail(file)}
    assert found == {name.removeprefix("app_password_").removesuffix("_total") for name in declared}
    return set(declared) | FROM_NODE_EXPORTER


def named(text):
    return set(re.findall(r"\b(?:app_password|node)_\w+", text))


def test_alerts_and_dashboard_name_only_metrics_that_exist(tmp_path):
    known = exported(tmp_path)
    assert named(ALERT_TEXT) <= known
    assert named(DASHBOARD.read_text()) <= known
    assert known - named(DASHBOARD.read_text()) <= FROM_NODE_EXPORTER  # it shows all of ours


def test_alerts_name_only_reasons_that_exist():
    source = (SOURCES / "lib" / "reason.c").read_text()
    reasons = set(re.findall(r'\[APW_REASON_\w+\] = "([^"]+)"', source))
    for text in re.findall(r'reason=~?"([^"]+)"', ALERT_TEXT):
        assert set(text.split("|")) <= reasons, text


# ---- the dashboard ----

def test_promtool_accepts_each_expression_of_the_dashboard(tmp_path):
    board = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "5m").replace("$instance", ".*")}
             for number, text in enumerate(expressions)]
    assert not any("$" in rule["expr"] for rule in rules)
    assert f"SUCCESS: {len(rules)} rules found" in check_rules(tmp_path, rules)


def test_the_dashboard_can_be_imported():
    """What Grafana requires: a title, unique panels on its grid, and the data source as a variable."""
    board = json.loads(DASHBOARD.read_text())
    assert board["title"] and isinstance(board["schemaVersion"], int) and board.get("id") is None
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    variables = {variable["name"]: variable["type"] for variable in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "instance": "query"}
    cells = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24 and panel["title"] and panel["description"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, panel["title"]
                cells.add((x, y))
        for target in [panel, *panel["targets"]]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
