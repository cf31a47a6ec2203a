# shellcheck shell=sh
# Starts the private engine inside its new namespaces: sets up a root file system, then starts containerd and dockerd.
#   sh private_daemon.sh SLOT USER [OPTION…]
# SLOT is the engine's directory. It has the settings and, in bin/, links to all programs that the engine may start.
# USER is the host's user id for root in a container; its other users have the 65,535 ids after that. With 0 the users
# are not remapped. PYTHON is the interpreter of the tool. The options are passed to dockerd. With ROOTLESSKIT_STATE_DIR
# set, root in here is an ordinary user.
set -e
slot=$1 user=$2 rootless=${ROOTLESSKIT_STATE_DIR:+yes}
shift 2

# Nothing leads out of this network. In it, ports that containers publish answer at 127.0.0.1 once `lo` is up. There may
# be no `ip` for that.
"$PYTHON" -IS - <<'END'
import fcntl, socket, struct

SIOCSIFFLAGS = 0x8914  # sets the flags of a network interface
IFF_UP, IFF_RUNNING = 0x1, 0x40
request = struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING)  # a struct ifreq: a name, flags, padding
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
END

# Docker 26 turns forwarding on by itself. Later ones don't, and warn whenever a container with a network starts.
{ echo 1 >/proc/sys/net/ipv4/ip_forward; } 2>/dev/null || :

# ── A root file system that has only the programs and the slot from the host ───────────────────────────────────────────

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
cd /run
mkdir -p dev etc proc run sys tmp usr var old ".$slot"
chmod 1777 tmp
ln -s ../run var/run
# Without root, what is mounted below /usr cannot be left out.
mount "--${rootless:+r}bind" /usr usr
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
# Programs in other places, and what Ubuntu's apparmor_parser reads.
for path in "$slot"/bin/* /etc/apparmor /etc/apparmor.d; do
    path=$(readlink -f "$path")
    if [ ! -e "$path" ] || [ -e ".$path" ]; then continue; fi
    mkdir -p ".${path%/*}"
    # runc starts itself from an overlay over its directory, which would show the file below a mount.
    case $path in */runc) cp "$path" ".$path"; continue ;; esac
    if [ -d "$path" ]; then mkdir ".$path"; else : >".$path"; fi
    mount --bind "$path" ".$path"
    mount -o remount,bind,ro ".$path"
done
mount --bind "$slot" ".$slot"
mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
# Here dockerd checks whether its AppArmor profile is loaded. Without root it cannot load one.
[ "$rootless" ] || [ ! -d /sys/kernel/security/apparmor ] || mount --bind /sys/kernel/security sys/kernel/security
mount -t tmpfs -o mode=755,nosuid tmpfs dev
while read -r name minor; do
    if [ "$rootless" ]; then
        : >"dev/$name"
        mount --bind "/dev/$name" "dev/$name"
    else
        mknod -m 666 "dev/$name" c "${minor%:*}" "${minor#*:}"
    fi
done <<END
null 1:3
zero 1:5
full 1:7
random 1:8
urandom 1:9
tty 5:0
END
[ "$user" = 0 ] || chown "$user:$user" dev/*  # they are mounted into containers, where they must belong to root
cat >etc/passwd <<END
root:x:0:0:root:/:/bin/sh
containers:x:$user:$user::/:/bin/false
END
printf 'root:x:0:\ncontainers:x:%s:\n' "$user" >etc/group
echo '127.0.0.1 localhost' >etc/hosts
echo "containers:$user:65536" | tee etc/subuid >etc/subgid
# Debian 14 has the program of this name in a package that minimal systems lack, so the C library is called.
"$PYTHON" -IS - <<'END'
import ctypes, os, sys

if ctypes.CDLL(None, use_errno=True).pivot_root(b".", b"old") != 0:
    sys.exit(f"pivot_root: {os.strerror(ctypes.get_errno())}")
END
umount -l /old
rmdir /old
cd /

# ── The daemons ────────────────────────────────────────────────────────────────────────────────────────────────────

set +e
trap '' TERM  # the signal is sent to all processes here, but is meant for dockerd alone
below=/run/containerd.sock
# The daemons cannot load modules, set the clock, open raw devices or, if users are remapped, create devices.
fewer=--bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog
[ "$user" = 0 ] || fewer=$fewer,-mknod
# containerd is started here, because dockerd would wait a second for one of its own to start, and another to stop it.
{
    setsid setpriv "$fewer" env PATH="$slot/bin" containerd --config "$slot/containerd.toml" --address $below &
    echo $! >/run/containerd.pid
    wait
    ! [ -f /run/docker.pid ] || kill -KILL "$(cat /run/docker.pid)"  # dockerd cannot work without containerd
} &
until [ -S $below ]; do
    kill -0 $! || exit
    sleep 0.01
done
# Its bridge, docker0, is in this network namespace, and leads nowhere.
setpriv "$fewer" env PATH="$slot/bin" dockerd --config-file "$slot/daemon.json" --data-root "$slot/data" \
    --exec-root /run/docker --pidfile /run/docker.pid --containerd $below --host "unix://$slot/docker.sock" \
    --iptables=false --ip6tables=false "$@" &
wait $!
kill "$(cat /run/containerd.pid)"
wait
