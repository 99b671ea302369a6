"use strict";
// Passkeys: the one thing here that a page cannot do without a script. A form with `data-passkey` ("create" or "get")
// carries the server's request in `data-options`; what the browser signs goes into its field `credential`, and the form
// is sent like any other. Nothing is fetched, and nothing is written into the page but the attribute `hidden`.
(() => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const withIds = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const request = (kind, options) => {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    if (kind === "get") {
      publicKey.allowCredentials = withIds(options.allowCredentials);
      return navigator.credentials.get({ publicKey });
    }
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = withIds(options.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  };

  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const show = (name, visible) => {
      for (const part of document.querySelectorAll(`[data-passkey-${name}]`)) part.hidden = !visible;
    };
    if (!window.PublicKeyCredential) continue;
    show("on", true);
    show("off", false);
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      show("failed", false);
      try {
        const credential = await request(form.dataset.passkey, JSON.parse(form.dataset.options));
        form.elements.credential.value = written(credential);
        form.requestSubmit();
      } catch (error) {
        show("failed", true);
      }
    });
  }
})();
