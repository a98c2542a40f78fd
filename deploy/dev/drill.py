#!/usr/bin/env python3
"""The parts of ./dev drill that are no commands of an operator; drill.sh calls them in the order of this list.

    drill.py receive <folder> <port>     records every request; some webhooks fail or are slow until the restore
    drill.py prepare <folder>            webhooks, keys, a session, settings, and notes about all of them
    drill.py publish <folder> <rate>     publishes events until RabbitMQ is gone
    drill.py deactivate <folder>         sets one webhook Inactive, which keeps its pending deliveries
    drill.py note <folder>               notes the audit log and the settings as the backup must have them
    drill.py change <folder>             changes keys and settings after the backup
    drill.py verify <folder>             publishes the window again, and tells whether each promise holds

`<folder>` is the drill's. API_URL, AMQP_URL and DATABASE_URL name the servers. The exit code of `verify` is 1 when a
promise is broken.
"""

import sys

from drill import platform_state, publisher, receiver, verification
from drill.notes import Notes

VERBS = {
    "receive": receiver.receive,
    "prepare": platform_state.prepare,
    "publish": publisher.publish_until_the_disaster,
    "deactivate": platform_state.deactivate,
    "note": platform_state.note,
    "change": platform_state.change,
    "verify": verification.verify,
}


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in VERBS:
        print(__doc__.strip())
        return 2
    return VERBS[arguments[0]](Notes(arguments[1]), *arguments[2:]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
