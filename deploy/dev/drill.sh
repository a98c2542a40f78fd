# A backup under load, a disaster, a restore, and proof of what docs/backup.md promises: ./dev drill. Sourced by ./dev.

# Python with a client of RabbitMQ, kept between runs.
drill_tools=$PWD/target/drill

need_drill_tools() {
  need_server_packages
  need_python_packages "$drill_tools" deploy/dev/drill/tools.txt
}

drill_py() { "$drill_tools/bin/python" deploy/dev/drill.py "$1" "$drill_dir" "${@:2}"; }

# Runs a command of docs/backup.md and shows the command.
shown() {
  printf '    %s\n' "$*"
  "$@"
}

# --short: fewer events, and the empty servers are started beforehand. --wal: a base backup and the archived WAL after it, instead of a dump.
# PROGRAMS names a folder with built programs, which are then not built.
run_drill() {
  local way=dump deactivate_at=400 backup_at=800 disaster_at=2000 ready=
  while [ $# -gt 0 ]; do
    case $1 in
      --short) deactivate_at=100 backup_at=200 disaster_at=500 ready=yes ;;
      --wal) way=wal ;;
      *) die "unknown: drill $1" ;;
    esac
    shift
  done
  need_drill_tools
  if [ -z "${PROGRAMS:-}" ]; then
    say "build"
    cargo build --workspace --bins --locked --quiet
  fi
  programs=${PROGRAMS:-target/debug}
  drill_dir=$(mktemp -d /tmp/webhooks-drill.XXXXXX)
  chmod 755 "$drill_dir"
  trap end_drill EXIT
  mkdir "$drill_dir/logs"
  # A dispatcher's leases count from the backup on: the rest of a minute would be waited for after the restore.
  export WEBHOOK_SECRET_KEY WEBHOOK_ALLOW_HTTP=true WEBHOOK_ALLOW_NETWORKS=127.0.0.0/8 KEY_RATE_LIMIT=0 LEASE_MS=8000
  WEBHOOK_SECRET_KEY=$(head -c 32 /dev/urandom | base64)
  if [ -n "$ready" ] && [ "$way" = dump ]; then prepare_empty_servers; fi
  begin_world
  load_until "$deactivate_at"
  drill_py deactivate
  load_until "$backup_at"
  "back_up_$way"
  load_until "$disaster_at"
  cause_disaster
  "restore_$way"
  refuse_without_key
  list_known
  start_after_restore
  say "verify"
  drill_py verify
}

end_drill() {
  if [ -n "${empty:-}" ]; then wait "$empty" || true; fi
  stop_part "$drill_dir" publisher
  local folder
  for folder in "$drill_dir/before" "$drill_dir/after" "$drill_dir"; do [ ! -d "$folder" ] || remove_world "$folder"; done
}

# Ends a part of folder $1 as a power cut would.
kill_part() {
  local pid
  part_runs "$1" "$2" || return 0
  pid=$(cat "$1/$2.pid")
  # The shell would tell of the kill.
  { pkill -KILL -s "$pid"; wait "$pid"; } 2>/dev/null || true
}

remove_world() {
  # RabbitMQ takes seconds to end in peace, and its data goes anyway.
  kill_part "$1" rabbitmq
  stop_all "$1"
  if [ -L "$1/postgres" ]; then rm -rf "$(readlink -f "$1/postgres")"; fi
  rm -rf "$1"
}

# Both services on the servers of folder $1; sets API_URL.
start_services() {
  local api operations dispatcher
  api=$(port_of "$1" api)
  operations=$(port_of "$1" api-operations)
  dispatcher=$(port_of "$1" dispatcher)
  export API_URL=http://127.0.0.1:$api
  start_part "$1" api env LISTEN=127.0.0.1:"$api" OPERATIONS_LISTEN=127.0.0.1:"$operations" "$programs/webhook-api"
  start_part "$1" dispatcher env OPERATIONS_LISTEN=127.0.0.1:"$dispatcher" "$programs/webhook-dispatcher"
  wait_for webhook-api "$1/logs/api.log" curl -fsS "$API_URL/readyz"
  wait_for webhook-dispatcher "$1/logs/dispatcher.log" curl -fsS "http://127.0.0.1:$dispatcher/readyz"
}

# Servers, services, receivers, the state of a platform, and a publisher at 100 events a second.
begin_world() {
  # Nothing of these servers has to outlast a power cut.
  local postgres_options="-c fsync=off -c jit=off" receiver owner
  if [ "$way" = wal ]; then postgres_options+=" -c archive_mode=on"; fi
  start_servers "$drill_dir/before"
  if [ "$way" = wal ]; then archive_wal; fi
  "$programs/webhook-api" migrate
  owner=$("$programs/webhook-api" keys create --role owner --name drill)
  say "both services, receivers, a publisher"
  start_services "$drill_dir/before"
  receiver=$(port_of "$drill_dir" receiver)
  start_part "$drill_dir" receiver "$drill_tools/bin/python" deploy/dev/drill.py receive "$drill_dir" "$receiver"
  wait_for "the receiver" "$drill_dir/logs/receiver.log" taken "$receiver"
  drill_py prepare "$owner" "$receiver"
  start_part "$drill_dir" publisher "$drill_tools/bin/python" deploy/dev/drill.py publish "$drill_dir" 100
}

confirmed_are() { [ "$(grep -c '"confirmed"' "$drill_dir/published.jsonl")" -ge "$1" ]; }
load_until() { wait_for "event $1 of the publisher" "$drill_dir/logs/publisher.log" confirmed_are "$1"; }

back_up_dump() {
  drill_py note
  say "dump under load"
  date +%s.%N > "$drill_dir/backup-at"
  shown pg_dump --format=custom --file="$drill_dir/webhooks.dump" "$DATABASE_URL"
  echo "    $(stat -c %s "$drill_dir/webhooks.dump") bytes, $(seconds_since backup-at) s"
  drill_py change
}

seconds_since() { python3 -c 'import sys, time; print(f"{time.time() - float(open(sys.argv[1]).read()):.1f}")' "$drill_dir/$1"; }

# As a power cut and the loss of all disks would do.
cause_disaster() {
  local folder=$drill_dir/before
  say "the disaster: services killed, Postgres and RabbitMQ gone with their data"
  date +%s.%N > "$drill_dir/disaster-at"
  kill_part "$folder" api
  kill_part "$folder" dispatcher
  pg pg_ctl -D "$(readlink -f "$folder/postgres")" stop -m immediate >/dev/null
  kill_part "$folder" rabbitmq
  wait_for "the end of the publisher" "$drill_dir/logs/publisher.log" eval "! part_runs '$drill_dir' publisher"
  remove_world "$folder"
  touch "$drill_dir/mended"
}

start_empty_servers() {
  local postgres_options="-c fsync=off -c jit=off"
  start_servers "$drill_dir/after"
  printf 'export DATABASE_URL=%s AMQP_URL=%s\n' "$DATABASE_URL" "$AMQP_URL" > "$drill_dir/after/urls"
}

# Starts the empty servers beside the other servers, with ports of their own.
prepare_empty_servers() {
  local part
  mkdir "$drill_dir/after"
  for part in postgres amqp management; do free_port > "$drill_dir/after/$part.port"; done
  start_empty_servers >"$drill_dir/logs/empty.log" 2>&1 &
  empty=$!
  touch "$drill_dir/servers-stood-ready"
}

restore_dump() {
  if [ -z "${empty:-}" ]; then start_empty_servers; else wait "$empty" || die "see $drill_dir/logs/empty.log"; fi
  # shellcheck disable=SC1091
  . "$drill_dir/after/urls"
  say "restore the dump into the empty database"
  shown pg_restore --exit-on-error --no-owner --dbname="$DATABASE_URL" "$drill_dir/webhooks.dump"
  # A dump has no statistics of the planner.
  shown vacuumdb --analyze-only --quiet --dbname="$DATABASE_URL"
}

# The archive of WAL files: a folder here, storage elsewhere in earnest.
archive_wal() {
  mkdir "$drill_dir/wal"
  if [ "$(id -u)" = 0 ]; then chown postgres "$drill_dir/wal"; fi
  sql "alter system set archive_command = 'test ! -f $drill_dir/wal/%f && cp %p $drill_dir/wal/%f'"
  sql "alter system set archive_timeout = '2s'"
  sql "select pg_reload_conf()" >/dev/null
}

sql() { psql "$DATABASE_URL" -qtAX -c "$1"; }

back_up_wal() {
  say "base backup under load"
  date +%s.%N > "$drill_dir/backup-at"
  shown pg_basebackup --checkpoint=fast --pgdata="$drill_dir/base" --dbname="$DATABASE_URL"
  echo "    $(du -sb "$drill_dir/base" | cut -f 1) bytes, $(seconds_since backup-at) s"
  drill_py change
  drill_py note
  # The changes are to be in the archive when the disaster comes.
  local segment
  segment=$(sql "select pg_walfile_name(pg_switch_wal())")
  wait_for "WAL file $segment in the archive" "$drill_dir/before/logs/postgres.log" test -f "$drill_dir/wal/$segment"
  touch "$drill_dir/window-is-kept"
}

# Postgres goes on from the base backup through all archived WAL. The time of the backup is the last transaction's.
restore_wal() {
  local data at
  say "restore the base backup and the archived WAL"
  mkdir -p "$drill_dir/after/logs"
  data=$(postgres_dir "$drill_dir/after")
  shown cp -r "$drill_dir/base/." "$data"
  printf "restore_command = 'cp %s/%%f %%p'\narchive_command = ''\n" "$drill_dir/wal" | tee -a "$data/postgresql.auto.conf"
  shown touch "$data/recovery.signal"
  if [ "$(id -u)" = 0 ]; then chown -R postgres "$data"; fi
  start_empty_servers
  wait_for "the end of the recovery" "$drill_dir/after/logs/postgres.log" eval '[ "$(sql "select pg_is_in_recovery()")" = f ]'
  at=$(grep -o 'last completed transaction was at log time .*' "$drill_dir/after/logs/postgres.log" | tail -n 1)
  date -d "${at#*log time }" +%s.%N > "$drill_dir/backup-at"
}

# A line for `verify` to print: whether a promise holds, and its sentence.
promise() { printf '%s\t%s\n' "$1" "$2" >> "$drill_dir/promises"; }

# Without the sealing key no service starts, and with another key `reseal` says so before a service is started.
refuse_without_key() {
  local program output closed
  say "without the sealing key, with another key, with the key"
  for program in webhook-api webhook-dispatcher; do
    if output=$(env -u WEBHOOK_SECRET_KEY "$programs/$program" 2>&1) || ! grep -q WEBHOOK_SECRET_KEY <<<"$output"; then
      promise FAIL "$program without WEBHOOK_SECRET_KEY: ${output//$'\n'/ }"
    else
      promise ok "$program without WEBHOOK_SECRET_KEY ends: $(grep -o -m 1 'WEBHOOK_SECRET_KEY.*' <<<"$output")"
    fi
  done
  if output=$(WEBHOOK_SECRET_KEY=$(head -c 32 /dev/urandom | base64) "$programs/webhook-api" secrets reseal 2>&1); then
    promise FAIL "webhook-api secrets reseal with another key: ${output//$'\n'/ }"
  else
    closed=$(grep -c 'no key opens the secrets of webhook' <<<"$output" || true)
    promise "$([ "$closed" = "$(sql 'select count(*) from webhooks')" ] && echo ok || echo FAIL)" \
      "webhook-api secrets reseal with another key: 'no key opens the secrets of webhook' for $closed webhooks"
  fi
  shown "$programs/webhook-api" secrets reseal
}

# Everything that the restored database knows, before a service can change it.
list_known() {
  psql "$DATABASE_URL" -qX -c "copy (select webhook_id, event_id, status from deliveries) to stdout" > "$drill_dir/known-deliveries"
  psql "$DATABASE_URL" -qX -c "copy (select id from events) to stdout" > "$drill_dir/known-events"
}

start_after_restore() {
  say "start both services, which declare exchanges and queues"
  start_services "$drill_dir/after"
}
