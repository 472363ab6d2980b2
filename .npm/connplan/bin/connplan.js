#!/usr/bin/env node
// Runs the binary of this platform, which npm installed as an optional dependency.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const WINDOWS = process.platform === "win32";

function binary() {
  // Windows on ARM runs programs for x64.
  const arch = WINDOWS && process.arch === "arm64" ? "x64" : process.arch;
  const name = `@connplan/${process.platform}-${arch}`;
  if (!(name in require("../package.json").optionalDependencies)) {
    fail(`there is no package for ${process.platform} on ${process.arch}; build it with \`cargo install connplan\`.`);
  }
  try {
    return require.resolve(`${name}/bin/connplan${WINDOWS ? ".exe" : ""}`);
  } catch {
    fail(
      `the package ${name} is missing: install connplan again, on this system and with optional dependencies ` +
        "(without --omit=optional or --no-optional).",
    );
  }
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
