"""How a client would fill in what its description cannot tell."""

import json
import os
import re
import uuid

import schemathesis

TEMPLATE = {"text": "{{summary}}"}

FORMATS = ["json", "slack", "discord", "teams", "cloudevents", "custom"]
CHAT_FORMATS = ("slack", "discord", "teams")


@schemathesis.hook
def map_headers(context, headers):
    """An Idempotency-Key is drawn anew for each request; repeats have tests of their own."""
    if headers and isinstance(headers.get("Idempotency-Key"), str):
        headers["Idempotency-Key"] = str(uuid.uuid4())
    return headers


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """A webhook that is there, unless it is to be deleted."""
    operation = context.operation
    of_webhook = path_parameters and operation.path.startswith("/api/v1/webhooks/{id}")
    if of_webhook and operation.method != "delete":
        path_parameters["id"] = os.environ["WEBHOOK_ID"]
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    """Bodies are kept no longer than their deliveries, and these no longer than their events."""
    names = ["bodies", "deliveries", "events"]
    kept = isinstance(body, dict) and body.get("retention")
    if context.operation.path != "/api/v1/settings" or not isinstance(kept, dict):
        return body
    times = ["30d" if kept.get(name) is None else kept[name] for name in names]
    if all(isinstance(time, str) and re.fullmatch("[0-9]+d", time) for time in times):
        times.sort(key=lambda time: int(time[:-1]))
        kept.update(zip(names, times))
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """A template belongs to the format `custom` and has no U+0000; a chat format's URL is secret; the key and the
    webhook of the requests stay. Called for every request of every phase."""
    operation, path = case.operation, case.path_parameters or {}
    deletes = operation.method.lower() == "delete"
    is_key = operation.path == "/api/v1/api-keys/{id}"
    if deletes and (is_key or path.get("id") == os.environ["WEBHOOK_ID"]):
        case.path_parameters = {**path, "id": str(uuid.uuid4())}
    body = case.body
    if isinstance(body, dict) and body.get("action") == "delete" and os.environ["WEBHOOK_ID"] in str(body):
        body["action"] = "deactivate"
    webhooks = body.get("webhooks") if isinstance(body, dict) else None
    for webhook in webhooks if isinstance(webhooks, list) else [body]:
        if not isinstance(webhook, dict):
            continue
        template = webhook.get("template")
        if isinstance(template, dict) and "\\u0000" in json.dumps(template):
            webhook["template"] = TEMPLATE
        if webhook.get("format") not in FORMATS:
            continue
        if isinstance(template, dict):
            webhook["format"] = "custom"
        elif webhook["format"] == "custom" and template is None:
            webhook["template"] = TEMPLATE
        # The URL of a chat service is a password.
        if webhook["format"] in CHAT_FORMATS and webhook.get("url_is_secret") is False:
            webhook["url_is_secret"] = True
