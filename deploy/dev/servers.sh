# Private servers and our parts, each with all that is its own in one folder. Sourced by ./dev.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# Postgres refuses to run as root, so root runs it as the user that Debian's package makes.
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }

# Installs the Debian packages that are missing. No service starts by that: each test starts its own.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root sh -c '
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
      trap "rm -f $policy" EXIT
      trap "exit 130" INT TERM
      printf "#!/bin/sh\nexit 101\n" > $policy
      chmod 755 $policy
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null' sh "${missing[@]}"
}

# A Python environment in folder $1 with the packages of file $2. The rest: options of pip.
need_python_packages() {
  local folder=$1 packages=$2
  shift 2
  need_packages python3-venv
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" -r "$packages"
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The port of part $2 in folder $1: the one it had, else $3, else any that is free.
port_of() {
  local file=$1/$2.port port
  port=$(cat "$file" 2>/dev/null || echo "${3:-}")
  if [ -z "$port" ] || taken "$port"; then port=$(free_port); fi
  echo "$port" | tee "$file"
}

# Waits until a command succeeds. $1 is what is waited for, $2 a file to show when it never comes.
wait_for() {
  local what=$1 log=$2 tries=0
  shift 2
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { tail -n 20 "$log" >&2; die "$what did not start; see $log"; }
    sleep 0.2
  done
}

# Where a Postgres keeps its data for folder $1: in $2 inside, or where a link in $1 says if it may not look.
postgres_dir() {
  local dir=$1/${2:-postgres}
  if [ "$(id -u)" = 0 ] && [ ! -e "$dir" ] && ! as_postgres test -x "$1"; then
    local outside
    outside=$(mktemp -d /var/tmp/webhooks-postgres.XXXXXX)
    ln -s "$outside" "$dir"
  fi
  mkdir -p "$dir"
  readlink -f "$dir"
}

pg() { local tool=$1; shift; as_postgres "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/$tool" "$@"; }

# Starts a private Postgres. $1 is a folder that holds all of it; sets DATABASE_URL.
start_postgres() {
  local dir port log=$1/logs/postgres.log
  dir=$(postgres_dir "$1")
  touch "$log"
  if [ "$(id -u)" = 0 ]; then chown postgres "$dir" "$log"; fi
  chmod 700 "$dir"
  [ -f "$dir/PG_VERSION" ] || pg initdb -D "$dir" -U webhooks -A trust -E UTF8 --no-sync >/dev/null
  pg pg_ctl -D "$dir" stop -m fast >/dev/null 2>&1 || true
  port=$(port_of "$1" postgres 5440)
  as_postgres setsid "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/postgres" -D "$dir" -p "$port" -k "" \
    -c listen_addresses=127.0.0.1 -c max_connections=300 ${postgres_options:-} >>"$log" 2>&1 &
  wait_for Postgres "$log" pg pg_isready -h 127.0.0.1 -p "$port"
  export DATABASE_URL=postgres://webhooks@127.0.0.1:$port/webhooks
  pg createdb -h 127.0.0.1 -p "$port" -U webhooks webhooks 2>/dev/null || true
}

# Starts a part in a session of its own, so that Ctrl-C does not reach it. $1 folder, $2 part.
start_part() {
  local dir=$1 part=$2
  shift 2
  WEBHOOKS_PART=$dir/$part setsid "$@" >>"$dir/logs/$part.log" 2>&1 &
  echo $! > "$dir/$part.pid"
}

# Whether part $2 of folder $1 runs: its pid may be another's by now, so its environment is asked.
part_runs() {
  local pid
  pid=$(cat "$1/$2.pid" 2>/dev/null) || return 1
  [ -r "/proc/$pid/environ" ] && grep -qzxF "WEBHOOKS_PART=$1/$2" "/proc/$pid/environ" 2>/dev/null
}

# Ends part $2 of folder $1: asks, waits for its drain, insists.
stop_part() {
  local pid tries=0
  if part_runs "$1" "$2"; then
    pid=$(cat "$1/$2.pid")
    pkill -TERM -s "$pid" || true
    while part_runs "$1" "$2" && [ $tries -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
    pkill -KILL -s "$pid" || true
  fi
  rm -f "$1/$2.pid"
}

# The package's own scripts: the wrappers on the path insist on a system user.
rabbitmq_scripts() { ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin | tail -n 1; }

# Starts a private RabbitMQ. $1 is a folder that holds all of it; sets AMQP_URL, AMQP_MANAGEMENT_URL. $2 is 2 or 3 for a
# further node of the cluster that begins with the first.
start_rabbitmq() {
  local node=${2:-} dir=$1/rabbitmq${2:-} port management dist epmd
  port=$(port_of "$1" "amqp$node" 5680)
  management=$(port_of "$1" "management$node" 15680)
  dist=$(port_of "$1" "dist$node")
  epmd=$(cat "$1/epmd.port" 2>/dev/null) || epmd=$(port_of "$1" epmd)
  mkdir -p "$dir"
  echo '[rabbitmq_management].' > "$dir/plugins"
  cat > "$dir/rabbitmq.conf" <<CONF
listeners.tcp.default = 127.0.0.1:$port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management
CONF
  cat deploy/rabbitmq.conf >> "$dir/rabbitmq.conf"
  if [ -n "$node" ]; then
    cat >> "$dir/rabbitmq.conf" <<'CONF'
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = webhooks@localhost
CONF
    cp -p "$1/rabbitmq/.erlang.cookie" "$dir/"
  fi
  start_part "$1" "rabbitmq$node" env HOME="$dir" RABBITMQ_NODENAME="webhooks$node@localhost" \
    RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT="$dist" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_BASE="$dir" RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    "$(rabbitmq_scripts)/rabbitmq-server"
  export AMQP_URL=amqp://guest:guest@127.0.0.1:$port/%2f
  export AMQP_MANAGEMENT_URL=http://guest:guest@127.0.0.1:$management
  wait_for RabbitMQ "$1/logs/rabbitmq$node.log" curl -fsS "$AMQP_MANAGEMENT_URL/api/overview"
}

# Starts a cluster of three nodes of RabbitMQ; AMQP_URL names all of them.
start_cluster() {
  local node urls
  start_rabbitmq "$1"
  urls=$AMQP_URL
  for node in 2 3; do
    start_rabbitmq "$1" $node
    urls=$urls,$AMQP_URL
  done
  AMQP_URL=$urls
  AMQP_MANAGEMENT_URL=http://guest:guest@127.0.0.1:$(cat "$1/management.port")
}

# Ends a node of the cluster as a power cut would. $2: the node, empty for the first.
crash_node() {
  pkill -KILL -s "$(cat "$1/rabbitmq$2.pid")"
  # Its ports must be free, or it would come back at others.
  wait_for "the end of a node" "$1/logs/rabbitmq$2.log" eval "! taken $(cat "$1/amqp$2.port") && ! taken $(cat "$1/dist$2.port")"
}

# Starts a standby of the Postgres in folder $1, which waits with each commit until the standby has it.
start_standby() {
  local dir port log=$1/logs/standby.log primary
  primary=$(cat "$1/postgres.port")
  dir=$(postgres_dir "$1" standby)
  touch "$log"
  if [ "$(id -u)" = 0 ]; then chown postgres "$dir" "$log"; fi
  chmod 700 "$dir"
  pg pg_basebackup -h 127.0.0.1 -p "$primary" -U webhooks -D "$dir" -R -X stream --no-sync -c fast
  port=$(port_of "$1" standby)
  as_postgres setsid "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/postgres" -D "$dir" -p "$port" -k "" \
    -c listen_addresses=127.0.0.1 -c max_connections=300 >>"$log" 2>&1 &
  wait_for "the standby" "$log" pg pg_isready -h 127.0.0.1 -p "$port"
  pg psql -qh 127.0.0.1 -p "$primary" -U webhooks -d webhooks -c "ALTER SYSTEM SET synchronous_standby_names = '*'" \
    -c "SELECT pg_reload_conf()" >/dev/null
}

# Stops the Postgres in folder $1 as a power cut would, and makes its standby the primary.
promote_standby() {
  pg pg_ctl -D "$(readlink -f "$1/postgres")" stop -m immediate >/dev/null
  pg pg_ctl -D "$(readlink -f "$1/standby")" promote -w >/dev/null
}

# Starts a private Prometheus with the alert rules of deploy/prometheus, which asks every second. $1 is a folder that
# holds all of it; the other arguments are `webhook-api=<port>` and `webhook-dispatcher=<port>`, on this machine,
# which Prometheus asks from its fifth second on. Sets PROMETHEUS_URL; `$PROMETHEUS_URL/api/v1/alerts` lists the alerts
# that are pending or fire.
start_prometheus() {
  local folder=$1 dir=$1/prometheus port target
  shift
  need_packages prometheus curl
  mkdir -p "$dir" "$folder/logs"
  port=$(port_of "$folder" prometheus 9091)
  {
    echo 'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}'
    echo "rule_files: [\"$PWD/deploy/prometheus/alerts*.yml\"]"
    echo 'scrape_configs:'
    for target in "$@"; do echo "${target%%=*} 127.0.0.1:${target#*=}"; done | sort | awk '
      $1 != job { if (job) print "]}]"; job = $1; printf "  - job_name: %s\n    static_configs: [{targets: [", job; comma = "" }
      { printf "%s\"%s\"", comma, $2; comma = ", " }
      END { if (job) print "]}]" }'
  } > "$dir/prometheus.yml"
  promtool check config "$dir/prometheus.yml" >"$dir/check" 2>&1 || { cat "$dir/check" >&2; die "no sound configuration"; }
  start_part "$folder" prometheus prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
    --web.listen-address=127.0.0.1:"$port" --log.level=warn
  export PROMETHEUS_URL=http://127.0.0.1:$port
  wait_for Prometheus "$folder/logs/prometheus.log" curl -fsS "$PROMETHEUS_URL/-/ready"
}

# Ends everything that was started in folder $1, and nothing else.
stop_all() {
  local part
  for part in receiver dispatcher api prometheus rabbitmq3 rabbitmq2 rabbitmq; do stop_part "$1" "$part"; done
  stop_epmd "$1"
  # The standby first: without it the primary's last commits would wait.
  for part in standby postgres; do
    [ -e "$1/$part/postmaster.pid" ] || continue
    pg pg_ctl -D "$(readlink -f "$1/$part")" stop -m fast >/dev/null 2>&1 || true
  done
}

# Stops one server of folder $1 as a power cut would, and starts it again where it was.
crash_server() {
  case $2 in
    postgres) pg pg_ctl -D "$(readlink -f "$1/postgres")" stop -m immediate >/dev/null; start_postgres "$1" ;;
    rabbitmq)
      save_queue_list "$1"
      pkill -KILL -s "$(cat "$1/rabbitmq.pid")"
      # Its ports must be free, or it would come back at others.
      wait_for "the end of RabbitMQ" "$1/logs/rabbitmq.log" eval "! taken $(cat "$1/amqp.port") && ! taken $(cat "$1/dist.port")"
      stop_epmd "$1"
      start_rabbitmq "$1"
      ;;
    *) die "no such server: $2" ;;
  esac
}

# RabbitMQ writes the list of its queues to disk half a second after it changed; a test that
# breaks it sooner would test that. What is confirmed is on disk without it.
save_queue_list() { rabbitmqctl_of "$1" eval '[dets:sync(Table) || Table <- dets:all()].'; }

# Runs a command of rabbitmqctl for the RabbitMQ of folder $1.
rabbitmqctl_of() {
  local dir=$1
  shift
  HOME=$dir/rabbitmq ERL_EPMD_PORT=$(cat "$dir/epmd.port") "$(rabbitmq_scripts)/rabbitmqctl" -q -n webhooks@localhost \
    "$@" >/dev/null
}

# RabbitMQ's epmd made itself a daemon, and has a way to stop, once its node has left it.
stop_epmd() {
  local port tries=0
  port=$(cat "$1/epmd.port" 2>/dev/null) || return 0
  command -v epmd >/dev/null || return 0
  while taken "$port" && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    ERL_EPMD_PORT=$port ERL_EPMD_ADDRESS=127.0.0.1 epmd -kill >/dev/null 2>&1 || sleep 0.1
  done
}

# Servers of their own for a test that breaks them. $1 is what to do, $2 a folder, $3 a server.
servers() {
  case $1 in
    start)
      start_servers "$2"
      printf '%s\n' "$DATABASE_URL" "$AMQP_URL" "$AMQP_MANAGEMENT_URL" > "$2/urls"
      ;;
    # A cluster of three nodes of RabbitMQ in place of one.
    start-cluster)
      local broker=start_cluster
      start_servers "$2"
      printf '%s\n' "$DATABASE_URL" "$AMQP_URL" "$AMQP_MANAGEMENT_URL" > "$2/urls"
      ;;
    crash) crash_server "$2" "$3" ;;
    crash-node) crash_node "$2" "${3#1}" ;;
    start-node) start_rabbitmq "$2" "${3#1}" ;;
    standby) start_standby "$2" ;;
    promote) promote_standby "$2" ;;
    stop-postgres) pg pg_ctl -D "$(readlink -f "$2/postgres")" stop -m immediate >/dev/null ;;
    # The other arguments are jobs with ports, as for start_prometheus; prints the address.
    prometheus)
      shift
      start_prometheus "$@" >&2
      echo "$PROMETHEUS_URL"
      ;;
    # RabbitMQ takes nothing from publishers while it has less than it wants.
    memory-alarm) rabbitmqctl_of "$2" set_vm_memory_high_watermark absolute 1 ;;
    memory) rabbitmqctl_of "$2" set_vm_memory_high_watermark 0.4 ;;
    disk-alarm) rabbitmqctl_of "$2" set_disk_free_limit 1000000GB ;;
    disk) rabbitmqctl_of "$2" set_disk_free_limit 50MB ;;
    stop)
      stop_all "$2"
      for link in "$2/postgres" "$2/standby"; do
        if [ -L "$link" ]; then rm -rf "$(readlink -f "$link")"; fi
      done
      rm -rf "$2"
      ;;
    *) die "unknown: servers $1" ;;
  esac
}

need_server_packages() { need_packages postgresql rabbitmq-server curl procps python3 util-linux; }

start_servers() {
  need_server_packages
  mkdir -p "$1/logs"
  say "Postgres, private, in $1"
  start_postgres "$1"
  say "RabbitMQ, private, in $1"
  ${broker:-start_rabbitmq} "$1"
}
