"""The promises of docs/backup.md. Each function compares the sets of an outcome, and gives whether the promise holds and
a sentence with the figures."""

import base64
import hashlib
import hmac
from collections import Counter

from .notes import ask, count
from .platform_state import observed


def promises(outcome):
    yield from pending_goes_on(outcome)
    yield inactive_stays_inactive(outcome)
    yield succeeded_is_not_repeated(outcome)
    yield repeats_are_those_of_the_window(outcome)
    yield repeats_are_the_same(outcome)
    yield from events_of_the_window_arrive(outcome)
    yield order_is_kept(outcome)
    yield signatures_hold(outcome)
    yield from keys_and_sessions_work(outcome)
    yield audit_log_is_there(outcome)
    yield settings_are_there(outcome)
    yield nothing_is_left(outcome)


def pending_goes_on(outcome):
    """One promise for each webhook with pending deliveries, and one for those that had none."""
    for name, total in sorted(Counter(name for name, _ in outcome.pending).items()):
        arrived = sum(pair[0] == name for pair in outcome.pending & outcome.accepted_after)
        yield arrived == total, f"pending in the backup, webhook {name}: {total}, arrived {arrived}"
    needed = {"failing", "inactive", "slow"}
    missing = needed - {name for name, _ in outcome.pending}
    yield not missing, f"webhooks that the drill needs pending deliveries of: {len(needed)}, without: {len(missing)}"


def inactive_stays_inactive(outcome):
    sent = outcome.inactive_before_activation
    return sent == 0, f"requests to the Inactive webhook before its activation: {sent}"


def succeeded_is_not_repeated(outcome):
    repeated = outcome.succeeded & requested(outcome.after)
    known = sum(event["id"] in outcome.known_events for event in outcome.again)
    return bool(outcome.succeeded) and not repeated, (
        f"succeeded in the backup: {len(outcome.succeeded)}, sent again: {len(repeated)}"
        f" ({known} of the events published again were known)"
    )


def repeats_are_those_of_the_window(outcome):
    """Accepted before the disaster and sent again: pending in the backup, or published again and unknown to the backup."""
    repeated = outcome.accepted_before & requested(outcome.after)
    of_pending = outcome.accepted_before & outcome.pending
    of_published = outcome.accepted_before & outcome.owed_anew
    return repeated == of_pending | of_published, (
        f"succeeded before the disaster, sent again: {len(repeated)}; pending in the backup {len(of_pending)},"
        f" published again {len(of_published)}, unexplained {len(repeated - of_pending - of_published)}"
    )


def repeats_are_the_same(outcome):
    """A repeat has the `webhook-id` of the first request by definition; the body is compared."""
    bodies = {(request["webhook"], request["id"]): request["body"] for request in outcome.before}
    repeats = [request for request in outcome.after if (request["webhook"], request["id"]) in bodies]
    other = sum(bodies[request["webhook"], request["id"]] != request["body"] for request in repeats)
    return other == 0, f"requests with a webhook-id from before the disaster: {len(repeats)}, with another body: {other}"


def events_of_the_window_arrive(outcome):
    lost, again = outcome.lost_before_publishing, len(outcome.again)
    unconfirmed = len(outcome.events.keys() - outcome.confirmed)
    missing = outcome.owed_anew - outcome.accepted_after
    yield not missing, (
        f"events missing in the restored database: {lost} ({unconfirmed} never confirmed); published again, with a margin:"
        f" {again}; deliveries owed anew: {len(outcome.owed_anew)}, arrived: {len(outcome.owed_anew - missing)}"
    )
    owed = outcome.pending | outcome.owed_anew
    more = len(requested(outcome.after) - owed)
    twice = sum(number > 1 for number in Counter(accepted_pairs(outcome.after)).values())
    yield more == 0, f"deliveries after the restore: {len(requested(outcome.after))}, owed: {len(owed)}, more: {more}, twice: {twice}"
    never = {(name, event) for name in ("steady", "failing") for event in outcome.events}
    never -= outcome.accepted_before | outcome.accepted_after
    yield not never, f"events of the drill: {len(outcome.events)}, that never arrived at a webhook for all events: {len(never)}"


def order_is_kept(outcome):
    """First requests to the ordered webhook after the restore, key by key."""
    numbers, latest, wrong = {event["id"]: event["data"] for _, event in outcome.events.values()}, {}, 0
    for request in outcome.after:
        if request["webhook"] == "ordered":
            data = numbers[request["id"]]
            wrong += latest.get(data["license_id"], -1) > data["number"]
            latest[data["license_id"]] = data["number"]
    return bool(latest) and wrong == 0, f"ordered webhook: {len(latest)} keys, out of order: {wrong}"


def signatures_hold(outcome):
    """Every secret of a webhook signs: a replaced secret too, while its grace period lasts."""
    webhooks = outcome.state["webhooks"]
    broken = sum(not is_signed(request, webhooks[request["webhook"]]["secrets"]) for request in outcome.after)
    both = sum(len(request["signature"].split()) == 2 for request in outcome.after)
    return bool(both) and broken == 0, (
        f"requests after the restore: {len(outcome.after)}, signatures that do not hold: {broken}; with the replaced secret: {both}"
    )


def is_signed(request, secrets):
    """Standard Webhooks 1.0.0, over the bytes that arrived."""
    text = f"{request['id']}.{request['timestamp']}.{request['body']}".encode()
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    wanted = {f"v1,{base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()}" for key in keys}
    return wanted == set(request["signature"].split())


def keys_and_sessions_work(outcome):
    keys, has_window = outcome.state["keys"], outcome.notes.has("window-is-kept")
    owner, viewer = status_of(outcome.state["owner"]), status_of(keys["viewer"]["key"])
    revoked = status_of(keys["revoked"]["key"])
    yield (owner, viewer, revoked) == (200, 200, 401), f"API keys: owner {owner}, viewer {viewer}, revoked before the backup {revoked}"
    cookie = outcome.state["cookie"]
    session, page = (ask("GET", path, cookie=cookie)[0] for path in ("/api/v1/session", "/admin/webhooks"))
    yield (session, page) == (200, 200), f"session of before the backup: {session}, the portal's page {page}"
    new, later = status_of(outcome.notes.read("new-key")["key"]), status_of(keys["revoked later"]["key"])
    wanted = (200, 401) if has_window else (401, 200)
    fate = "kept" if has_window else "lost"
    yield (new, later) == wanted, f"changes after the backup are {fate}: key created then {new}, key revoked then {later}"


def status_of(key):
    return ask("GET", "/api/v1/webhooks", key=key)[0]


def audit_log_is_there(outcome):
    wanted = outcome.notes.read("observed")["audit"]
    # The activation after the restore is an entry more.
    found = observed(outcome.state["owner"])["audit"]
    missing = sum(entry not in found for entry in wanted)
    return bool(wanted) and missing == 0, f"entries of the audit log: {len(wanted)}, missing or changed: {missing}"


def settings_are_there(outcome):
    wanted, found = outcome.notes.read("observed")["settings"], observed(outcome.state["owner"])["settings"]
    other = sorted(name for name in wanted if wanted[name] != found.get(name))
    return not other, f"settings, retry policies among them: {len(wanted)}, changed: {len(other)} {' '.join(other)}".rstrip()


def nothing_is_left(outcome):
    pending = count("select count(*) from deliveries where status = 'pending'")
    twice = count("select count(*) from (select from deliveries group by webhook_id, event_id having count(*) > 1) twice")
    return pending == twice == 0, (
        f"{outcome.ended_at - outcome.disaster_at:.1f} s from the disaster until all has arrived; pending: {pending},"
        f" deliveries with two rows: {twice}"
    )


def requested(requests):
    return set(accepted_pairs(requests))


def accepted_pairs(requests):
    """After the restore every receiver accepts every request."""
    return [(request["webhook"], request["id"]) for request in requests]
