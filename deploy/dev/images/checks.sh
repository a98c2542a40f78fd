# What must hold of the compose file, seen in a running engine. Sourced by images.sh.

# As ./dev up --docker sets for its own call: later calls of compose must not make other containers.
demo_environment=(WEBHOOK_ALLOW_NETWORKS=172.16.0.0/12,192.168.0.0/16 WEBHOOK_ALLOW_HTTP=true)
held=0 failed=0

run_checks() {
  check_first_start
  check_restrictions
  check_scaling
  check_crashes
  check_stop
  check_data
  check_prometheus "$1"
  # The logs of containers that are removed could not be shown.
  [ $failed -gt 0 ] || check_removal
}

# A line for a check. $1: the sentence that holds; the rest: the command.
holds() {
  local sentence=$1 began=$SECONDS
  shift
  if "$@" >"$images_dir/logs/check.log" 2>&1; then
    held=$((held + 1))
    echo "    ok    $sentence ($((SECONDS - began)) s)"
  else
    failed=$((failed + 1))
    echo "    FAIL  $sentence"
    uniq "$images_dir/logs/check.log" | tail -n 8 | sed 's/^/          /'
  fi
}

# Repeats a command until it succeeds, for $1 seconds at most. Limits are long: under `nice` on a machine whose cores are
# taken RabbitMQ's start lasted more than 90 s.
within() {
  local last=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$last" ] || return 1
    sleep 0.5
  done
}

same() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }

# Sums up, with all logs if a check failed.
end_checks() {
  say "differences from the real images"
  if [ ${#differences[@]} -eq 0 ]; then echo "    none"; else printf '    %s\n' "${differences[@]}"; fi
  if [ $failed -gt 0 ]; then
    compose --profile '*' ps --all
    compose --profile '*' logs --tail 40
    grep -v level=info "$images_dir/logs/engine.log" || true
    die "$failed of $((held + failed)) checks failed"
  fi
  say "$held checks hold, $((SECONDS - images_began)) s"
}

first_start() { inside ./dev up --docker --detach; }

check_first_start() {
  local secrets
  say "first start: ./dev up --docker"
  secrets=$(sha256sum < "$images_dir/trixie/project/.env")
  holds "API and dispatcher are healthy, an event reaches the demo receiver, its signature holds" first_start
  holds "compose-env.sh changed no value of .env" same "$(sha256sum < "$images_dir/trixie/project/.env")" "$secrets"
  holds "the documented command makes an owner's API key" make_key
  holds "the key reads webhooks" one_webhook
  holds "a second ./dev up --docker makes no second webhook" eval 'first_start && one_webhook'
}

make_key() {
  key=$(compose exec -T api webhook-api keys create --role owner)
  grep -qx 'whk_[A-Za-z0-9_-]*' <<<"$key"
}

api() { inside curl -fsS -H "Authorization: Bearer $key" "http://127.0.0.1:8080/api/v1/$1" "${@:2}"; }
one_webhook() { same "$(api 'webhooks?total=true' | json_field total)" 1; }

process_of() { inside docker inspect -f '{{.State.Pid}}' "webhooks-$1-1"; }
# Fields of the process of container $1-1, such as `CapEff: 0000000000000000`.
process_status() { inside cat "/proc/$(process_of "$1")/status"; }

check_restrictions() {
  local service
  say "restrictions"
  for service in api dispatcher receiver; do
    holds "$service runs as user and group 10001" has_fields "$service" '^[UG]id:(\s10001){4}$' 2
    holds "$service has no capability" has_fields "$service" '^Cap(Inh|Prm|Eff|Bnd|Amb):\s0+$' 5
    holds "$service cannot gain privileges" has_fields "$service" '^NoNewPrivs:\s1$' 1
    holds "$service cannot write a file" \
      compose exec -T "$service" sh -c '! touch /tmp/file && ! touch /usr/local/bin/file'
  done
  holds "ports are open on loopback alone: 5672, 8080, 15672" \
    same "$(open_ports)" "127.0.0.1:15672 127.0.0.1:5672 127.0.0.1:8080"
}

has_fields() { same "$(process_status "$1" | grep -cE "$2")" "$3"; }
open_ports() { inside ss -Hltn | awk '{print $4}' | sort | paste -sd ' '; }

check_scaling() {
  say "three dispatchers: docker compose up --detach --scale dispatcher=3"
  : > "$images_dir/published"
  holds "three dispatchers are healthy" compose --profile demo up --detach --wait --scale dispatcher=3
  holds "all three consume or stand in line, a single one is active" within 60 consumers 3
  holds "30 events are accepted" publish 30
  holds "30 events arrive" within 180 all_arrived
}

# Whether the queue of events has $1 consumers, of which one is active.
consumers() {
  compose exec -T rabbitmq rabbitmqctl -q list_consumers queue_name active --formatter json \
    | python3 -c 'import json, sys
active = [row["active"] for row in json.load(sys.stdin) if row["queue_name"] == "webhooks.events"]
print(active)
sys.exit(len(active) != int(sys.argv[1]) or sum(active) != 1)' "$1"
}

# Publishes $1 events over HTTP and notes their ids.
publish() {
  local id
  for _ in $(seq "$1"); do
    id=$(cat /proc/sys/kernel/random/uuid)
    sample_event "$id" | api events --json @- >/dev/null || return
    echo "$id" >> "$images_dir/published"
  done
}

# Whether the receiver's log has every published event, and no signature that does not hold.
all_arrived() {
  compose logs --no-color --no-log-prefix receiver > "$images_dir/logs/receiver.log"
  sed -n 's/.*webhook-id: //p' "$images_dir/logs/receiver.log" | sort -u > "$images_dir/arrived"
  same "$(sort "$images_dir/published" | comm -23 - "$images_dir/arrived" | wc -l) missing" "0 missing" \
    && same "$(grep -c REFUSED "$images_dir/logs/receiver.log") refused" "0 refused"
}

check_crashes() {
  local service
  say "crashes"
  for service in dispatcher api rabbitmq postgres; do
    holds "$service starts again after a crash, and all are healthy" crash "$service"
    holds "5 events are accepted" publish 5
    holds "5 events arrive" within 180 all_arrived
  done
}

# As the kernel kills a process without memory. `docker kill` would count as a wish that the container stops.
crash() {
  local pid
  pid=$(process_of "$1")
  # The engine gives 0 for a container that does not run, and 0 is this script's own group.
  [ "$pid" -gt 1 ] && inside sh -c "kill -KILL $pid" && within 300 restarted "$1"
}

restarted() {
  same "$(inside docker inspect -f '{{.RestartCount}} {{.State.Health.Status}}' "webhooks-$1-1")" "1 healthy" \
    && healthy api 1 && healthy dispatcher 3
}

healthy() {
  same "$(inside docker ps -q --filter "label=com.docker.compose.service=$1" --filter health=healthy | wc -l)" "$2"
}

check_stop() {
  local container
  say "stop with events underway: docker compose stop"
  holds "20 events are accepted" publish 20
  holds "everything stops" compose stop
  for container in dispatcher-1 dispatcher-2 dispatcher-3 api-1 rabbitmq-1 postgres-1; do
    holds "$container ended in its grace, with exit code 0" \
      same "$(inside docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' "webhooks-$container")" "0 false"
  done
  holds "all start again" compose --profile demo up --detach --wait --scale dispatcher=3
  holds "20 events arrive" within 180 all_arrived
}

check_data() {
  local deliveries
  say "data: docker compose --profile demo down, and up"
  deliveries=$(succeeded) || deliveries=unknown
  holds "down leaves no container and no network" down_leaves_nothing
  : > "$images_dir/published"
  holds "up, with three dispatchers" compose --profile demo up --detach --wait --scale dispatcher=3
  holds "the webhook is still there" one_webhook
  holds "$deliveries deliveries are still there" same "$(succeeded)" "$deliveries"
  holds "5 events are accepted" publish 5
  holds "5 events arrive, with signatures by the stored secret" within 180 all_arrived
}

succeeded() { api 'deliveries?status=succeeded&total=true' | json_field total; }

down_leaves_nothing() {
  compose --profile demo down
  left_are 0 0 "$(volumes)"
}

volumes() { inside docker volume ls -q --filter name=webhooks_ | wc -l; }

# Whether so many containers, networks and volumes are left.
left_are() {
  local networks
  networks=$(inside docker network ls -q --filter name=webhooks | wc -l)
  same "$(inside docker ps -aq | wc -l) containers, $networks networks, $(volumes) volumes" \
    "$1 containers, $2 networks, $3 volumes"
}

check_prometheus() {
  local services=(prometheus)
  say "monitoring: docker compose --profile monitoring up"
  if [ -n "$1" ]; then services+=(grafana); fi
  holds "start" compose --profile monitoring up --detach --no-deps "${services[@]}"
  holds "Prometheus finds the API and three dispatchers" within 180 targets_are "1 3"
  holds "Prometheus has read the alert rules" rules_are_read
  if [ -n "$1" ]; then
    holds "Grafana answers" within 90 inside curl -fsS http://127.0.0.1:3000/api/health
  fi
}

prometheus() { inside curl -fsS "http://127.0.0.1:9090/api/v1/$1"; }

# Whether so many targets of both jobs are up: "1 3".
targets_are() {
  same "$(prometheus targets | python3 -c 'import json, sys
up = [target["labels"]["job"] for target in json.load(sys.stdin)["data"]["activeTargets"] if target["health"] == "up"]
print(up.count("webhook-api"), up.count("webhook-dispatcher"))')" "$1"
}

rules_are_read() {
  same "$(prometheus rules | python3 -c 'import json, sys
print(sum(len(group["rules"]) for group in json.load(sys.stdin)["data"]["groups"]))')" \
    "$(grep -hcE -e '- (alert|record):' deploy/prometheus/alerts*.yml | paste -sd + | { read -r sum; echo $((sum)); })"
}

check_removal() {
  say "removal: docker compose down --volumes"
  holds "down without profiles leaves the demo receiver and Prometheus" profiles_outlast_down
  holds "down with the profiles and --volumes leaves nothing" \
    eval "compose --profile demo --profile monitoring down --volumes && left_are 0 0 0"
}

running_services() {
  inside docker ps --format '{{.Label "com.docker.compose.service"}}' | grep -vx grafana | sort | paste -sd ' '
}

# Compose says that the network is in use, and may count that as a fault.
profiles_outlast_down() {
  compose down || true
  same "$(running_services)" "prometheus receiver"
}
