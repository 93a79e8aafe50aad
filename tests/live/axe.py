"""axe-core, which looks for what shuts people out of a page; npm brings it."""

import hashlib
import tarfile

from processes import run

PACKAGE = "axe-core@4.14.1"
SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"


def fetch(folder):
    """The script, as the package registry has it; nothing is installed."""
    name = run(["npm", "pack", "--silent", "--cache", folder / "npm", PACKAGE], cwd=folder).strip()
    package = folder / name
    assert hashlib.sha256(package.read_bytes()).hexdigest() == SHA256, f"another {PACKAGE}"
    with tarfile.open(package) as files:
        return files.extractfile("package/axe.min.js").read().decode()


def violations(browser, axe_core):
    """What is wrong with the page as it is now; in dark colours, what differs there."""
    browser.script(axe_core)
    for scheme, only in (("light", None), ("dark", ["color-contrast"])):
        browser.use_colours(scheme)
        found = browser.driver.execute_async_script("""
            const [only, done] = arguments;
            axe.run(document, {resultTypes: ["violations"], ...(only ? {runOnly: only} : {})}).then(
                found => done(found.violations.concat(  // a contrast it cannot tell is none, too
                    found.incomplete.filter(each => each.id == "color-contrast"))),
                error => done([{id: String(error), help: "", nodes: []}]))""", only)
        for each in found:
            yield f"{scheme}: {each['id']}: {each['help']}: " + "; ".join(
                node["html"] for node in each["nodes"])
    browser.use_colours("light")
