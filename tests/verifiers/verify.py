"""Checks requests on standard input with the verifiers that receivers use, untouched.

Input: {"secret": ..., "requests": [{"headers": {...}, "body": ...}, ...]}. Each verifier must
accept each request and must refuse it with a changed body. Prints how many each accepted.
"""

import json
import sys

import standardwebhooks
import stripe
import svix

asked = json.load(sys.stdin)
secret = asked["secret"]

VERIFIERS = {
    "standardwebhooks": lambda text, headers: standardwebhooks.Webhook(secret).verify(text, headers),
    "svix": lambda text, headers: svix.Webhook(secret).verify(text, headers),
    "stripe": lambda text, headers: stripe.WebhookSignature.verify_header(
        text, headers["x-webhook-signature"], secret, tolerance=300
    ),
}

for name, verify in VERIFIERS.items():
    for request in asked["requests"]:
        verify(request["body"], request["headers"])
        try:
            verify(request["body"] + " ", request["headers"])
        except Exception:
            continue
        sys.exit(f"{name} accepts a changed body")
    print(name, len(asked["requests"]))
