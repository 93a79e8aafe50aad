# SPDX-License-Identifier: BSD-2-Clause
"""The doctor's findings about the certificates of the directory's servers."""

import os
import re

import pytest

from administration import DONE, Site
from certificates import Authority
from test_doctor import assert_finds, doctor, good_directory, populate, safe, site  # noqa: F401


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_names_and_days_are_shown(good_directory, tmp_path, authority, way):  # noqa: F811
    uri = good_directory.ldaps if way == "ldaps" else good_directory.ldap
    called = doctor(safe(Site(tmp_path / "site", good_directory, uri=uri, tls_cacert=authority.ca,
                              start_tls="no" if way == "ldaps" else "yes")))
    assert called.returncode == DONE, called.stdout
    assert re.search(rf"certificate: {uri}: DNS:localhost, IP Address:127.0.0.1; (29|30) days left", called.stdout)


def test_a_certificate_that_expires_soon(own_directory, tmp_path):
    authority = Authority(tmp_path / "authority", days=13)
    server = own_directory(authority=authority)
    populate(server)
    called = doctor(safe(Site(tmp_path / "site", server, uri=server.ldaps, tls_cacert=authority.ca)))
    assert_finds(called, "it expires in 1", f"renew the certificate of {server.ldaps}")


def test_without_openssl_it_goes_without(site):  # noqa: F811
    called = doctor(site, env=os.environ | {"PATH": "/nonexistent:/usr/sbin"})
    assert called.returncode == DONE, called.stdout


def test_without_tls_there_is_no_certificate(good_directory, tmp_path):  # noqa: F811
    assert "certificate:" not in doctor(safe(Site(tmp_path / "site", good_directory))).stdout
