#!/usr/bin/env node
// Runs the binary of this platform, which npm installed as an optional dependency.
"use strict";

const { spawn } = require("node:child_process");
const { realpathSync } = require("node:fs");
const { findPnpApi } = require("node:module");
const { constants } = require("node:os");
const { basename, dirname, join } = require("node:path");

const WINDOWS = process.platform === "win32";

function binary() {
  // Windows on ARM runs programs for x64.
  const arch = WINDOWS && process.arch === "arm64" ? "x64" : process.arch;
  const name = `@connplan/${process.platform}-${arch}`;
  const { optionalDependencies, version } = require("../package.json");
  if (!(name in optionalDependencies)) {
    fail(`there is no package for ${process.platform} on ${process.arch}; build it with \`cargo install connplan\`.`);
  }
  for (const manifest of manifests(name)) {
    try {
      if (require(manifest).version !== version) continue;
      return realpathSync(join(dirname(manifest), "bin", `connplan${WINDOWS ? ".exe" : ""}`));
    } catch {
      // It is not there.
    }
  }
  fail(
    `the package ${name} is missing: install connplan again, on this system and with optional dependencies ` +
      "(without --omit=optional or --no-optional).",
  );
}

// Where package managers put it: into this package's node_modules, or beside it. Node would look in all folders above,
// such as /tmp/node_modules, which another user may have made.
function* manifests(name) {
  const root = realpathSync(dirname(__dirname));
  yield join(root, "node_modules", name, "package.json");
  const beside = dirname(root);
  if (basename(beside) === "node_modules") yield join(beside, name, "package.json");
  // Yarn's links lead from there into .store/connplan-…/package.
  if (basename(dirname(beside)) === ".store") yield join(beside, "node_modules", name, "package.json");
  // Yarn's Plug'n'Play, if it is what has this package.
  const pnp = process.versions.pnp && findPnpApi(__filename);
  if (pnp) yield pnp.resolveRequest(`${name}/package.json`, __filename);
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (e) => fail(`connplan could not be started: ${e.message}`));

// A terminal sends its signals to both of us; whoever has none sends them to this process alone.
const terminal = [0, 1, 2].some((fd) => require("node:tty").isatty(fd));
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) {
  process.on(signal, () => {
    if (!terminal || signal === "SIGTERM") child.kill(signal);
  });
}

child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
