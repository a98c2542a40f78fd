"""Receives webhook requests: verifies the signature, prints the event, responds."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    # Keeps connections open between requests.
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        # The signature is over these bytes. JSON that is parsed and written again has others.
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            webhook.verify(body, headers)
            # A real receiver stores the event here, passes over a `webhook-id` that it has stored
            # before, and works on the event after its response.
            print("verified", body.decode(), flush=True)
            self.send_response(200)
        except WebhookVerificationError as error:
            print("refused:", error, flush=True)
            self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Prints no access log."""


address = ("127.0.0.1", int(os.environ.get("PORT", "8090")))
print("waiting for requests on http://%s:%d" % address, flush=True)
ThreadingHTTPServer(address, Receiver).serve_forever()
