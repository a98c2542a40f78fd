// A client with types that openapi-typescript made from the API's description.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Delivery = components["schemas"]["DeliveryWithAttempts"];

const api = createClient<paths>({
  baseUrl: process.env["API_URL"] ?? "",
  headers: { Authorization: `Bearer ${process.env["API_KEY"]}` },
});

// How long the delivery may take, in milliseconds.
const PATIENCE = 20_000;

let receiver: Server;
let url: string;

before(async () => {
  receiver = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/in`;
});

after(() => {
  receiver.close();
  receiver.closeAllConnections();
});

async function readDelivery(webhookId: string): Promise<Delivery> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const list = await api.GET("/api/v1/deliveries", { params: { query: { webhook_id: webhookId } } });
    const delivery = list.data?.data[0];
    if (delivery?.status === "succeeded") {
      const found = await api.GET("/api/v1/deliveries/{id}", { params: { path: { id: delivery.id } } });
      assert.ok(found.data);
      return found.data;
    }
    assert.ok(Date.now() < deadline, `no delivery succeeded: ${JSON.stringify(list.data)}`);
    await pause(50);
  }
}

test("a typescript client creates a webhook, publishes an event and reads the delivery", async () => {
  const webhook = await api.POST("/api/v1/webhooks", {
    body: { name: `TypeScript ${randomUUID()}`, url, environment: "staging", event_types: ["license.*"] },
  });
  assert.ok(webhook.data, JSON.stringify(webhook.error));

  const event = await api.POST("/api/v1/events", {
    body: { type: "license.activated", environment: "staging", data: { license_id: "lic_42" } },
  });
  const delivery = await readDelivery(webhook.data.id);

  assert.equal(delivery.event_id, event.data?.id);
  assert.equal(delivery.attempts[0]?.response_status, 204);
});

test("a typescript client reads the fields of a problem", async () => {
  const refused = await api.POST("/api/v1/webhooks", {
    body: { name: "", url, environment: "staging", event_types: ["license.*"] },
  });

  assert.equal(refused.error?.status, 422);
  assert.equal(refused.error?.errors[0]?.field, "name");
});
