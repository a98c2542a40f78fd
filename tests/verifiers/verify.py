"""Checks a request on standard input with the verifiers that receivers use, untouched.

Input: {"secret": ..., "headers": {...}, "body": ...}. Each verifier must accept the request and
must refuse it with a changed body.
"""

import json
import sys

import standardwebhooks
import stripe
import svix

request = json.load(sys.stdin)
secret, headers, body = request["secret"], request["headers"], request["body"]

VERIFIERS = {
    "standardwebhooks": lambda text: standardwebhooks.Webhook(secret).verify(text, headers),
    "svix": lambda text: svix.Webhook(secret).verify(text, headers),
    "stripe": lambda text: stripe.WebhookSignature.verify_header(
        text, headers["x-webhook-signature"], secret, tolerance=300
    ),
}

for name, verify in VERIFIERS.items():
    verify(body)
    try:
        verify(body.replace("license", "licence"))
    except Exception:
        print(f"{name}: accepts the request, refuses a changed one")
    else:
        sys.exit(f"{name} accepts a changed body")
