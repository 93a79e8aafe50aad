# SPDX-License-Identifier: BSD-2-Clause
"""Chromium's virtual authenticator: passkeys without a device."""


class VirtualAuthenticator:
    """By default a phone or computer with a fingerprint sensor."""

    def __init__(self, browser, transport="internal", is_verified=True, **more):
        self.browser = browser
        browser.devtools("WebAuthn.enable")
        self.id = browser.devtools("WebAuthn.addVirtualAuthenticator", options={
            "protocol": "ctap2", "transport": transport, "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": is_verified} | more)["authenticatorId"]

    def credentials(self):
        return self.browser.devtools("WebAuthn.getCredentials",
                                     authenticatorId=self.id)["credentials"]

    def lose(self):
        """It has no passkeys any more."""
        self.browser.devtools("WebAuthn.clearCredentials", authenticatorId=self.id)

    def remove(self):
        self.browser.devtools("WebAuthn.removeVirtualAuthenticator", authenticatorId=self.id)
