"""Asks a `verify` of the guide: secret and headers are the arguments, the body is the input."""

import sys

from verify import verify

NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-webhook-signature"]
secret, *headers = sys.argv[1:]
try:
    verify(secret, dict(zip(NAMES, headers)), sys.stdin.buffer.read())
    print("accepted")
except Exception:
    print("refused")
