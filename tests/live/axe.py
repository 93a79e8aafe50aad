# SPDX-License-Identifier: BSD-2-Clause
"""axe-core, which finds accessibility problems of a page; from npm."""

import hashlib
import tarfile

from processes import run

PACKAGE = "axe-core@4.14.1"
SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"


def fetch(folder):
    """The script from the package registry; nothing is installed."""
    name = run(["npm", "pack", "--silent", "--cache", folder / "npm", PACKAGE], cwd=folder).strip()
    package = folder / name
    assert hashlib.sha256(package.read_bytes()).hexdigest() == SHA256, f"another {PACKAGE}"
    with tarfile.open(package) as files:
        return files.extractfile("package/axe.min.js").read().decode()


def violations(browser, axe_core):
    """The problems of the page as it is now, on a screen in light and dark colors, and on a phone.

    In dark colors only those of colors; always that of targets too small for fingers, which axe-core leaves out.
    """
    browser.script(axe_core)
    for scheme, width in (("dark", None), ("light", None), ("light", 360)):
        browser.use_colors(scheme)
        if width:
            browser.use_width(width)
        for each in run_axe(browser, ["color-contrast"] if scheme == "dark" else None):
            yield f"{scheme}, {width or 'wide'}: {each['id']}: {each['help']}: " + "; ".join(
                node["html"] for node in each["nodes"])
    browser.use_window_width()


def run_axe(browser, only):
    return browser.driver.execute_async_script("""
            const [only, done] = arguments;
            axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
                               ...(only ? {runOnly: only} : {})}).then(
                found => done(found.violations.concat(  // a contrast it cannot tell is none, too
                    found.incomplete.filter(each => each.id == "color-contrast"))),
                error => done([{id: String(error), help: "", nodes: []}]))""", only)
