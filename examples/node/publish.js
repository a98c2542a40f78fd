// Publishes one event, and is sure that RabbitMQ has it on disk: node publish.js [environment] [type]
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";

// A larger event would be set aside, not delivered.
const MAX_EVENT_BYTES = 256 * 1024;
// Milliseconds between tries: long enough for a restart of the broker behind a load balancer.
const PAUSES = [500, 1000, 2000, 4000];
// Milliseconds without an answer of the broker, after which the connection counts as lost.
const BROKER_TIMEOUT = 10_000;

// What another try would not change.
class Refused extends Error {}

const [environment = "production", type = "license.activated"] = process.argv.slice(2);
const routingKey = `${environment}.${type}`;
const event = {
  id: randomUUID(),
  type,
  environment,
  timestamp: new Date().toISOString(),
  data: { license_id: "lic_42", seats: 5 },
};
const body = Buffer.from(JSON.stringify(event));
// Receivers see the publisher's place in its trace (W3C Trace Context).
const { AMQP_URL, TRACEPARENT } = process.env;

// Resolves when the broker has the event on disk, and throws otherwise.
async function publish() {
  const connection = await amqp.connect(AMQP_URL, { timeout: BROKER_TIMEOUT });
  // Rejects with the reason as soon as the connection or the channel is lost.
  const lost = new Promise((_, reject) => {
    connection.on("error", reject);
    connection.on("close", () => reject(new Error("the connection was closed")));
    setTimeout(() => reject(new Error("no confirm in time")), BROKER_TIMEOUT).unref();
  });
  // The connection may be lost later than anybody waits.
  lost.catch(() => {});
  try {
    await Promise.race([confirm(connection), lost]);
  } finally {
    // A silent broker does not answer the close either.
    await Promise.race([connection.close().catch(() => {}), sleep(1000)]);
  }
}

async function confirm(connection) {
  const channel = await connection.createConfirmChannel();
  let returned = false;
  let refusal;
  channel.on("return", () => (returned = true));
  // A missing exchange, a missing right: the next try would end alike.
  channel.on("error", (error) => (refusal = new Refused(`the broker refused the event: ${error.message}`)));
  channel.publish("webhooks.events", routingKey, body, {
    contentType: "application/json",
    messageId: event.id,
    persistent: true,
    // The broker hands the event back, instead of dropping it, when no queue is bound.
    mandatory: true,
    headers: TRACEPARENT ? { traceparent: TRACEPARENT } : {},
  });
  try {
    await channel.waitForConfirms();
  } catch (error) {
    throw refusal ?? error;
  }
  // A returned event is confirmed, too.
  if (returned) throw new Refused(`no queue takes ${routingKey}: is a service running?`);
}

async function main() {
  if (!AMQP_URL) throw new Refused("AMQP_URL is missing: the address of RabbitMQ, amqp://…");
  if (body.length > MAX_EVENT_BYTES) throw new Refused(`event of ${body.length} bytes is larger than ${MAX_EVENT_BYTES}`);
  // Every try publishes the same bytes: an id that was seen before is delivered once.
  for (const pause of [...PAUSES, undefined]) {
    try {
      await publish();
      console.log("published event", event.id);
      return;
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (!pause) throw new Error(`outcome of event ${event.id} is unknown, publish it again under its id: ${error}`);
      console.error(`publishing again in ${pause} ms: ${error}`);
      await sleep(pause);
    }
  }
}

try {
  await main();
  // A connection without an answer would keep the process for a minute.
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
