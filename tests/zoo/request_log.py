"""The request log of all Python servers: one line and one write for each request, before the answer."""

import os

NAMES = ["webhook-id", "x-webhook-delivery", "x-webhook-attempt"]
LOG = os.open(os.environ["REQUEST_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def write(value_of):
    line = " ".join(value_of(name) for name in NAMES)
    os.write(LOG, f"{line}\n".encode())
