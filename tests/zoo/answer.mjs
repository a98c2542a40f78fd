// The handler of both Node servers: reads the body, logs the request, answers 200.
import { appendFileSync } from "node:fs";

export function answer(request, response) {
  request.resume().on("end", () => {
    const { "webhook-id": id, "x-webhook-delivery": delivery, "x-webhook-attempt": attempt } = request.headers;
    appendFileSync(process.env.REQUEST_LOG, `${id} ${delivery} ${attempt}\n`);
    response.end("ok");
  });
}
