/* SPDX-License-Identifier: BSD-2-Clause */
// Says of each answer of an authenticator whether @simplewebauthn/server accepts it: reads a JSON list
// from standard input, writes a list of booleans.

import {text} from "node:stream/consumers";
import {verifyAuthenticationResponse, verifyRegistrationResponse} from "@simplewebauthn/server";

function bytes(base64url) {
  return new Uint8Array(Buffer.from(base64url, "base64url"));
}

async function isAccepted(answer) {
  const expected = {
    expectedChallenge: answer.challenge,
    expectedOrigin: answer.origin,
    expectedRPID: answer.host,
    requireUserVerification: false,
    response: {
      id: answer.credential,
      rawId: answer.credential,
      type: "public-key",
      clientExtensionResults: {},
      response: {
        clientDataJSON: answer.client_data,
        authenticatorData: answer.authenticator_data,
        attestationObject: answer.attestation_object,
        signature: answer.signature,
      },
    },
  };
  try {
    const {verified} = answer.signature === undefined
      ? await verifyRegistrationResponse(expected)
      : await verifyAuthenticationResponse({...expected, credential: {
        id: answer.credential, publicKey: bytes(answer.public_key), counter: answer.counter}});
    return verified;
  } catch (error) {
    if (process.env.EXPLAIN) console.error(String(error));
    return false;
  }
}

const answers = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(await Promise.all(answers.map(isAccepted))));
