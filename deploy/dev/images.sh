# The compose file and the container images in a Docker engine of their own: ./dev test-images. Sourced by ./dev.
# No registry is needed: substitutes for the base images are made of Debian's packages (deploy/dev/images/Dockerfile).

. deploy/dev/images/checks.sh

# The engine's own programs, and the programs that ./dev up --docker runs.
engine_packages=(docker.io docker-cli docker-buildx docker-compose slirp4netns iptables iproute2 ca-certificates curl
  python3-minimal)
# Base images, each with the substitute's target in deploy/dev/images/Dockerfile.
base_images=(rust:1-bookworm=rust postgres:17=postgres rabbitmq:4-management=rabbitmq prom/prometheus:v3.5.0=prometheus)
# Sentences about the run that its last lines print.
differences=()

# --pull: the real base images, from a registry, and Grafana. PROGRAMS names a folder with built programs, which go into
# the images without a build.
test_images() {
  local pull=
  case "${1:-}" in
    "") ;;
    --pull) pull=yes ;;
    *) die "unknown: test-images $*" ;;
  esac
  toolchain=${toolchain:-$(rustc --print sysroot)}
  if [ "$(id -u)" != 0 ]; then exec sudo --preserve-env=PROGRAMS toolchain="$toolchain" "$PWD/dev" test-images "$@"; fi
  need_packages debootstrap git procps python3 util-linux
  images_dir=$(mktemp -d /var/tmp/webhooks-images.XXXXXX)
  images_began=$SECONDS
  trap end_images EXIT
  mkdir "$images_dir/logs" "$images_dir/data"
  make_tree trixie
  tar -C "$images_dir/trixie" -cf "$images_dir/trixie.tar" .
  add_engine
  start_engine
  copy_project
  if [ -n "$pull" ]; then pull_base_images; else make_base_images; fi
  build_images
  run_checks "$pull"
  end_checks
}

# Runs a step with its output in a file, and tells how long it took. $1: the step's name; the rest: the command.
quietly() {
  local name=$1 began=$SECONDS log
  shift
  log="$images_dir/logs/${name//[^a-z0-9]/-}.log"
  say "$name"
  "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; die "$name failed"; }
  echo "    $((SECONDS - began)) s"
}

# A minimal Debian of suite $1 in $images_dir, which starts no service when a package is installed.
make_tree() {
  quietly "debian $1" debootstrap --variant=minbase "$1" "$images_dir/$1"
  printf '#!/bin/sh\nexit 101\n' > "$images_dir/$1/usr/sbin/policy-rc.d"
  chmod 755 "$images_dir/$1/usr/sbin/policy-rc.d"
  rm -rf "$images_dir/$1"/var/cache/apt/archives/*.deb
}

# A Docker engine, BuildKit and Compose in the tree of trixie. The machine itself gets no package of these.
add_engine() {
  quietly "docker engine, buildx, compose" chroot "$images_dir/trixie" env DEBIAN_FRONTEND=noninteractive \
    sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh "${engine_packages[@]}"
  mkdir "$images_dir/trixie/project"
}

# Containers have a control group, which counts as one program beside the others of the machine, whatever the programs
# in the group were started with: `nice ./dev test-images` needs a group of little weight.
obey_nice() {
  local group=${images_dir##*/}
  [ "$(nice)" -gt 0 ] || return 0
  if [ -d /sys/fs/cgroup/cpu ]; then
    mkdir "/sys/fs/cgroup/cpu/$group"
    echo 15 > "/sys/fs/cgroup/cpu/$group/cpu.shares"
  elif mkdir "/sys/fs/cgroup/$group"; then
    echo 1 > "/sys/fs/cgroup/$group/cpu.weight" || say "containers do not obey nice"
  fi
}

start_engine() {
  say "engine, in $images_dir and namespaces of its own"
  obey_nice
  setsid unshare --mount --pid --fork --kill-child deploy/dev/images/engine.sh "$images_dir/trixie" "$images_dir/data" \
    "${images_dir##*/}" >"$images_dir/logs/engine.log" 2>&1 &
  engine=$!
  wait_for "process 1 of the engine" "$images_dir/logs/engine.log" pgrep -P "$engine"
  engine_init=$(pgrep -P "$engine")
  wait_for "the engine" "$images_dir/logs/engine.log" inside docker info
  echo "    $(inside docker version --format 'Docker Engine {{.Server.Version}}'), Compose $(compose version --short)"
}

# Runs a command in the engine's namespaces, in the copy of the project, as on a machine with that engine.
inside() {
  nsenter --target "$engine_init" --mount --pid -- env -i -C /project HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${demo_environment[@]}" \
    sh -c 'exec nsenter --target "$(cat /run/engine.pid)" --net -- "$@"' sh "$@"
}

compose() { inside docker compose "$@"; }

# The files of the project as they are now, without .env, .run and target.
copy_project() {
  git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --ignore-failed-read -c \
    | tar -x --no-same-owner -C "$images_dir/trixie/project"
}

pull_base_images() {
  local image
  for image in debian:bookworm-slim grafana/grafana:12.1.1 "${base_images[@]%%=*}"; do
    quietly "pull $image" inside docker pull "$image"
  done
}

# The base images out of Debian's packages, under the names of the real images.
make_base_images() {
  local tree=$images_dir/trixie image
  make_tree bookworm
  tar -C "$images_dir/bookworm" -cf "$images_dir/bookworm.tar" .
  for image in bookworm trixie; do
    inside docker import --change 'CMD ["bash"]' - "debian:$image-slim" < "$images_dir/$image.tar" >/dev/null
    rm "$images_dir/$image.tar"
  done
  mkdir "$tree/substitutes" "$tree/toolchain"
  cp deploy/dev/images/Dockerfile deploy/dev/images/*-entrypoint.sh "$tree/substitutes"
  cp /etc/ssl/certs/ca-certificates.crt "$tree/substitutes/certificates.crt"
  for image in "${base_images[@]}"; do
    case $image in
      *=rust)
        [ -z "${PROGRAMS:-}" ] || continue
        cp -r "$toolchain/bin" "$toolchain/lib" "$tree/toolchain"
        ;;
    esac
    quietly "substitute for ${image%%=*}" inside docker build --target "${image#*=}" --tag "${image%%=*}" \
      --label webhooks.substitute=yes --build-context toolchain=/toolchain /substitutes
  done
  describe_substitutes
}

# How the substitutes differ from the real images, with versions.
describe_substitutes() {
  differences+=(
    "debian:bookworm-slim is a SUBSTITUTE: debootstrap's minimal bookworm, with documentation, without security updates"
    "$(substitute postgres:17 postgresql-17), with an entrypoint of this project: no locale but C, no set-up scripts"
    "$(substitute rabbitmq:4-management rabbitmq-server), with an entrypoint of this project"
    "$(substitute prom/prometheus:v3.5.0 prometheus)"
    "grafana/grafana:12.1.1 was NOT RUN: Debian has no package")
  if [ -n "${PROGRAMS:-}" ]; then
    differences+=("deploy/Dockerfile was NOT BUILT: the programs come from $PROGRAMS")
  else
    differences+=("rust:1-bookworm is a SUBSTITUTE: compilers for C and C++ without the real image's other packages, and
      this machine's $("$toolchain/bin/rustc" --version)")
  fi
}

# The sentence for the substitute $1 with Debian's package $2.
substitute() {
  local version
  version=$(inside docker run --rm --entrypoint dpkg-query "$1" -W -f '${Package} ${Version}' "$2")
  echo "$1 is a SUBSTITUTE: Debian's $version"
}

# The three images of the project by deploy/Dockerfile. With PROGRAMS, a folder stands in for the stage that builds.
build_images() {
  local tree=$images_dir/trixie service
  if [ -n "${PROGRAMS:-}" ]; then
    mkdir -p "$tree/programs/usr/local/bin"
    cp "$PROGRAMS"/webhook-{api,dispatcher,receiver} "$tree/programs/usr/local/bin"
    {
      echo services:
      for service in api dispatcher receiver; do
        echo "  $service: {build: {additional_contexts: {build: /programs}}}"
      done
    } > "$tree/project/docker-compose.override.yml"
  fi
  inside deploy/compose-env.sh
  quietly "images of the project" compose --progress plain --profile demo build
  inside docker images --format '{{.Repository}} {{.Size}}' --filter 'reference=webhooks-*' | sed 's/^/    /'
}

# Ends the engine with all that it runs, and removes all files.
end_images() {
  if [ -n "${engine_init:-}" ]; then kill -KILL "$engine_init" 2>/dev/null || true; fi
  if [ -n "${engine:-}" ]; then
    kill -KILL "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  fi
  rm -rf "$images_dir"
  # Groups that the engine made outside its namespaces: they are empty now.
  find /sys/fs/cgroup -depth -type d -path "*/${images_dir##*/}*" -exec rmdir {} + 2>/dev/null || true
}
