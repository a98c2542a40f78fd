// Receives webhook requests: verifies the signature, prints the event, responds.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const port = Number(process.env.PORT ?? 8090);

createServer(async (request, response) => {
  // The signature is over these bytes. JSON that is parsed and written again has others.
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    webhook.verify(body, request.headers);
    // A real receiver stores the event here, passes over a `webhook-id` that it has stored before,
    // and works on the event after its response.
    console.log("verified", body.toString());
    response.writeHead(200).end();
  } catch (error) {
    console.log("refused:", error.message);
    response.writeHead(401).end();
  }
}).listen(port, "127.0.0.1", () => console.log(`waiting for requests on http://127.0.0.1:${port}`));
