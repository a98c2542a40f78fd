"""The receivers of all webhooks of a drill: one server, a path for each webhook."""

import http.server
import json
import threading
import time

# Until the restore. The name of a webhook → status of the response, seconds before the response.
BEFORE = {"failing": (503, 0), "inactive": (503, 0), "slow": (200, 0.4), "ordered": (200, 0.1)}
AFTER = (200, 0)
# This file in the drill's folder makes every webhook accept at once.
MENDED = "mended"


def receive(notes, port):
    """Serves until the process is ended."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.daemon_threads = True
    server.notes, server.record, server.lock = notes, notes.appending("requests"), threading.Lock()
    server.serve_forever()


class Handler(http.server.BaseHTTPRequestHandler):
    """Records a request with its response before the response is sent: what is recorded as accepted may be unknown to
    the dispatcher, and never the other way round."""

    protocol_version = "HTTP/1.1"
    # Head and end of a response would otherwise wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        webhook = self.path.strip("/")
        is_mended = self.server.notes.has(MENDED)
        status, delay = AFTER if is_mended else BEFORE.get(webhook, AFTER)
        time.sleep(delay)
        request = {
            "at": time.time(),
            "webhook": webhook,
            "id": self.headers["webhook-id"],
            "timestamp": self.headers["webhook-timestamp"],
            "signature": self.headers["webhook-signature"],
            "body": body,
            "status": status,
            # A request on its way during the disaster belongs to the time before.
            "after": is_mended,
        }
        with self.server.lock:
            self.server.record.write(json.dumps(request) + "\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
