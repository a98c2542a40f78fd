"""Publishes one event, and is sure that RabbitMQ has it on disk: publish.py [environment] [type]"""

import json
import os
import sys
import uuid
from datetime import datetime, timezone

import pika

environment = sys.argv[1] if len(sys.argv) > 1 else "production"
event_type = sys.argv[2] if len(sys.argv) > 2 else "license.activated"
event = {
    # Publish the same event again, under the same id, if the outcome is unknown.
    "id": str(uuid.uuid4()),
    "type": event_type,
    "environment": environment,
    "timestamp": datetime.now(timezone.utc).isoformat(),
    "data": {"license_id": "lic_42", "seats": 5},
}

with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
    channel = connection.channel()
    # With confirms, basic_publish returns when the broker has the message, and raises otherwise.
    channel.confirm_delivery()
    channel.basic_publish(
        exchange="webhooks.events",
        routing_key=f"{environment}.{event_type}",
        body=json.dumps(event).encode(),
        properties=pika.BasicProperties(
            content_type="application/json",
            message_id=event["id"],
            delivery_mode=pika.DeliveryMode.Persistent,
        ),
        # Raises UnroutableError, instead of dropping the event, when no queue is bound.
        mandatory=True,
    )
print("published event", event["id"])
