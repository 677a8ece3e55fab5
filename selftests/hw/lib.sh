# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of this folder, which run in the lab's host: Debian guests that
# drive devices passed through. The lab's first device is the guests' root disk.
# shellcheck shell=bash

hw=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../vm/lib.sh
. "$hw/../vm/lib.sh"
tools=$tree/build/selftests-hw

modprobe virtio_blk

# guest_conf NAME DEVICES CMDLINE: configuration of a guest that will run $work/NAME.sh
guest_conf() {
	local name=$1 device
	mkdir -p "$work/$name.d"
	cp "$work/$name.sh" "$work/$name.d/test.sh"
	cp "$tools"/* "$work/$name.d/"
	tar -C "$work/$name.d" -cf "$work/$name.tar" .
	rm -r "$work/$name.d"
	cat <<END
name = $name
cpus = ${CPUS:-2}
memory = ${MEMORY:-512M}
firmware = none
kernel = $IMAGES/vmlinuz-6.1
initrd = $IMAGES/initrd-6.1
cmdline = console=ttyS0 root=/dev/vda rw init=/sbin/pvm-init $3 pvm.run=$(
	printf 'mkdir -p /run/t && tar xf /dev/vdb -C /run/t && cd /run/t && sh test.sh' | base64 -w0)
disk = /dev/vda
disk = $work/$name.tar  readonly
END
	for device in $2; do echo "device = $device"; done
}

# guest NAME DEVICES CMDLINE <SCRIPT: starts it and waits for its end. Its serial
# console is in $work/NAME.out. Status: that of SCRIPT, or 99 where it did not end.
guest() {
	local name=$1 status
	cat >"$work/$name.sh"
	guest_conf "$@" >"$work/$name.conf"
	timeout "${GUEST_SECONDS:-150}" pvmctl start "$work/$name.conf" --console \
		</dev/null >"$work/$name.out" 2>"$work/$name.err"
	status=$?
	[ $status = 124 ] && pvmctl kill "$name" >/dev/null 2>&1
	tr -d '\r' <"$work/$name.out" | sed '1,/^===pvm-run-begin===/d' >"$work/$name.said"
	[ $status = 0 ] || return 99
	return "$(sed -n 's/^===pvm-run-end status=\([0-9]*\)===.*/\1/p' "$work/$name.said" | grep . ||
		echo 99)"
}

# said NAME PATTERN: in the output of the guest's script
said() { grep -qE -- "$2" "$work/$1.said"; }

# show NAME: why a guest did not do as it should
show() {
	comment "$work/$1.err" 10
	comment "$work/$1.out" "${2:-25}"
}

# grade ADDRESS: of a claimed function, as pvmctl tells it
grade() {
	pvmctl devices --json | python3 -c '
import json, sys
def walk(v):
    if isinstance(v, dict):
        if str(v.get("address", "")).endswith(sys.argv[1]): print(v.get("grade", ""))
        v = list(v.values())
    if isinstance(v, list):
        for x in v: walk(x)
walk(json.load(sys.stdin))' "$1"
}

# driver FUNCTION: the host's driver of 02:00.0 and the like, or nothing
driver() { basename "$(readlink "/sys/bus/pci/devices/0000:$1/driver")" 2>/dev/null; }
