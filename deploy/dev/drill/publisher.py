"""A platform service that publishes events, remembers them, and publishes them again after a restore."""

import json
import os
import threading
import time
import uuid
from datetime import datetime, timezone

import pika
import pika.exceptions

# Connections that publish at once: each waits for the confirm of an event before the next event.
CONNECTIONS = 4
# Keys of the ordered webhook. A multiple of CONNECTIONS, so that events of a key share a connection and keep their order.
KEYS = 20
# Most events of a drill, should the disaster never come.
MAX_EVENTS = 20_000
TYPES = ("license.activated", "contract.suspended")


def new_event(number):
    return {
        "id": str(uuid.uuid4()),
        "type": TYPES[number // KEYS % len(TYPES)],
        "environment": "production",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {"license_id": f"lic_{number % KEYS}", "number": number},
    }


class Channel:
    """A connection to RabbitMQ with confirms."""

    def __init__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def publish(self, event):
        """Returns when RabbitMQ has the event, and raises otherwise."""
        self.channel.basic_publish(
            exchange="webhooks.events",
            routing_key=f"{event['environment']}.{event['type']}",
            body=json.dumps(event).encode(),
            properties=pika.BasicProperties(content_type="application/json", delivery_mode=pika.DeliveryMode.Persistent),
            mandatory=True,
        )


def publish_until_the_disaster(notes, rate):
    """Publishes `rate` events a second. Each event is noted before RabbitMQ is asked, as a publisher's outbox would
    have the event, and again with the confirm."""
    record, lock, began = notes.appending("published"), threading.Lock(), time.monotonic()

    def note(line):
        with lock:
            record.write(json.dumps(line) + "\n")

    def publish(place):
        try:
            channel = Channel()
            for number in range(place, MAX_EVENTS, CONNECTIONS):
                time.sleep(max(0, began + number / float(rate) - time.monotonic()))
                event = new_event(number)
                note({"at": time.time(), "event": event})
                channel.publish(event)
                note({"confirmed": event["id"]})
        except (pika.exceptions.AMQPError, OSError) as error:
            note({"at": time.time(), "gone": type(error).__name__})

    in_parallel(publish)


def published(notes):
    """All events with the times at which a publisher had them, and the ids of those that RabbitMQ confirmed."""
    lines = notes.lines("published")
    events = {line["event"]["id"]: (line["at"], line["event"]) for line in lines if "event" in line}
    return events, {line["confirmed"] for line in lines if "confirmed" in line}


def publish_again(events):
    """Publishes events again, each with its id and its bytes, in the order of a key."""

    def publish(place):
        channel = Channel()
        for event in events:
            if event["data"]["number"] % CONNECTIONS == place:
                channel.publish(event)
        channel.connection.close()

    in_parallel(publish)


def publish_one(event):
    channel = Channel()
    channel.publish(event)
    channel.connection.close()


def in_parallel(work):
    threads = [threading.Thread(target=work, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
