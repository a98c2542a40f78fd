#!/usr/bin/env bash
# A Docker engine that leaves no trace: processes, mounts, networks, firewall rules and ports are in namespaces, which
# end with this process. $1 is a Debian tree with the engine, $2 a folder for the engine's data, $3 the name of the
# control group of all containers. Run by images.sh as root:
# unshare --mount --pid --fork --kill-child engine.sh TREE DATA GROUP
set -euo pipefail
tree=$1 data=$2 group=$3

# Second part, in a namespace of networks: the engine, once the network outside is reached.
if [ "$tree" = --engine ]; then
  ip link set lo up
  mount -t sysfs -o ro sysfs /sys
  mount --rbind /run/groups /sys/fs/cgroup
  echo $$ > /run/engine.pid
  until ip -4 address show dev tap0 2>/dev/null | grep -q inet; do sleep 0.1; done
  exec dockerd --host unix:///run/docker.sock --data-root /var/lib/docker --exec-root /run/docker \
    --pidfile /run/dockerd.pid --cgroup-parent "/$group" --log-level error
fi

# Mounts of this namespace stay in this namespace.
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/run"
mkdir -p "$tree/run/groups" "$tree/run/machine" "$tree/var/lib/docker"
mount --rbind /sys/fs/cgroup "$tree/run/groups"
mount --bind "$data" "$tree/var/lib/docker"
cp "$0" "$tree/run/engine.sh"

# A new root, not chroot: `docker exec` and health checks enter a container at the root of the engine's namespace, and
# would run among the machine's files.
cd "$tree"
pivot_root . run/machine
umount --lazy run/machine

# slirp4netns makes connections for the engine as any program of this machine does: no address, route or firewall rule
# of the machine changes, and the engine reaches nothing on the machine's loopback. docker-init hands TERM to all, and
# collects processes whose parents have ended.
# shellcheck disable=SC2016
exec docker-init -g -- bash -c '
  trap : TERM
  unshare --net bash /run/engine.sh --engine "" "$1" &
  engine=$!
  until [ -s /run/engine.pid ]; do sleep 0.1; done
  slirp4netns --configure --mtu=65520 --disable-host-loopback "$(cat /run/engine.pid)" tap0 &
  until wait $engine; [ ! -e /proc/$engine ]; do :; done' bash "$group"
