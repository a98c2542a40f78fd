"""Python's own http.server. The argument is the protocol version, HTTP/1.0 or HTTP/1.1."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import request_log


class Hook(BaseHTTPRequestHandler):
    protocol_version = sys.argv[1]

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        request_log.write(lambda name: self.headers[name])
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hook).serve_forever()
