// Publishes one event, and is sure that RabbitMQ has it on disk: node publish.js [environment] [type]
import { randomUUID } from "node:crypto";
import amqp from "amqplib";

const [environment = "production", type = "license.activated"] = process.argv.slice(2);
const event = {
  // Publish the same event again, under the same id, if the outcome is unknown.
  id: randomUUID(),
  type,
  environment,
  timestamp: new Date().toISOString(),
  data: { license_id: "lic_42", seats: 5 },
};

const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();
let returned = false;
channel.on("return", () => (returned = true));
channel.publish("webhooks.events", `${environment}.${type}`, Buffer.from(JSON.stringify(event)), {
  contentType: "application/json",
  messageId: event.id,
  persistent: true,
  // The broker hands the event back, instead of dropping it, when no queue is bound.
  mandatory: true,
});
// Throws if the broker refuses the event. A returned event is confirmed, too.
await channel.waitForConfirms();
await connection.close();
if (returned) throw new Error(`no queue takes ${environment}.${type}: is a service running?`);
console.log("published event", event.id);
