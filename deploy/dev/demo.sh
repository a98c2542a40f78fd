# Everything at once, with a webhook and an event to look at. Sourced by ./dev.

json_field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# An event as a platform service would publish it. $1 is its id.
sample_event() {
  printf '{"id":"%s","type":"license.activated","environment":"production","timestamp":"%s","data":{"license_id":"lic_42","seats":5}}' \
    "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

demo_webhook() {
  printf '{"name":"Demo receiver","url":"%s","environment":"production","event_types":["*"]}' "$1"
}

# Gives the demo receiver a webhook, once; and again when its address changed.
create_demo_webhook() {
  local url=http://127.0.0.1:$1/hook
  [ "$(cat "$run/demo.url" 2>/dev/null)" = "$url" ] && return
  say "a demo webhook for $url"
  demo_webhook "$url" | curl -fsS "http://127.0.0.1:$2/api/v1/webhooks" \
    -H "Authorization: Bearer $(cat "$run/owner.key")" --json @- | json_field secret >> "$run/demo.secrets"
  echo "$url" > "$run/demo.url"
}

up() {
  if part_runs "$run" api && part_runs "$run" dispatcher; then
    say "it is up already"
    summary
    return
  fi
  stop_all "$run"
  start_servers "$run"
  need_packages amqp-tools
  say "build (the first time takes some minutes)"
  cargo build --workspace --bins --locked --quiet
  umask 077
  [ -f "$run/sealing.key" ] || head -c 32 /dev/urandom | base64 > "$run/sealing.key"
  touch "$run/demo.secrets"
  export WEBHOOK_SECRET_KEY_FILE=$run/sealing.key WEBHOOK_ALLOW_HTTP=true WEBHOOK_ALLOW_NETWORKS=127.0.0.0/8
  local api dispatcher operations receiver
  say "migrate"
  target/debug/webhook-api migrate
  [ -s "$run/owner.key" ] || target/debug/webhook-api keys create --role owner --name "./dev up" > "$run/owner.key"
  api=$(port_of "$run" api 8080)
  dispatcher=$(port_of "$run" dispatcher 8081)
  operations=$(port_of "$run" api-operations 8082)
  receiver=$(port_of "$run" receiver 8090)
  say "webhook-api, webhook-dispatcher and a demo receiver"
  start_part "$run" api env LISTEN=127.0.0.1:"$api" OPERATIONS_LISTEN=127.0.0.1:"$operations" target/debug/webhook-api
  start_part "$run" dispatcher env OPERATIONS_LISTEN=127.0.0.1:"$dispatcher" target/debug/webhook-dispatcher
  start_part "$run" receiver target/debug/webhook-api listen --listen 127.0.0.1:"$receiver" --secret-file "$run/demo.secrets"
  wait_for webhook-api "$run/logs/api.log" curl -fsS "http://127.0.0.1:$api/readyz"
  wait_for webhook-dispatcher "$run/logs/dispatcher.log" curl -fsS "http://127.0.0.1:$dispatcher/readyz"
  create_demo_webhook "$receiver" "$api"
  publish_demo_event
  summary
}

publish_demo_event() {
  local id
  id=$(cat /proc/sys/kernel/random/uuid)
  say "publish license.activated through RabbitMQ"
  sample_event "$id" | amqp-publish --url="$(amqp_url)" -e webhooks.events -r production.license.activated -C application/json -p
  wait_for "the delivery of event $id" "$run/logs/dispatcher.log" grep -q "webhook-id: $id" "$run/logs/receiver.log"
  say "the request as it arrived"
  grep -B 12 -A 30 "webhook-id: $id" "$run/logs/receiver.log" | sed -n '/^--- POST/,/^--- verified/p' | tail -n 30
}

amqp_url() { echo "amqp://guest:guest@127.0.0.1:$(cat "$run/amqp.port")/%2f"; }

summary() {
  local api key
  api=http://127.0.0.1:$(cat "$run/api.port")
  key=$(cat "$run/owner.key")
  cat <<TEXT

Portal     $api/admin/webhooks   (sign in with the owner key)
API        $api/api/v1          docs $api/api/docs/
owner key  $key
Metrics    API http://127.0.0.1:$(cat "$run/api-operations.port")/metrics, dispatcher http://127.0.0.1:$(cat "$run/dispatcher.port")/metrics
RabbitMQ   $(amqp_url)   (management on port $(cat "$run/management.port"))

See the deliveries:
  curl -s $api/api/v1/deliveries -H 'Authorization: Bearer $key'

Publish an event over AMQP (each needs an id of its own):
  echo '$(sample_event "'\$(cat /proc/sys/kernel/random/uuid)'")' |
    amqp-publish --url=$(amqp_url) -e webhooks.events -r production.license.activated -p

TEXT
}

follow_until_ctrl_c() {
  trap 'echo; say "stopping"; stop_all "$run"; exit 0' INT TERM
  say "logs, until Ctrl-C"
  tail -q -n 0 -F "$run"/logs/{api,dispatcher,receiver}.log &
  wait $! || true
}

status() {
  local part
  if [ -e "$run/postgres" ] && pg pg_ctl -D "$(readlink -f "$run/postgres")" status >/dev/null 2>&1; then
    echo "postgres    up    port $(cat "$run/postgres.port")"
  else
    echo "postgres    down"
  fi
  for part in "${parts[@]}"; do
    if part_runs "$run" "$part"; then
      printf '%-11s up    port %s\n' "$part" "$(cat "$run/${part/rabbitmq/amqp}.port")"
    else
      printf '%-11s down\n' "$part"
    fi
  done
}

# Whether the engine's API accepts the key of an earlier run: the data of an engine may have been removed since.
docker_key_holds() {
  [ -s "$run/docker.key" ] && curl -fsS -o /dev/null http://127.0.0.1:8080/api/v1/webhooks \
    -H "Authorization: Bearer $(cat "$run/docker.key")" 2>/dev/null
}

# An owner key and a webhook for the demo receiver, once for the data of an engine.
create_docker_demo() {
  docker_key_holds && return
  say "an owner key, and a demo webhook"
  (umask 077; docker compose exec -T api webhook-api keys create --role owner --name "./dev up --docker" > "$run/docker.key")
  demo_webhook http://receiver:8090/hook | curl -fsS http://127.0.0.1:8080/api/v1/webhooks \
    -H "Authorization: Bearer $(cat "$run/docker.key")" --json @- | json_field secret >> "$run/docker/demo.secrets"
}

# Waits until the demo receiver's log has event $1 with a signature that holds.
wait_for_receiver() {
  local tries=0
  # Compose may begin each line with a code for terminals.
  until docker compose logs --no-color --no-log-prefix receiver | sed -n "/webhook-id: $1/,/--- /p" | grep -e '--- verified'; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || die "event $1 did not arrive; see docker compose logs dispatcher receiver"
    sleep 0.5
  done
}

# The same in containers, where a Docker engine answers. --detach: without the logs at the end.
up_with_docker() {
  docker info >/dev/null 2>&1 || die "no Docker engine answers"
  docker compose version >/dev/null 2>&1 || die "docker compose is missing: the plugin of version 2"
  # The receiver's user is another than this one, and reads the secrets of its own webhook alone.
  mkdir -p "$run/docker"
  chmod 755 "$run/docker"
  touch "$run/docker/demo.secrets"
  chmod 644 "$run/docker/demo.secrets"
  deploy/compose-env.sh
  # The demo receiver has a private address and no certificate; without the demo neither is allowed.
  export WEBHOOK_ALLOW_NETWORKS=${WEBHOOK_ALLOW_NETWORKS:-172.16.0.0/12,192.168.0.0/16} WEBHOOK_ALLOW_HTTP=true
  docker compose --profile demo up --build --detach --wait
  create_docker_demo
  local id key
  key=$(cat "$run/docker.key")
  id=$(cat /proc/sys/kernel/random/uuid)
  say "publish license.activated"
  sample_event "$id" | curl -fsS http://127.0.0.1:8080/api/v1/events -H "Authorization: Bearer $key" --json @-
  echo
  wait_for_receiver "$id"
  say "API http://127.0.0.1:8080/api/docs/, owner key $key; docker compose --profile demo down stops everything"
  [ "${1:-}" = --detach ] || docker compose --profile demo logs --follow api dispatcher receiver
}
