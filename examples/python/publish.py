"""Publishes one event, and is sure that RabbitMQ has it on disk: publish.py [environment] [type]"""

import json
import os
import sys
import time
import uuid
from datetime import datetime, timezone

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, UnroutableError

# A larger event would be set aside, not delivered.
MAX_EVENT_BYTES = 256 * 1024
# Seconds between tries: long enough for a restart of the broker behind a load balancer.
PAUSES = [0.5, 1, 2, 4]
# Seconds of the heartbeat: a connection counts as lost after two to three without a sign of the broker.
BROKER_TIMEOUT = 10


def new_event(environment, event_type):
    return {
        "id": str(uuid.uuid4()),
        "type": event_type,
        "environment": environment,
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "data": {"license_id": "lic_42", "seats": 5},
    }


def publish(event, body):
    """Returns when the broker has the event on disk, and raises otherwise."""
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.heartbeat = BROKER_TIMEOUT
    parameters.blocked_connection_timeout = BROKER_TIMEOUT
    # Receivers see the publisher's place in its trace (W3C Trace Context).
    traceparent = os.environ.get("TRACEPARENT")
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        # With confirms, basic_publish returns when the broker has the message, and raises otherwise.
        channel.confirm_delivery()
        channel.basic_publish(
            exchange="webhooks.events",
            routing_key=f"{event['environment']}.{event['type']}",
            body=body,
            properties=pika.BasicProperties(
                content_type="application/json",
                message_id=event["id"],
                delivery_mode=pika.DeliveryMode.Persistent,
                headers={"traceparent": traceparent} if traceparent else None,
            ),
            # Raises UnroutableError, instead of dropping the event, when no queue is bound.
            mandatory=True,
        )


def main():
    if not os.environ.get("AMQP_URL"):
        sys.exit("AMQP_URL is missing: the address of RabbitMQ, amqp://…")
    environment = sys.argv[1] if len(sys.argv) > 1 else "production"
    event_type = sys.argv[2] if len(sys.argv) > 2 else "license.activated"
    event = new_event(environment, event_type)
    body = json.dumps(event).encode()
    if len(body) > MAX_EVENT_BYTES:
        sys.exit(f"event of {len(body)} bytes is larger than {MAX_EVENT_BYTES}")
    # Every try publishes the same bytes: an id that was seen before is delivered once.
    for pause in [*PAUSES, None]:
        try:
            publish(event, body)
            print("published event", event["id"])
            return
        except UnroutableError:
            sys.exit(f"no queue takes {environment}.{event_type}: is a service running?")
        except ChannelClosedByBroker as error:
            # A missing exchange, a missing right: the next try would end alike.
            sys.exit(f"the broker refused the event: {error!r}")
        except (AMQPError, AMQPConnectorException, OSError) as error:
            if pause is None:
                sys.exit(f"outcome of event {event['id']} is unknown, publish it again under its id: {error!r}")
            print(f"publishing again in {pause} s: {error!r}", file=sys.stderr)
            time.sleep(pause)


main()
