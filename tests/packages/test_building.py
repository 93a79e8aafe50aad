# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages: built from a clean checkout, and again from the tarball."""

import hashlib
import os
import re
import shutil
import subprocess

import pytest

import roots
from builder import Builder, build_folder, field
from test_packages import PACKAGES, SOURCES, release  # pylint: disable=unused-import


@pytest.fixture(scope="module")
def builder(release, workdir):
    with roots.Machine(roots.build_root(release), workdir / f"build-{release}") as machine:
        yield Builder(machine)


@pytest.fixture(scope="module")
def built(release, builder):
    """The packages, built from a clean checkout."""
    shutil.copytree(build_folder(release), builder.root / "build", symlinks=True)
    return {path.name: path for path in (builder.root / "build").glob("*.deb")}


def checksums(packages):
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in packages.items()}


def test_every_package_is_built(built):
    names = {name.partition("_")[0] for name in built}
    assert names - {name for name in names if name.endswith("-dbgsym")} == set(PACKAGES)


def test_the_tarball_of_make_dist_builds_the_same_elsewhere(builder, built):
    """With the unit tests, whose files must be there, too."""
    tarball = builder.make_dist("some/where/else/a-longer-name")
    again = builder.build(tarball, options=())
    assert checksums(again) == checksums(built)


@pytest.mark.usefixtures("release")  # once for each
def test_the_archive_of_git_has_the_same_sources(tmp_path):
    """Fails if there are uncommitted changes, because then it packs something else."""
    checkout = os.environ["APW_CHECKOUT"]
    # It may belong to another user, as it does in continuous integration.
    git = ["git", "-c", f"safe.directory={checkout}", "-C", checkout]
    archive = subprocess.run([*git, "archive", "HEAD"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-C", tmp_path, "-xf", "-"], input=archive, check=True)
    git = ["git", "-C", tmp_path]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "--force", "--all"], check=True)
    differences = subprocess.run([*git, f"--work-tree={SOURCES}", "diff", "--stat"],
                                 text=True, stdout=subprocess.PIPE, check=True).stdout
    differences += subprocess.run([*git, f"--work-tree={SOURCES}", "ls-files", "--others",
                                   "--exclude-standard"],
                                  text=True, stdout=subprocess.PIPE, check=True).stdout
    assert differences == ""


def test_git_ignores_what_a_build_leaves_in_the_tree(builder, built):
    checkout = builder.root / "build/checkout"
    subprocess.run(["git", "init", "-q", checkout], check=True)
    listed = subprocess.run(["git", "-C", checkout, "ls-files", "--others", "--exclude-standard"],
                            text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert [name for name in listed if not (SOURCES / name).exists()] == []


def is_earlier(version, other):
    return subprocess.run(["dpkg", "--compare-versions", version, "lt", other]).returncode == 0


def test_an_upgraded_debian_gets_the_packages_that_were_built_on_it(builder, built, release):
    version, = {field(path, "Version") for path in built.values()}
    source = builder.machine.run("dpkg-parsechangelog", "-l", "/build/checkout/debian/changelog",
                                 "-S", "Version").strip()
    assert version == f"{source}~deb{release}u1"
    older, newer = (f"{source}~deb{number}u1" for number in sorted(roots.SUITES, key=int))
    assert is_earlier("0.1.0", older) and is_earlier(older, newer) and is_earlier(newer, source)
    for path in built.values():
        if field(path, "Package") in PACKAGES[1:]:
            assert f"app-password (= {version})" in field(path, "Depends")


def test_apt_listchanges_shows_what_to_do_before_an_upgrade_from_0_1_and_only_then(builder, built):
    """It shows the entries that are newer than the installed version."""
    deb, = (path for name, path in built.items() if name.startswith("app-password_"))
    builder.machine.run("dpkg-deb", "-x", f"/build/{deb.name}", "/news")
    news = builder.machine.run("zcat", "/news/usr/share/doc/app-password/NEWS.Debian.gz")
    first = re.match(r"sasl-app-password \((\S+)\)", news)[1]
    assert is_earlier("0.1.0", first) and is_earlier(first, field(deb, "Version"))
    named, = re.findall(r"/usr/share/doc/\S+\.gz", news)
    assert (builder.root / f"news{named}").exists()


def test_lintian_has_nothing_to_say(builder, built):
    """That of this machine."""
    changes, = (builder.root / "build").glob("*.changes")
    said = subprocess.run(["lintian", "--fail-on", "error,warning", "--display-info", changes],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert said.returncode == 0, said.stdout
