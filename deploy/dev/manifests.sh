# The files that run the product: Kubernetes, Helm, systemd, Debian, compose. Sourced by ./dev.

# An environment of Python of its own: its packages are pinned to other versions than those of other tools.
manifest_tools=$PWD/target/tools/manifests

need_manifest_tools() {
  need_packages binutils
  command -v systemd-analyze >/dev/null || need_packages systemd
  need_python_packages "$manifest_tools" deploy/dev/manifests/tools.txt --only-binary :all:
}

check_manifests() {
  "$manifest_tools/bin/python" deploy/dev/manifests.py --test
  "$manifest_tools/bin/python" deploy/dev/manifests.py --check
}

# Makes the files that are made of others, or checks all with --check.
manifests() {
  need_manifest_tools
  "$manifest_tools/bin/python" deploy/dev/manifests.py "$@"
}
