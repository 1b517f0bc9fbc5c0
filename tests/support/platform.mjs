// The platform under test: `tongban demo` on free ports with a folder of its own, stopped and removed at the end.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts the demonstration city and answers what its line of JSON says, with `stop()`. */
export async function start({ residents = 2000, grace = 2, history = false, more = [] } = {}) {
  const binary = process.env.TONGBAN_BINARY;
  if (!binary) throw new Error("TONGBAN_BINARY must name the program");
  const data = mkdtempSync(join(tmpdir(), "tongban-journey-"));
  const child = spawn(
    binary,
    ["demo", "--residents", String(residents), "--data", data, "--listen", "127.0.0.1:0", "--grace", String(grace), ...(history ? [] : ["--no-history"]), "--json", ...more],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const line = await Promise.race([
    new Promise((resolve) => createInterface(child.stdout).once("line", resolve)),
    ended.then((code) => Promise.reject(new Error(`the platform ended with ${code}`))),
  ]);
  const facts = JSON.parse(line);
  return {
    ...facts,
    data,
    /** A member of the staff by account. */
    member: (account) => facts.staff.find((one) => one.account === account),
    /** A demonstration resident by the start of the note. */
    resident: (note) => facts.people.find((one) => one.note.includes(note)),
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([ended, new Promise((late) => setTimeout(late, 5_000))]);
      child.kill("SIGKILL");
      rmSync(data, { recursive: true, force: true });
    },
  };
}
