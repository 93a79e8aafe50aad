/* SPDX-License-Identifier: BSD-2-Clause */
// Makes the copy button of an app password work, and removes the app password when the browser
// leaves the page. Without this file, people select and copy the text by hand.
"use strict";

const password = document.getElementById("app-password");
const button = document.getElementById("copy");

// Selects the app password and copies it: pages without TLS have no clipboard API.
function copySelected() {
  getSelection().selectAllChildren(password);
  return document.execCommand("copy");
}

async function copied() {
  try {
    await navigator.clipboard.writeText(password.textContent);
    return true;
  } catch {
    return copySelected();
  }
}

// Announces the result in the page's language, also to screen readers.
async function copyAndSay() {
  const said = document.getElementById((await copied()) ? "copy-done" : "copy-failed");
  document.getElementById("copy-status").textContent = said.textContent;
}

if (password && button) {
  button.addEventListener("click", copyAndSay);
  button.hidden = false;
}

// Browsers may keep even a no-store page for their back button.
if (password) {
  addEventListener("pagehide", () => password.replaceChildren());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
