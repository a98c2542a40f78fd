"""An application for hypercorn."""

import request_log


async def application(scope, receive, send):
    if scope["type"] != "http":
        # The lifespan messages at the start and the end of hypercorn.
        raise NotImplementedError
    while (await receive()).get("more_body"):
        pass
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    request_log.write(headers.__getitem__)
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    await send(head)
    await send({"type": "http.response.body", "body": b"ok"})
