# SPDX-License-Identifier: BSD-2-Clause
"""doctor --pam and --portal, and a report mode that was left in."""

import os

import pytest

import pam
from administration import DONE, PREFIX
from test_doctor import (EXAMPLES, assert_finds, doctor, good_directory, safe, site,  # noqa: F401
                         site_with)

OURS = "auth required pam_app_password.so\naccount required pam_app_password.so\n"


@pytest.mark.parametrize("name", ["imap", "dovecot"])
def test_the_examples_for_pam_are_good(site, name):  # noqa: F811
    called = doctor(site, f"--pam={EXAMPLES / 'pam' / name}")
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "only pam_app_password.so decides" in called.stdout


PAM = {
    "the system's modules behind ours": (
        OURS + "auth sufficient pam_unix.so\n", "pam_unix.so (sufficient), after ours", "remove"),
    "the directory before ours": (
        "auth [success=1 default=ignore] pam_ldap.so\n" + OURS,
        "pam_ldap.so ([success=1 default=ignore]), before or without ours, accepts", "remove"),
    "an include with the system's modules": (
        OURS + "@include common-auth\n", "pam_unix.so", "remove"),
    "ours that does not decide": (
        OURS.replace("auth required", "auth sufficient"), "is sufficient", "auth required"),
    "ours that is missing": ("auth required pam_deny.so\n", "does not ask", "examples/pam"),
    "no account line": (OURS.splitlines()[0], "no account line", "account required"),
    "an unknown argument": (
        OURS.replace(".so\n", ".so tempfail=yes\n", 1), 'unknown argument "tempfail=yes"', "auth"),
    "a configuration that is not there": (
        OURS.replace(".so\n", ".so config=/nonexistent\n", 1), "config=/nonexistent", "config="),
}


@pytest.mark.parametrize("broken", PAM)
def test_pam(site, tmp_path, broken):  # noqa: F811
    text, finding, fix = PAM[broken]
    file = tmp_path / "imap"
    file.write_text(text)
    assert_finds(doctor(site, f"--pam={file}"), finding, fix)


def test_a_pam_service_that_is_not_there(site):  # noqa: F811
    assert_finds(doctor(site, "--pam=no-such-service"), "/etc/pam.d/no-such-service", "examples/pam")


def test_all_services_that_ask_our_module_are_checked(site, tmp_path):  # noqa: F811
    pam_d = tmp_path / "pam.d"
    pam_d.mkdir()
    for name, text in {"imap": OURS, "smtp": OURS + "auth sufficient pam_unix.so\n", "other": "# " + OURS.splitlines()[0],
                       "imap.before": "auth sufficient pam_unix.so\n" + OURS}.items():
        (pam_d / name).write_text(text)
    called = doctor(site, "--pam", prefix=pam.seeing(pam_d, []))
    assert_finds(called, "/etc/pam.d/smtp: pam_unix.so (sufficient), after ours", "remove")
    assert "/etc/pam.d/imap: only pam_app_password.so decides" in called.stdout
    assert "before" not in called.stdout.replace(str(tmp_path), "") and "/etc/pam.d/other" not in called.stdout
    for name in "imap", "smtp":
        (pam_d / name).unlink()
    assert_finds(doctor(site, "--pam", prefix=pam.seeing(pam_d, [])), "no service of /etc/pam.d asks", "--pam=SERVICE")


def test_comments_other_types_and_harmless_modules_are_ignored(site, tmp_path):  # noqa: F811
    file = tmp_path / "imap"
    file.write_text("# auth sufficient pam_unix.so\n\nauth requisite pam_nologin.so\n" + OURS
                    + "session optional pam_unix.so\npassword required pam_unix.so\n")
    assert doctor(site, f"--pam={file}").returncode == DONE


def test_dovecot_without_tempfail_is_told(site, tmp_path):  # noqa: F811
    (tmp_path / "dovecot").write_text(OURS)
    called = doctor(site, f"--pam={tmp_path / 'dovecot'}")
    assert called.returncode == DONE
    assert "without tempfail=exit" in called.stdout


def test_a_page_that_cannot_start(site):  # noqa: F811
    path = f"{PREFIX}/sbin:{PREFIX}/bin:{os.environ['PATH']}"
    called = doctor(site, "--portal", env=os.environ | {"PATH": path})
    assert_finds(called, "portal: ", "app-password-portal -t")
    assert "portal.conf" in called.stdout


def test_a_page_that_is_not_installed(site):  # noqa: F811
    called = doctor(site, "--portal", env=os.environ | {"PATH": "/nonexistent"})
    assert_finds(called, "portal: cannot run", "apt install")


def test_a_program_that_hangs_is_ended(site, tmp_path):  # noqa: F811
    (tmp_path / "postconf").write_text("#!/bin/sh\necho started\nexec sleep 600\n")
    (tmp_path / "postconf").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    called = doctor(site, "--postfix", env=os.environ | {"PATH": path})
    assert_finds(called, "postconf did not end within 30 seconds", "postconf -c /etc/postfix -x")


def test_report_mode_that_was_left_in(good_directory, tmp_path, authority):  # noqa: F811
    report = site_with(good_directory, tmp_path, authority, mfa_enforcement="report")
    called = doctor(report)
    assert_finds(called, "mfa_enforcement: ", "mfa_enforcement enforce   # at the end of the rollout")
    assert called.stdout.count("PROBLEM") == 1
