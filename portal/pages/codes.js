/* SPDX-License-Identifier: BSD-2-Clause */
// Makes the buttons of the recovery codes work, and removes the codes when the browser leaves the
// page. Without this file, people download the codes, or print the page with the browser's menu.
"use strict";

const codes = document.getElementById("codes");

// Selects the codes and copies them: pages without TLS have no clipboard API.
function copySelectedCodes() {
  getSelection().selectAllChildren(codes);
  return document.execCommand("copy");
}

async function copiedCodes() {
  try {
    const lines = [...codes.children].map((line) => line.textContent);
    await navigator.clipboard.writeText(lines.join("\n") + "\n");
    return true;
  } catch {
    return copySelectedCodes();
  }
}

// Announces the result in the page's language, also to screen readers.
async function copyCodesAndSay() {
  const said = document.getElementById((await copiedCodes()) ? "codes-done" : "codes-failed");
  document.getElementById("codes-status").textContent = said.textContent;
}

function enable(id, action) {
  const button = document.getElementById(id);
  button.addEventListener("click", action);
  button.hidden = false;
}

enable("copy-codes", copyCodesAndSay);
enable("print-codes", () => print());

// Browsers may keep even a no-store page for their back button.
addEventListener("pagehide", () => codes.replaceChildren());
addEventListener("pageshow", (event) => event.persisted && location.reload());
