// One-time codes of RFC 6238 (SHA-1, 6 digits, 30 s), as an authenticator app makes them.

import { createHmac } from "node:crypto";

export function base32(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of text.replace(/=+$/, "").toUpperCase()) bits += letters.indexOf(letter).toString(2).padStart(5, "0");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

export function code(secret, at = Date.now()) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** A code that was not used yet: each time step is accepted once. */
const used = new Map();
export async function fresh(secret) {
  for (;;) {
    const step = Math.floor(Date.now() / 30_000);
    // one step ahead is within the server's grace
    for (const candidate of [step, step + 1]) {
      if ((used.get(secret) ?? 0) < candidate) {
        used.set(secret, candidate);
        return code(secret, candidate * 30_000);
      }
    }
    await new Promise((wake) => setTimeout(wake, 1_000));
  }
}
