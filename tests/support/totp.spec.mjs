import assert from "node:assert/strict";
import { test } from "node:test";
import { code } from "./totp.mjs";

test("the vectors of RFC 6238, appendix B", () => {
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // "12345678901234567890"
  assert.equal(code(secret, 59_000), "287082");
  assert.equal(code(secret, 1_111_111_109_000), "081804");
  assert.equal(code(secret, 20_000_000_000_000), "353130");
});
