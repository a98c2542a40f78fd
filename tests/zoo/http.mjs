import { createServer } from "node:http";
import { answer } from "./answer.mjs";

createServer({ keepAliveTimeout: 1000 }, answer).listen(process.env.PORT, "127.0.0.1");
