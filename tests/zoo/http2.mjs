import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { answer } from "./answer.mjs";

const files = { cert: readFileSync(process.env.CERTIFICATE), key: readFileSync(process.env.KEY) };
const server = createSecureServer(files, answer);
// The server closes a session after a second without a request.
server.setTimeout(1000);
server.listen(process.env.PORT, "127.0.0.1");
