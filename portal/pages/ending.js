/* SPDX-License-Identifier: BSD-2-Clause */
// Warns before a visit ends, lets people stay, and says when it has ended. What the page shows stays.
"use strict";

const ending = document.getElementById("ending");
const WARNING_SECONDS = 120;
let end; // in milliseconds since 1970, so that a computer's sleep counts, too

function countFrom(seconds) {
  end = Date.now() + seconds * 1000;
}

function say(id) {
  if (ending.dataset.said === id) return;
  ending.dataset.said = id;
  ending.replaceChildren();
  if (id) ending.append(document.getElementById(id).content.cloneNode(true));
  ending.querySelector("button")?.addEventListener("click", stay);
}

async function stay() {
  try {
    const response = await fetch(ending.dataset.stay, { cache: "no-store" });
    const [seconds, last] = response.ok ? (await response.text()).split(" ") : [0, "no"];
    ending.dataset.last = last;
    countFrom(Number(seconds));
  } catch {
    return; // without a network, the button stays
  }
  look();
}

function look() {
  const left = (end - Date.now()) / 1000;
  const soon = ending.dataset.last === "yes" ? "ending-last" : "ending-soon";
  say(left <= 0 ? "ending-over" : left <= WARNING_SECONDS ? soon : "");
}

if (ending) {
  countFrom(Number(ending.dataset.seconds));
  setInterval(look, 1000);
}
