// Checks the AsyncAPI document: valid AsyncAPI 3, with examples that fit their schemas.
import { readFile } from "node:fs/promises";

import { Parser } from "@asyncapi/parser";

const file = process.argv[2];
const { diagnostics } = await new Parser().parse(await readFile(file, "utf8"), { source: file });
const SEVERITIES = ["error", "warning", "information", "hint"];
for (const { severity, path, message } of diagnostics) {
  console.log(`${SEVERITIES[severity]} at ${path.join(".")}: ${message}`);
}
const faults = diagnostics.filter(({ severity }) => severity <= 1);
console.log(`${file}: ${faults.length} errors and warnings`);
process.exitCode = faults.length === 0 ? 0 : 1;
