// Asks a `verify` of the guide: secret and headers are the arguments, the body is the input.
import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";

const [secret, ...headers] = process.argv.slice(2);
const names = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-webhook-signature"];
try {
  verify(secret, Object.fromEntries(names.map((name, at) => [name, headers[at]])), readFileSync(0));
  console.log("accepted");
} catch {
  console.log("refused");
}
