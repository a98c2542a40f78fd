"""An application for gunicorn."""

import request_log


def application(environ, start_response):
    environ["wsgi.input"].read()
    request_log.write(lambda name: environ["HTTP_" + name.upper().replace("-", "_")])
    start_response("200 OK", [("content-length", "2")])
    return [b"ok"]
