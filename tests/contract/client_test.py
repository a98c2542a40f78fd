"""A client that openapi-python-client made from the API's description, and the introduction's own code."""

import http.server
import json
import os
import re
import subprocess
import threading
import time
import unittest
import urllib.request
import uuid

from webhooks_client import AuthenticatedClient
from webhooks_client.api.deliveries import find_delivery, list_deliveries
from webhooks_client.api.events import publish_event
from webhooks_client.api.webhooks import create_webhook
from webhooks_client.models import (
    CreateWebhook,
    DeliveryStatus,
    EnvironmentName,
    EventPattern,
    EventTypeName,
    Problem,
    PublishEvent,
    PublishEventData,
)

# How long a delivery may take, in seconds.
PATIENCE = 20

client = AuthenticatedClient(base_url=os.environ["API_URL"], token=os.environ["API_KEY"])


class Receiver(http.server.BaseHTTPRequestHandler):
    """Accepts every request, and keeps headers and body."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.headers, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def start_receiver(test):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server


def new_webhook(url):
    return CreateWebhook(
        name=f"Python {uuid.uuid4()}",
        url=url,
        environment=EnvironmentName.DEVELOPMENT,
        event_types=[EventPattern.LICENSE],
    )


def new_event():
    data = PublishEventData.from_dict({"license_id": "lic_42", "seats": 5})
    return PublishEvent(type_=EventTypeName.LICENSE_ACTIVATED, environment=EnvironmentName.DEVELOPMENT, data=data)


def read_delivery(webhook_id):
    """The webhook's first delivery, as soon as the delivery has succeeded."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        page = list_deliveries.sync(client=client, webhook_id=webhook_id)
        if page.data and page.data[0].status == DeliveryStatus.SUCCEEDED:
            return find_delivery.sync(page.data[0].id, client=client)
        time.sleep(0.05)
    raise AssertionError(f"no delivery succeeded: {page}")


def introduction():
    with urllib.request.urlopen(os.environ["API_URL"] + "/api/openapi.json") as response:
        return json.load(response)["info"]["description"]


def code_of(language):
    """The introduction's blocks of code in a language, one after the other."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", introduction(), re.DOTALL | re.MULTILINE)
    return [block for block in blocks if block]


class PythonClient(unittest.TestCase):
    def test_a_python_client_creates_a_webhook_publishes_an_event_and_reads_the_delivery(self):
        receiver = start_receiver(self)
        webhook = create_webhook.sync(
            client=client, body=new_webhook(f"http://127.0.0.1:{receiver.server_port}/in")
        )

        event = publish_event.sync(client=client, body=new_event())
        delivery = read_delivery(webhook.id)

        self.assertEqual(delivery.event_id, event.id)
        self.assertEqual([attempt.response_status for attempt in delivery.attempts], [204])

    def test_a_python_client_reads_the_fields_of_a_problem(self):
        refused = create_webhook.sync(client=client, body=new_webhook("ftp://hooks.example.com/in"))

        self.assertIsInstance(refused, Problem)
        self.assertEqual([error.field for error in refused.errors], ["url"])

    def test_the_introductions_code_accepts_a_delivery_and_refuses_a_changed_body(self):
        receiver = start_receiver(self)
        webhook = create_webhook.sync(
            client=client, body=new_webhook(f"http://127.0.0.1:{receiver.server_port}/in")
        )
        publish_event.sync(client=client, body=new_event())
        read_delivery(webhook.id)
        headers, body = receiver.received[0]
        sample = {}
        exec("\n".join(code_of("python")), sample)

        sample["verify"](webhook.secret, headers["X-Webhook-Signature"], body)

        with self.assertRaises(ValueError):
            sample["verify"](webhook.secret, headers["X-Webhook-Signature"], body + b" ")


class FirstSteps(unittest.TestCase):
    def run_block(self, block, **variables):
        # The installation's own address stands where the introduction has an example.
        block = re.sub(r"^API=.*\n", "", block, flags=re.MULTILINE)
        variables["API"] = os.environ["API_URL"] + "/api/v1"
        variables["KEY"] = os.environ["API_KEY"]
        done = subprocess.run(
            ["bash", "-ec", block], env={**os.environ, **variables}, capture_output=True, check=True, timeout=PATIENCE
        )
        return json.loads(done.stdout)

    def test_the_first_steps_of_the_introduction_work_as_written(self):
        create, publish, look = code_of("console")

        webhook = self.run_block(create)
        event = self.run_block(publish)
        deadline = time.monotonic() + PATIENCE
        while not (page := self.run_block(look, ID=webhook["id"]))["data"]:
            self.assertLess(time.monotonic(), deadline, "the event has no delivery")

        self.assertEqual(page["data"][0]["event_id"], event["id"])


if __name__ == "__main__":
    unittest.main()
