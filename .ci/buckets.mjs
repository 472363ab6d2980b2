// Makes a bucket at each of two servers that run here: an S3 one that asks for no signature, and Azurite,
// whose key is in AZURE_STORAGE_ACCOUNT_KEY.
import { createHmac } from "node:crypto";

const [s3, azure] = process.argv.slice(2);
const date = new Date().toUTCString();
const version = "2021-08-06";
const account = new URL(azure).pathname.split("/")[1];
const text = [
  "PUT",
  ...Array(11).fill(""),
  `x-ms-date:${date}`,
  `x-ms-version:${version}`,
  `/${account}${new URL(azure).pathname}`,
  "restype:container",
].join("\n");
const key = Buffer.from(process.env.AZURE_STORAGE_ACCOUNT_KEY, "base64");
const signature = createHmac("sha256", key).update(text).digest("base64");
const headers = {
  "x-ms-date": date,
  "x-ms-version": version,
  authorization: `SharedKey ${account}:${signature}`,
};
for (const [url, options] of [
  [s3, {}],
  [`${azure}?restype=container`, { headers }],
]) {
  const answer = await fetch(url, { method: "PUT", ...options });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}
