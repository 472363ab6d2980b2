// Makes the npm packages: one for each platform that a binary is given for, and `connplan` itself.
//
//   node .npm/pack.mjs OUT linux-x64=path/to/connplan win32-x64=path/to/connplan.exe …
//
// The version is Cargo.toml's. `GITHUB_REPOSITORY` names the repository, as provenance wants it. With `--only-given`
// the package `connplan` depends on the platforms that are given, and not on all.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const [out, ...rest] = process.argv.slice(2).filter((arg) => arg !== "--only-given");
const onlyGiven = process.argv.includes("--only-given");
const platforms = JSON.parse(readFileSync(join(here, "platforms.json"), "utf8"));
const given = Object.fromEntries(
  rest.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
);
const unknown = Object.keys(given).filter((name) => !(name in platforms));
if (!out || unknown.length > 0) {
  throw new Error(`usage: pack.mjs OUT PLATFORM=BINARY… (platforms: ${Object.keys(platforms).join(", ")})`);
}

const version = /^version = "(.*)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))[1];
const main = JSON.parse(readFileSync(join(here, "connplan", "package.json"), "utf8"));
const repository = process.env.GITHUB_REPOSITORY && {
  type: "git",
  url: `git+https://github.com/${process.env.GITHUB_REPOSITORY}.git`,
};

function write(folder, manifest) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}

rmSync(out, { recursive: true, force: true });
for (const [name, binary] of Object.entries(given)) {
  const { os, cpu } = platforms[name];
  const folder = join(out, name);
  write(folder, {
    name: `@connplan/${name}`,
    version,
    description: `The program of connplan for ${name}`,
    license: main.license,
    os,
    cpu,
    files: ["bin"],
    // Yarn's archives cannot be run from.
    preferUnplugged: true,
    publishConfig: { access: "public" },
  });
  mkdirSync(join(folder, "bin"));
  const program = join(folder, "bin", os[0] === "win32" ? "connplan.exe" : "connplan");
  copyFileSync(binary, program);
  chmodSync(program, 0o755);
}
const names = onlyGiven ? Object.keys(given) : Object.keys(platforms);
cpSync(join(here, "connplan"), join(out, "connplan"), { recursive: true });
chmodSync(join(out, "connplan", "bin", "connplan.js"), 0o755);
write(join(out, "connplan"), {
  ...main,
  version,
  optionalDependencies: Object.fromEntries(names.map((name) => [`@connplan/${name}`, version])),
});
