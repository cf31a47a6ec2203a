# shellcheck shell=sh
# The private engine, in the namespaces that it was given: a root of its own, then containerd and dockerd.
#   sh private_daemon.sh SLOT USER [OPTION…]
# SLOT is its directory, with its settings and, in bin/, links to all programs that it may start. Root in a container is
# the user of the host with the number USER, and its other users are the 65,535 after that; with 0 they are the host's
# own. The options are dockerd's.
set -e
slot=$1 user=$2
shift 2

# ── A root that holds its programs, its slot and nothing else of the host ──────────────────────────────────────────────

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
cd /run
mkdir -p dev etc proc run sys tmp usr var old ".$slot"
chmod 1777 tmp
ln -s ../run var/run
mount --bind /usr usr
mount -o remount,bind,ro usr
for path in /bin /sbin /lib /lib32 /lib64; do
    if [ -L "$path" ]; then
        ln -s "$(readlink "$path")" ".$path"
    elif [ -d "$path" ]; then
        mkdir ".$path"
        mount --bind "$path" ".$path"
        mount -o remount,bind,ro ".$path"
    fi
done
# Programs that are somewhere else, and what Ubuntu's apparmor_parser reads.
for path in "$slot"/bin/* /etc/apparmor /etc/apparmor.d; do
    path=$(readlink -f "$path")
    if [ ! -e "$path" ] || [ -e ".$path" ]; then continue; fi
    mkdir -p ".${path%/*}"
    if [ -d "$path" ]; then mkdir ".$path"; else : >".$path"; fi
    mount --bind "$path" ".$path"
    mount -o remount,bind,ro ".$path"
done
mount --bind "$slot" ".$slot"
mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
# Where dockerd sees whether its AppArmor profile is loaded.
[ ! -d /sys/kernel/security/apparmor ] || mount --bind /sys/kernel/security sys/kernel/security
mount -t tmpfs -o mode=755,nosuid tmpfs dev
while read -r name minor; do
    mknod -m 666 "dev/$name" c "${minor%:*}" "${minor#*:}"
done <<END
null 1:3
zero 1:5
full 1:7
random 1:8
urandom 1:9
tty 5:0
END
chown "$user:$user" dev/*  # in a container, where they are mounted, root's
cat >etc/passwd <<END
root:x:0:0:root:/:/bin/sh
containers:x:$user:$user::/:/bin/false
END
printf 'root:x:0:\ncontainers:x:%s:\n' "$user" >etc/group
echo "containers:$user:65536" | tee etc/subuid >etc/subgid
pivot_root . old
umount -l /old
rmdir /old
cd /

# ── The daemons ────────────────────────────────────────────────────────────────────────────────────────────────────

set +e
trap '' TERM  # for dockerd, which hears of it with all others here, and for nobody else
below=/run/containerd.sock
# No module is loaded, no clock set, no raw device opened, and none made unless a container's root is the host's.
fewer=--bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog
[ "$user" = 0 ] || fewer=$fewer,-mknod
# containerd is started here, since dockerd waits a second for its own to come and another for it to go.
{
    setsid setpriv "$fewer" env PATH="$slot/bin" containerd --config "$slot/containerd.toml" --address $below &
    echo $! >/run/containerd.pid
    wait
    ! [ -f /run/docker.pid ] || kill -KILL "$(cat /run/docker.pid)"  # without it the daemon is of no use
} &
until [ -S $below ]; do
    kill -0 $! || exit
    sleep 0.01
done
# Without a network namespace `--bridge=none` would delete the host's docker0.
setpriv "$fewer" env PATH="$slot/bin" dockerd --config-file "$slot/daemon.json" --data-root "$slot/data" \
    --exec-root /run/docker --pidfile /run/docker.pid --containerd $below --host "unix://$slot/docker.sock" \
    --bridge=none --iptables=false --ip6tables=false "$@" &
wait $!
kill "$(cat /run/containerd.pid)"
wait
