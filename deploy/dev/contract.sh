# The API against its own description: ./dev test-contract. Sourced by ./dev.

# Checkers and generators from PyPI and npm, kept between runs.
contract_tools=$PWD/target/contract

need_contract_tools() {
  need_packages curl
  command -v npm >/dev/null || need_packages nodejs npm
  need_python_packages "$contract_tools/venv" tests/contract/requirements.txt
  cmp -s tests/contract/package-lock.json "$contract_tools/installed.json" && return
  cp tests/contract/package.json tests/contract/package-lock.json "$contract_tools"
  (cd "$contract_tools" && npm ci --silent --no-audit --no-fund --ignore-scripts)
  cp tests/contract/package-lock.json "$contract_tools/installed.json"
}

# Asks the API with requests made from its own description, good ones and bad ones, after clients made
# from the description. $1: how many for each operation; $2: a seed, to make the same ones again.
test_contract() {
  say "build"
  build_all
  need_contract_tools
  contract_dir=$(mktemp -d /tmp/webhooks-contract.XXXXXX)
  chmod 755 "$contract_dir"
  trap 'stop_all "$contract_dir"; rm -rf "$contract_dir"' EXIT
  check_description
  make_clients
  start_contract_api
  run_clients
  ask_at_random "$@"
}

# The description is what OpenAPI 3.1 allows, and what linters ask for beyond.
check_description() {
  say "the API's description: valid, linted"
  "$contract_tools/venv/bin/openapi-spec-validator" crates/webhook-api/openapi.json
  # Nothing is told to the linter's makers, and nothing asked.
  REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
    "$contract_tools/node_modules/.bin/redocly" lint --config tests/contract/redocly.yaml crates/webhook-api/openapi.json
  cp tests/contract/asyncapi.mjs "$contract_tools"
  node "$contract_tools/asyncapi.mjs" crates/webhook-api/asyncapi.json
}

# Generates a client in Python, whose warnings are errors, and types for a client in TypeScript.
make_clients() {
  say "clients from the API's description"
  PATH=$contract_tools/venv/bin:$PATH openapi-python-client generate --path crates/webhook-api/openapi.json \
    --output-path "$contract_dir/webhooks_client" --meta none --fail-on-warning
  cp tests/contract/client.test.ts tests/contract/tsconfig.json "$contract_tools/package.json" "$contract_dir"
  ln -s "$contract_tools/node_modules" "$contract_dir/node_modules"
  "$contract_tools/node_modules/.bin/openapi-typescript" crates/webhook-api/openapi.json --output "$contract_dir/api.d.ts"
  (cd "$contract_dir" && node_modules/.bin/tsc)
}

# Servers, an API and a dispatcher, and a webhook to ask with: sets contract_url, contract_key, WEBHOOK_ID.
start_contract_api() {
  local api dispatcher
  start_servers "$contract_dir"
  export WEBHOOK_SECRET_KEY WEBHOOK_ALLOW_HTTP=true WEBHOOK_ALLOW_NETWORKS=127.0.0.0/8 KEY_RATE_LIMIT=0 WEBHOOK_ID
  WEBHOOK_SECRET_KEY=$(head -c 32 /dev/urandom | base64)
  target/debug/webhook-api migrate
  contract_key=$(target/debug/webhook-api keys create --role owner)
  # So that the one that asks can be revoked.
  target/debug/webhook-api keys create --role owner >/dev/null
  api=$(free_port)
  dispatcher=$(free_port)
  contract_url=http://127.0.0.1:$api
  start_part "$contract_dir" api env LISTEN=127.0.0.1:"$api" OPERATIONS_LISTEN=127.0.0.1:"$(free_port)" target/debug/webhook-api
  start_part "$contract_dir" dispatcher env OPERATIONS_LISTEN=127.0.0.1:"$dispatcher" target/debug/webhook-dispatcher
  wait_for webhook-api "$contract_dir/logs/api.log" curl -fsS "$contract_url/readyz"
  WEBHOOK_ID=$(demo_webhook https://hooks.example.com/in | curl -fsS "$contract_url/api/v1/webhooks" \
    -H "Authorization: Bearer $contract_key" --json @- | json_field id)
}

# Each client creates a webhook, publishes an event and reads the delivery.
run_clients() {
  export API_URL=$contract_url API_KEY=$contract_key
  say "the client in Python, and the first steps of the introduction"
  PYTHONPATH=$contract_dir "$contract_tools/venv/bin/python" tests/contract/client_test.py --verbose
  say "the client in TypeScript"
  node --test "$contract_dir/client.test.js"
}

ask_at_random() {
  say "requests from the API's own description"
  (cd tests/contract && SCHEMATHESIS_HOOKS=hooks "$contract_tools/venv/bin/schemathesis" run \
    "$contract_url/api/openapi.json" -H "Authorization: Bearer $contract_key" \
    --checks all --max-examples "${1:-30}" ${2:+--seed "$2"} --request-timeout 60 --warnings off)
  # Nothing of it counts if the key or the webhook that it asked with went on the way.
  curl -fsS "$contract_url/api/v1/webhooks/$WEBHOOK_ID" -H "Authorization: Bearer $contract_key" >/dev/null
  if grep -E ' (ERROR|WARN) ' "$contract_dir/logs/api.log"; then die "the API was not at ease, see above"; fi
}
