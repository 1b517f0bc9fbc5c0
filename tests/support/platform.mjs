// The platform under test: `tongban demo` on free ports with a folder of its own, stopped and removed at the end.
// Its database is the embedded one, or a new one of the PostgreSQL that TONGBAN_JOURNEY_POSTGRES names.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The program under test. */
export function program() {
  const binary = process.env.TONGBAN_BINARY;
  if (!binary) throw new Error("TONGBAN_BINARY must name the program");
  return binary;
}

/** Makes a database of the PostgreSQL of the journeys and answers its address; nothing without such a server. */
function database() {
  const server = process.env.TONGBAN_JOURNEY_POSTGRES;
  if (!server) return undefined;
  const name = `journey_${randomBytes(8).toString("hex")}`;
  execFileSync("psql", ["--no-psqlrc", "--quiet", "--command", `CREATE DATABASE ${name}`, server]);
  const address = new URL(server);
  address.pathname = `/${name}`;
  return address.href;
}

/**
 * Starts the demonstration city and answers what its line of JSON says, with `stop()`. `services` is a folder of services
 * instead of the built-in ones; `history` begins with the past months of the demonstration.
 */
export async function start({ residents = 2000, grace = 2, history = false, services, more = [] } = {}) {
  const data = mkdtempSync(join(tmpdir(), "tongban-journey-"));
  const postgres = database();
  let child;
  let ended;
  async function open(listen) {
    const args = ["demo", "--residents", String(residents), "--data", data, "--listen", listen, "--grace", String(grace), "--json"];
    if (!history) args.push("--no-history");
    if (services) args.push("--services", services);
    if (postgres) args.push("--database", postgres);
    child = spawn(program(), [...args, ...more], { stdio: ["ignore", "pipe", "inherit"] });
    ended = new Promise((resolve) => child.once("exit", resolve));
    const line = await Promise.race([
      new Promise((resolve) => createInterface(child.stdout).once("line", resolve)),
      ended.then((code) => Promise.reject(new Error(`the platform ended with ${code}`))),
    ]);
    Object.assign(platform, JSON.parse(line));
  }
  async function close() {
    child?.kill("SIGTERM");
    await Promise.race([ended, new Promise((late) => setTimeout(late, 5_000))]);
    child?.kill("SIGKILL");
    await ended;
  }
  const platform = {
    data,
    /** A member of the staff by account. */
    member: (account) => platform.staff.find((one) => one.account === account),
    /** A demonstration resident by the start of the note. */
    resident: (note) => platform.people.find((one) => one.note.includes(note)),
    /** Stops and starts again at the same address with the same data, as after a change of a folder: who is signed in stays so. */
    async restart() {
      const listen = new URL(platform.portal).host;
      await close();
      await open(listen);
    },
    async stop() {
      await close();
      rmSync(data, { recursive: true, force: true });
    },
  };
  await open("127.0.0.1:0");
  return platform;
}
