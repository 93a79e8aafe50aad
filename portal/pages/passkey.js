/* SPDX-License-Identifier: BSD-2-Clause */
// Asks the browser for a passkey, and sends its answer with the form. The form says what is asked
// for, in data attributes; everything binary is base64url.
"use strict";

const form = document.getElementById("passkey");
const asked = form.dataset;

function toBytes(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function credentials() {
  return asked.credentials.split(" ").filter(Boolean).map((id) => (
    {type: "public-key", id: toBytes(id)}));
}

function create() {
  return navigator.credentials.create({publicKey: {
    challenge: toBytes(asked.challenge),
    rp: {id: asked.host, name: asked.site},
    user: {id: toBytes(asked.handle), name: asked.user, displayName: asked.user},
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({type: "public-key", alg})),
    excludeCredentials: credentials(),
    authenticatorSelection: {residentKey: "discouraged", userVerification: "preferred"},
    attestation: "none",
  }});
}

function get() {
  return navigator.credentials.get({publicKey: {
    challenge: toBytes(asked.challenge),
    rpId: asked.host,
    allowCredentials: credentials(),
    userVerification: "preferred",
  }});
}

function fill(name, buffer) {
  form.elements[name].value = toText(buffer);
}

async function answer() {
  const isNew = asked.ceremony === "create";
  const {rawId, response} = isNew ? await create() : await get();
  fill("client_data", response.clientDataJSON);
  if (isNew) {
    fill("authenticator_data", response.getAuthenticatorData());
  } else {
    fill("credential", rawId);
    fill("authenticator_data", response.authenticatorData);
    fill("signature", response.signature);
  }
}

// Announces a text of the page, also to screen readers.
function say(id) {
  document.getElementById("passkey-status").textContent = document.getElementById(id).textContent;
}

async function answerAndSend(event) {
  event.preventDefault();
  document.getElementById("passkey-status").textContent = "";
  try {
    await answer();
    form.submit();
  } catch (error) {
    say(error.name === "InvalidStateError" ? "passkey-known" : "passkey-stopped");
  }
}

if (window.PublicKeyCredential
    && AuthenticatorAttestationResponse.prototype.getAuthenticatorData) {
  form.addEventListener("submit", answerAndSend);
  document.getElementById("passkey-button").hidden = false;
  document.getElementById("others")?.removeAttribute("open");
} else {
  say("passkey-missing");
}
