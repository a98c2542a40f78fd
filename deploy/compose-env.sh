#!/usr/bin/env bash
# Makes .env for docker-compose.yml, once: a sealing key and passwords that no other installation has. Missing names are
# added to a file that is there, and no value is ever replaced: the databases keep the passwords of their first start,
# and without the sealing key no secret of a webhook can be opened.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
touch .env

# Hexadecimal: a password stands in an address as it is.
password() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }
add() {
  grep -q "^$1=." .env && return
  # An editor may have left the last line without an end.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  printf '%s=%s\n' "$1" "$2" >>.env
  echo "compose-env.sh: $1 added to .env"
}

add WEBHOOK_SECRET_KEY "$(head -c 32 /dev/urandom | base64)"
add POSTGRES_PASSWORD "$(password)"
add RABBITMQ_PASSWORD "$(password)"
add GRAFANA_PASSWORD "$(password)"
