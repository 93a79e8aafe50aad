/* SPDX-License-Identifier: BSD-2-Clause */
// Selects the suggested name of the first app password at the first click, as the Tab key does, so
// that what people type replaces it.
"use strict";

const label = document.getElementById("label");

label.addEventListener("click", () => label.select(), { once: true });
