import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { answer } from "./answer.mjs";

const files = { cert: readFileSync(process.env.CERTIFICATE), key: readFileSync(process.env.KEY) };
const server = createSecureServer(files, answer);
// A session that is idle for so long is closed.
server.setTimeout(1000);
server.listen(process.env.PORT, "127.0.0.1");
