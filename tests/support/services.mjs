// A folder of services that a test may change: the real ones beside the data sets they read.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { program } from "./platform.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A copy of all services. `path` is what `--services` takes. */
export function copy() {
  const folder = mkdtempSync(join(tmpdir(), "tongban-services-"));
  for (const name of ["services", "datasets"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const path = join(folder, "services");
  const file = (...names) => join(path, ...names);
  return { path, file, drop: (...names) => rmSync(file(...names)), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The program with arguments: its code and what it said. */
export function run(...args) {
  const { status, stdout, stderr } = spawnSync(program(), args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A legal day (UTC+8) some days from now, as `2026-11-26`; with `time`, the minute too. */
export function day(days, time = false) {
  const at = new Date(Date.now() + 8 * 3_600_000 + days * 86_400_000).toISOString();
  return at.slice(0, time ? 16 : 10);
}

/**
 * Gives a service one round that is open now, or one that closed a minute ago and is drawn today, with these seats: the
 * real rounds' days pass while nobody looks at this test.
 */
export function oneRound(services, service, { id, name, closed = false, checkIn = false, seats }) {
  const file = services.file(service, "round.toml");
  const head = readFileSync(file, "utf8").split("[[round]]")[0];
  const minute = (minutes) => day(minutes / 1440, true);
  const lines = [
    "[[round]]",
    `id = "${id}"`,
    `name = { "zh-TW" = "${name}", en = "${id}" }`,
    `opens = "${day(-1, true)}"`,
    `closes = "${closed ? minute(-1) : day(20, true)}"`,
    `draw = "${closed ? day(0) : day(30)}"`,
    `answer_by = "${day(40)}"`,
    ...(checkIn ? [`check_in_by = "${day(50)}"`] : []),
    `seed_rule = { "zh-TW" = "抽籤日上午公開的六顆號碼球，依轉出順序，以半形逗號分隔。", en = "The six balls drawn in public that morning." }`,
  ];
  writeFileSync(file, `${head}${lines.join("\n")}\n`);
  writeFileSync(services.file(service, "seats.csv"), `round,place,class,capacity,reserved\n${seats.map((row) => `${id},${row}\n`).join("")}`);
}

/** The value of a parameter without keys that is in force today. */
export function inForce(services, service, parameter) {
  const rows = readFileSync(services.file(service, "parameters", `${parameter}.csv`), "utf8").split("\n").slice(1);
  const begun = rows.map((row) => row.split(",")).filter(([from]) => from && from <= day(0));
  return begun.sort(([a], [b]) => a.localeCompare(b)).at(-1)[1];
}
