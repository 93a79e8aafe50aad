/* SPDX-License-Identifier: BSD-2-Clause */
// On the owner's page: shows who used the link as soon as it was used, or the newer link of another
// tab. Stops with the link's ten minutes. On the page of the link: sends its form once, because the second would cancel the first,
// whose answer leads to the app password.
"use strict";

const device = document.getElementById("device");
const until = Date.now() + 10 * 60 * 1000;

async function look() {
  try {
    const response = await fetch(device.dataset.used, { cache: "no-store" });
    if (!response.ok || (await response.text()) !== device.dataset.id) {
      location.reload();
      return;
    }
  } catch {
    // without a network, try again
  }
  if (Date.now() < until) setTimeout(look, 3000);
}

if (device) setTimeout(look, 3000);

let isSent = false;
document.getElementById("pick-up")?.addEventListener("submit", (event) => {
  if (isSent) event.preventDefault();
  isSent = true;
});
addEventListener("pageshow", () => (isSent = false)); // also when somebody comes back to the page
