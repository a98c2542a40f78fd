"""What a restore promises, compared with what the receivers got. `Outcome` holds the sets, `promises` the comparisons."""

import time

from .notes import count, must, wait_until
from .promises import promises
from .publisher import new_event, publish_again, publish_one, published

# Publishers go back this many seconds behind the time of the backup: clocks differ, and events wait in the queue.
MARGIN = 5


class Outcome:
    """Deliveries are pairs of a webhook's name and an event's id."""

    def __init__(self, notes):
        self.notes = notes
        self.state = notes.read("state")
        self.backup_at, self.disaster_at = notes.number("backup-at"), notes.number("disaster-at")
        names = {webhook["id"]: name for name, webhook in self.state["webhooks"].items()}
        known = [(names[webhook], event, status) for webhook, event, status in notes.table("known-deliveries")]
        self.known_events = {event for (event,) in notes.table("known-events")}
        self.pending = {(name, event) for name, event, status in known if status == "pending"}
        self.succeeded = {(name, event) for name, event, status in known if status == "succeeded"}
        self.events, self.confirmed = published(notes)
        self.again = [
            event for at, event in sorted(self.events.values(), key=lambda pair: pair[1]["data"]["number"])
            if at >= self.backup_at - MARGIN
        ]
        # The inactive webhook is Inactive in the backup: events that are taken in anew are not owed to it.
        self.owed_anew = {
            (name, event["id"])
            for event in self.again
            if event["id"] not in self.known_events
            for name in self.state["webhooks"]
            if name != "inactive" and is_selected(name, event["type"])
        }
        self.read_requests()

    def read_requests(self):
        """Requests before and after the disaster."""
        requests = self.notes.lines("requests")
        self.before = [request for request in requests if not request["after"]]
        self.after = [request for request in requests if request["after"]]
        self.accepted_before = accepted(self.before)
        self.accepted_after = accepted(self.after)


def is_selected(name, event_type):
    return {"slow": "license.", "ordered": "contract."}.get(name, "") in event_type


def accepted(requests):
    return {(request["webhook"], request["id"]) for request in requests if request["status"] == 200}


def verify(notes):
    """Prints a line with figures for each promise. The exit code is 1 when one is broken."""
    outcome = Outcome(notes)
    outcome.first_delivery_at = wait_for_first_delivery(outcome)
    ready = ", the empty servers stood ready" if notes.has("servers-stood-ready") else ""
    print(f"      {outcome.disaster_at - outcome.backup_at:.1f} s between the backup and the disaster: the window")
    print(f"      {outcome.first_delivery_at - outcome.disaster_at:.1f} s from the disaster to the first delivery{ready}")
    publish_the_window(outcome)
    wait_for_active_webhooks(outcome)
    outcome.inactive_before_activation = sum(request["webhook"] == "inactive" for request in outcome.after)
    activate(outcome)
    held = [(verdict == "ok", text) for verdict, text in notes.table("promises")] + list(promises(outcome))
    for holds, text in held:
        print(f"{'ok  ' if holds else 'FAIL'}  {text}")
    return 0 if all(holds for holds, _ in held) else 1


def wait_for_first_delivery(outcome):
    def first():
        outcome.read_requests()
        return min((request["at"] for request in outcome.after if request["status"] == 200), default=None)

    return wait_until("the first delivery", first)


def publish_the_window(outcome):
    """Publishes all events of the window, and an event of another environment as their end: when the end is stored, all
    events before have been taken in."""
    outcome.lost_before_publishing = len(outcome.events.keys() - outcome.known_events)
    publish_again(outcome.again)
    end = new_event(0) | {"environment": "staging"}
    publish_one(end)
    wait_until("the last event", lambda: count(f"select count(*) from events where id = '{end['id']}'"))


def wait_for_active_webhooks(outcome):
    inactive = outcome.state["webhooks"]["inactive"]["id"]
    pending = f"select count(*) from deliveries where status = 'pending' and webhook_id != '{inactive}'"
    wait_until("the end of all deliveries to Active webhooks", lambda: count(pending) == 0)
    outcome.read_requests()


def activate(outcome):
    """Sets the Inactive webhook Active, and waits for its deliveries."""
    inactive = outcome.state["webhooks"]["inactive"]["id"]
    must("POST", f"/api/v1/webhooks/{inactive}/activate", key=outcome.state["owner"])
    pending = "select count(*) from deliveries where status = 'pending'"
    wait_until("the end of all deliveries", lambda: count(pending) == 0)
    outcome.ended_at = time.time()
    outcome.read_requests()
