# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium with its own profile, used as a person uses it."""

import os
import shutil

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from processes import free_port, wait_until

WIDTH = 1000  # of the window

# Chromium without the windows of a desktop, which take six times as long for a page. The script of that name in
# /usr/bin starts it as a child, which chromedriver would leave running.
PROGRAM = "/usr/lib/chromium/chromium-headless-shell"
# Root needs the first; the others keep it from contacting other sites.
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", f"--window-size={WIDTH},1400"]


class Browser:
    """One browser with one window; more by tab().

    folder      everything it writes: profile, downloads
    language    what it sends as Accept-Language
    javascript  False: pages come without, in the first tab
    flags       more of Chromium's
    """

    def __init__(self, folder, language="en", javascript=True, flags=()):
        self.folder = folder
        self.downloads = folder / "downloads"
        for part in (self.downloads, folder / "tmp"):
            part.mkdir(parents=True)
        options = ChromeOptions()
        options.binary_location = PROGRAM
        for flag in [*FLAGS, f"--accept-lang={language}", *flags]:
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        environment = os.environ | {"HOME": str(folder), "TMPDIR": str(folder / "tmp")}
        self.driver = Chrome(options=options,
                             service=Service("/usr/bin/chromedriver", port=free_port(), env=environment))
        self.driver.set_page_load_timeout(120)
        self.driver.set_script_timeout(120)
        self.devtools("Emulation.setScriptExecutionDisabled", value=not javascript)

    def forget(self):
        """Remove cookies, downloads and other tabs."""
        first, *others = self.driver.window_handles
        for other in others:
            self.driver.switch_to.window(other)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.get("about:blank")
        self.devtools("Network.clearBrowserCookies")
        for file in self.downloads.iterdir():
            file.unlink(missing_ok=True)  # one that is just coming gets another name

    def quit(self):
        self.driver.quit()
        # The last of its processes may still be writing.
        wait_until(lambda: shutil.rmtree(self.folder, ignore_errors=True)
                   or not self.folder.exists(), f"{self.folder} to be given up")

    # ---- Navigation ----

    def open(self, address):
        self.driver.get(address)

    def tab(self):
        """One more tab; the name of each is its handle."""
        self.driver.switch_to.new_window("tab")
        return self.driver.current_window_handle

    def heading(self):
        return self._read("h1")

    def expect(self, heading):
        """Assert that the page has that heading."""
        assert self.heading() == heading, self.text()

    def text(self):
        """The visible text."""
        return self._read("body")

    def _read(self, tag):
        """The visible text of an element, of the new page if one just replaces itself, as after going back."""
        def read():
            try:
                return [self.driver.find_element(By.TAG_NAME, tag).text]
            except StaleElementReferenceException:
                return None
        return wait_until(read, "a page that stays")[0]

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def find_all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    # ---- Actions ----

    def field(self, label):
        """The field that has this label."""
        return self.driver.find_element(By.ID, self._find_by_text("label", label)
                                        .get_attribute("for"))

    def fill(self, label, text):
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def select(self, label, option):
        self.field(label).find_element(By.XPATH, f".//option[.='{option}']").click()

    def press(self, name):
        """The link to another page or the button of a form, by the text on it."""
        self.leave_by(self._find_by_text("button, a", name))

    def press_here(self, name):
        """Click something that stays on this page."""
        self._find_by_text("button, a, summary, label.choice", name).click()

    def send(self, form):
        """The button of the form with that address, in any language."""
        self.leave_by(self.find(f'form[action$="/{form}"] button'))

    def leave_by(self, element):
        """Click, and wait for the next page."""
        page = self.find("html")
        element.click()
        self.expect_another(page)

    def expect_another(self, page):
        """Wait until `page`, its html element, has given way to another page."""
        wait_until(lambda: self._is_gone(page), "another page")
        wait_until(lambda: self.script("return document.readyState") == "complete", "the page")

    @staticmethod
    def _is_gone(element):
        try:
            return not element.is_enabled()
        except WebDriverException:
            return True

    def paste(self, label):
        """The clipboard's text, by pasting it into a field."""
        field = self.field(label)
        field.click()
        field.send_keys(Keys.CONTROL, "v")
        return field.get_attribute("value")

    def _find_by_text(self, css, text):
        """The visible one whose text starts like this."""
        found = self.script("""
            const [css, text] = arguments;
            return [...document.querySelectorAll(css)].filter(each => each.checkVisibility()
                && each.innerText.replace(/\\s+/g, " ").trim().startsWith(text))""", css, text)
        assert len(found) == 1, f"{len(found)} of {text!r}: {self.text()}"
        return found[0]

    # ---- Appearance ----

    def devtools(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def use_colors(self, scheme):
        """Set "light" or "dark", like the system's setting, without animations."""
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def use_width(self, pixels, height=800, scale=1):
        """Set the width of the screen, a phone's if it is narrow; scale: dots per pixel."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=pixels, height=height,
                      deviceScaleFactor=scale, mobile=pixels < 600)

    def use_agent(self, header):
        """Set the User-Agent; "": its own."""
        self.devtools("Emulation.setUserAgentOverride", userAgent=header)

    def use_window_width(self):
        self.devtools("Emulation.clearDeviceMetricsOverride")
        # It returns before the page has that width.
        wait_until(lambda: self.script("return innerWidth") == WIDTH, "the width of the window")

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)
