"""The state of the platform before the disaster: webhooks, keys, a session, settings, the audit log."""

from .notes import ask, must

# Name → event types and delivery options. `receiver.BEFORE` tells how each receiver behaves.
WEBHOOKS = {
    "steady": (["*"], {}),
    "slow": (["license.*"], {"max_concurrency": 8}),
    "ordered": (["contract.*"], {"ordering": "by_key", "ordering_key": "license_id"}),
    "failing": (["*"], {}),
    "inactive": (["*"], {}),
}
# Retries soon, and more of them than a drill has time for: no delivery fails for good.
RETRY_POLICY = {
    "max_attempts": 50,
    "initial_interval_ms": 1000,
    "multiplier": 1.5,
    "max_interval_ms": 3000,
    "jitter": 0.2,
    "timeout_ms": 15000,
}


def prepare(notes, owner, receiver):
    """Makes everything through the API. `owner` is the key of an owner, `receiver` the port of the receivers."""
    webhooks = {}
    for name, (event_types, options) in WEBHOOKS.items():
        body = {"name": name, "url": f"http://127.0.0.1:{receiver}/{name}", "environment": "production"}
        made = must("POST", "/api/v1/webhooks", body | options | {"event_types": event_types}, owner)
        webhooks[name] = {"id": made["id"], "secrets": [made["secret"]]}
    # The replaced secret signs beside the new one until the grace period ends.
    steady = webhooks["steady"]
    rotated = must("POST", f"/api/v1/webhooks/{steady['id']}/secret/rotate", {"grace_period": "24h"}, owner)
    steady["secrets"].append(rotated["secret"])
    keys = {name: create_key(name, owner) for name in ("viewer", "revoked", "revoked later")}
    revoke(keys["revoked"], owner)
    _, _, cookie = ask("POST", "/api/v1/session", {"key": keys["viewer"]["key"]})
    must("PUT", "/api/v1/retry-policies/production", RETRY_POLICY, owner)
    must("PATCH", "/api/v1/settings", {"retention": {"deliveries": "14d"}, "disable_after": "3d"}, owner)
    notes.write("state", {"owner": owner, "webhooks": webhooks, "keys": keys, "cookie": cookie})


def create_key(name, owner):
    return must("POST", "/api/v1/api-keys", {"name": name, "role": "viewer"}, owner)


def revoke(key, owner):
    must("DELETE", f"/api/v1/api-keys/{key['id']}", key=owner)


def deactivate(notes):
    state = notes.read("state")
    must("POST", f"/api/v1/webhooks/{state['webhooks']['inactive']['id']}/deactivate", key=state["owner"])


def observed(owner):
    """The audit log and the settings with the retry policies, as the API shows them."""
    return {
        "audit": must("GET", "/api/v1/audit?limit=100", key=owner)["data"],
        "settings": must("GET", "/api/v1/settings", key=owner),
    }


def note(notes):
    notes.write("observed", observed(notes.read("state")["owner"]))


def change(notes):
    """Changes of the window, which a dump does not have: a new key, a revoked key, a setting."""
    state = notes.read("state")
    owner = state["owner"]
    notes.write("new-key", create_key("new", owner))
    revoke(state["keys"]["revoked later"], owner)
    must("PATCH", "/api/v1/settings", {"disable_after": "9d"}, owner)
