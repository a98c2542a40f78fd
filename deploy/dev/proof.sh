# Everything that proves the project: ./dev test. Sourced by ./dev.

# Tools that only ./dev test runs.
tools=$PWD/target/tools

# How long each step of ./dev test took, one line a step.
step_times=()

# Runs a command as a step of ./dev test. $1: the step's name; the rest: the command.
step() {
  local name=$1 began=$SECONDS
  shift
  say "$name"
  "$@"
  step_times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
}

# The steps in the order in which they fail fastest. "$@" goes to cargo test.
run_tests() {
  proof_dir=$(mktemp -d /tmp/webhooks-test.XXXXXX)
  chmod 755 "$proof_dir"
  # A browser that is ended leaves its profile behind: all temporary files go with the run. The path is short,
  # as the path of a socket has at most 107 characters.
  temporary_dir=$(mktemp -d /tmp/w.XXXXXX)
  chmod 1777 "$temporary_dir"
  trap end_tests EXIT
  export TMPDIR=$temporary_dir
  step "format" cargo fmt --all --check
  step "how the code reads" check_house
  step "install tools for deployment files" need_manifest_tools
  step "deployment files: Kubernetes, Helm, systemd, Debian, compose" check_manifests
  step "install tools for alerts and dashboards" need_monitoring_tools
  step "alerts, runbook, dashboards" check_monitoring
  step "install cargo-deny and cargo-shear" need_tools
  step "dependencies: none unused; bans, licenses, sources" check_dependencies
  step "dependencies: advisories" check_advisories
  step "migrations: none locks a large table" check_migrations
  # The compiler has both cores from here on, and downloads want neither.
  need_test_packages >"$proof_dir/packages.log" 2>&1 &
  packages=$!
  step "clippy, warnings are errors" cargo clippy --workspace --all-targets --locked -- -D warnings
  step "docs, warnings are errors" check_docs
  step "build" build_all
  step "wait for packages" wait_for_packages
  step "start servers" need_servers
  # A test computes and waits by turns: one more than there are cores keeps the cores busy.
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$(($(nproc) + 1))}
  step "tests" cargo test --workspace --locked "$@"
  step "every scenario of the benchmark, small: that it runs and loses nothing, not how fast" \
    target/debug/webhook-bench --quick
  step "a backup under load, a disaster, a restore" ./dev drill --short
  # The same requests each time: what others find belongs to a person at a desk.
  step "the API's description, clients made from it, requests made from it" ./dev test-contract 15 1
}

# Tells how long each step took, also when one of them failed, and leaves nothing behind.
end_tests() {
  [ ${#step_times[@]} -eq 0 ] || printf '%s\n' "${step_times[@]}"
  # A package that is half installed would stop the next run.
  if [ -n "${packages:-}" ]; then wait "$packages" || true; fi
  stop_all "$proof_dir"
  rm -rf "$proof_dir" "$temporary_dir"
}

check_house() {
  deploy/dev/house.py --test
  deploy/dev/house.py
}

need_tools() {
  need_python_packages "$tools" deploy/dev/tools.txt --only-binary :all: && return
  # Slow programs that are compiled fast: each runs for a second.
  cargo install --debug --locked --quiet --root "$tools" cargo-deny@0.20.2 cargo-shear@1.14.0
}

check_dependencies() {
  # cargo-deny reads every crate of the lock file, also those that only other systems build.
  cargo fetch --locked --quiet
  deploy/dev/rust_version.py --offline
  PATH=$tools/bin:$PATH cargo shear
  PATH=$tools/bin:$PATH cargo deny --offline check bans licenses sources --hide-inclusion-graph
}

# Known vulnerabilities of dependencies, where the database of them can be fetched.
check_advisories() {
  if ! PATH=$tools/bin:$PATH timeout 120 cargo deny fetch db >"$proof_dir/advisories.log" 2>&1; then
    say "NOT CHECKED for advisories: their database cannot be fetched"
    return
  fi
  PATH=$tools/bin:$PATH cargo deny --offline check advisories --hide-inclusion-graph
}

# Migrations behind the release before this one, for statements that lock or rewrite a table while others wait. The
# runner of migrations sets the time limit for locks, and each migration is a transaction.
check_migrations() {
  local last migration new=()
  if [ ! -x "$tools/bin/squawk" ]; then
    say "NOT CHECKED: squawk is no wheel for this kind of machine"
    return
  fi
  last=$(tail -n 1 deploy/dev/previous-release)
  for migration in migrations/*/; do
    [[ $(basename "$migration") > $last ]] && new+=("${migration}up.sql")
  done
  [ ${#new[@]} -eq 0 ] || "$tools/bin/squawk" --pg-version 15 --assume-in-transaction \
    --exclude require-lock-timeout,require-statement-timeout,prefer-robust-stmts "${new[@]}"
}

# With --examples cargo gives dependencies the features that tests want, so that those that clippy
# has checked are not checked again. A program with the name of its library would overwrite its pages.
check_docs() {
  RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet --lib --examples \
    --bin webhook-bench --bin chaos --bin firefox --bin screenshots --bin webhook-publisher --bin webhook-receiver
}

# Programs together with tests: programs alone want fewer features of their dependencies, half of
# which would then be compiled twice.
build_all() { cargo build --workspace --bins --tests --locked --quiet; }

need_test_packages() {
  need_server_packages
  need_packages python3-venv chromium-headless-shell chromium-driver openssl pgbouncer
  command -v npm >/dev/null || need_packages nodejs npm
  need_receivers
  need_publishers
  need_contract_tools
}

# What the publishers in examples/go and examples/java are compiled with.
need_publishers() {
  need_packages golang-github-rabbitmq-amqp091-go-dev librabbitmq-client-java libslf4j-java
  command -v javac >/dev/null || need_packages default-jdk-headless
}

wait_for_packages() {
  wait "$packages" || { cat "$proof_dir/packages.log" >&2; die "packages that tests need are missing"; }
}

# Postgres and RabbitMQ for this run, unless the environment names others.
need_servers() {
  if [ -n "${DATABASE_URL:-}" ] && [ -n "${AMQP_URL:-}" ]; then return; fi
  # Each test drops its database, which waits for the disk. What a power cut would take is thrown away;
  # the tests that crash Postgres start one of their own.
  local postgres_options="-c fsync=off -c full_page_writes=off -c jit=off"
  start_servers "$proof_dir"
}
