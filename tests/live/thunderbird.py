# SPDX-License-Identifier: BSD-2-Clause
"""A real Thunderbird without a display, driven through Marionette, its own remote control.

Marionette's messages are JSON with the length in front: [0, number, command, parameters], and
[1, number, error, result] in reply.
"""

import json
import os
import socket

from processes import free_port, start, stop, wait_until

PROGRAM = "/usr/lib/thunderbird/thunderbird"
PATIENCE = 90  # seconds, on a busy machine

TRUST = """
const certificates = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
certificates.addCertFromBase64(arguments[0].replace(/-----.*-----|\\n/g, ""), "C,,");
"""

# The dialog for a new account, which a new profile shows at once, but not always before it can be asked for.
HUB = 'const hub = document.querySelector("account-hub-container")?.shadowRoot;'
STEP = HUB + 'return hub?.querySelector(".account-hub-step:not([hidden])")?.id;'
IS_REFUSED = HUB + """
const header = hub.querySelector(".account-hub-step:not([hidden])")?.shadowRoot
    .querySelector("account-hub-header");
return !!header?.shadowRoot.querySelector("#emailFormNotification.error");
"""
FILL = HUB + """
const field = hub.querySelector(arguments[0]);
field.value = arguments[1];
field.dispatchEvent(new Event("input", {bubbles: true}));
"""
CONTINUE = HUB + """
const button = hub.querySelector("#emailFooter #forward");
if (button.disabled)
    return false;
button.click();
return true;
"""

ACCOUNTS = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
return MailServices.accounts.accounts.filter(account => account.defaultIdentity).map(account => {
    const incoming = account.incomingServer;
    const outgoing = MailServices.outgoingServer.getServerByIdentity(account.defaultIdentity);
    const smtp = outgoing.QueryInterface(Ci.nsISmtpServer);
    return {address: account.defaultIdentity.email,
            incoming: [incoming.type, incoming.hostname, incoming.port, incoming.socketType,
                       incoming.authMethod, incoming.username],
            outgoing: [outgoing.type, smtp.hostname, smtp.port, outgoing.socketType,
                       outgoing.authMethod, outgoing.username]};
});
"""
SUBJECTS = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.find(account => account.defaultIdentity).incomingServer;
server.getNewMessages(server.rootFolder, null, null);
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
return inbox ? [...inbox.messages].map(message => message.mime2DecodedSubject) : [];
"""
SEND = """
const [file, to, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const account = MailServices.accounts.accounts.find(one => one.defaultIdentity);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.from = account.defaultIdentity.email;
fields.to = to;
const listener = new Proxy({onStopSending: (id, status) => done(status),
                            QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"])}, {
    get: (target, name) => target[name] ?? (() => {})});
Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend).sendMessageFile(
    account.defaultIdentity, account.key, fields, new FileUtils.File(file), false, false,
    Ci.nsIMsgSend.nsMsgDeliverNow, null, listener, "");
"""


class Thunderbird:
    """Thunderbird with a new profile, which knows no names but those in `hosts` ({name: address}).

    authorities  files of CAs that it trusts
    """

    def __init__(self, folder, hosts, authorities):
        self.folder = folder
        self.authorities = authorities
        self.process = None
        self._socket = None
        self._number = 0
        self._port = free_port()
        (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{address} {name}\n" for name, address in hosts.items()))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (folder / "user.js").write_text(f"""\
user_pref("marionette.port", {self._port});
user_pref("datareporting.policy.dataSubmissionEnabled", false);
""")

    def start(self):
        mount = 'for name in hosts resolv.conf; do mount --bind "$1/$name" "/etc/$name" || exit; done; ' \
            'shift; exec "$@"'
        self.process = start(
            ["unshare", "--mount", "sh", "-c", mount, "sh", self.folder, PROGRAM, "--headless",
             "--marionette", "-remote-allow-system-access", "--no-remote", "--profile", self.folder],
            self.folder / "thunderbird.out", os.environ | {"HOME": str(self.folder)})
        self._socket = wait_until(self._connect, f"Thunderbird, see {self.folder}/thunderbird.out",
                                  PATIENCE)
        self._receive()
        self._ask("WebDriver:NewSession", {"capabilities": {}})
        self._ask("Marionette:SetContext", {"value": "chrome"})
        for file in self.authorities:
            self.run(TRUST, file.read_text())
        return self

    def stop(self):
        if self._socket:
            self._socket.close()
        if self.process:
            stop(self.process)

    def run(self, script, *arguments, is_async=False):
        """What a script returns, which runs with all rights in the main window."""
        return self._ask(f"WebDriver:Execute{'Async' if is_async else ''}Script",
                         {"script": script, "args": arguments, "newSandbox": False})["value"]

    def set_up(self, name, address, password):
        """Add an account as a user does, with what Thunderbird finds by itself; whether it can sign in."""
        self._expect("emailAutoConfigSubview")
        self.run(FILL, "#realName", name)
        self.run(FILL, "#autoConfigEmailForm input[type=email]", address)
        self._press_continue()
        self._expect("emailConfigFoundSubview")
        self._press_continue()
        self._expect("emailPasswordSubview")
        self.run(FILL, "#emailPasswordSubview #password", password)
        self._press_continue()
        wait_until(lambda: self._step() != "emailPasswordSubview" or self.run(IS_REFUSED),
                   "the end of the set-up", PATIENCE)
        if self.run(IS_REFUSED):
            return False
        wait_until(self.accounts, "the account", PATIENCE)  # it is made while the next step opens
        return True

    def accounts(self):
        return self.run(ACCOUNTS)

    def subjects(self):
        """Of the messages in the inbox; it also looks for new ones."""
        return self.run(SUBJECTS)

    def send(self, to):
        """Send a message; 0 if the outgoing server took it."""
        message = self.folder / "message.eml"
        message.write_text(f"To: {to}\r\nSubject: From Thunderbird\r\n\r\nHello\r\n")
        return self.run(SEND, str(message), to, is_async=True)

    def _step(self):
        return self.run(STEP)

    def _expect(self, step):
        wait_until(lambda: self._step() == step, f"{step} of Thunderbird", PATIENCE)

    def _press_continue(self):
        wait_until(lambda: self.run(CONTINUE), "Thunderbird's button Continue", PATIENCE)

    def _connect(self):
        assert self.process.poll() is None, (self.folder / "thunderbird.out").read_text()
        try:
            return socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        except OSError:
            return None

    def _ask(self, command, parameters):
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._receive()
        assert number == self._number and error is None, error
        return result

    def _receive(self):
        digits = b""
        while (byte := self._socket.recv(1)) != b":":
            assert byte, "Thunderbird closed the connection"
            digits += byte
        message = b""
        while len(message) < int(digits):
            part = self._socket.recv(int(digits) - len(message))
            assert part, "Thunderbird closed the connection"
            message += part
        return json.loads(message)
