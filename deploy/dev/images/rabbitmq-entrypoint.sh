#!/bin/bash
# Starts RabbitMQ as the official image does: as the user rabbitmq, who owns the data.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
  exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
fi
exec "$@"
