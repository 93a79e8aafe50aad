// Shows the copy button beside an app password and makes it work, and takes the app password away
// when the page is left. Without this file the app password is text that can be marked and copied
// by hand.
"use strict";

const password = document.getElementById("app-password");
const button = document.getElementById("copy");

// Marks the app password, and copies it where the clipboard's own interface is not to be had
// (pages that did not come over TLS).
function copyMarked() {
  getSelection().selectAllChildren(password);
  return document.execCommand("copy");
}

async function copied() {
  try {
    await navigator.clipboard.writeText(password.textContent);
    return true;
  } catch {
    return copyMarked();
  }
}

// Says it in the page's language, where a screen reader hears it.
async function copyAndSay() {
  const said = document.getElementById((await copied()) ? "copy-done" : "copy-failed");
  document.getElementById("copy-status").textContent = said.textContent;
}

if (password && button) {
  button.addEventListener("click", copyAndSay);
  button.hidden = false;
}

// A browser may keep the page for its back button, though it is not to be stored.
if (password) {
  addEventListener("pagehide", () => password.replaceChildren());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
