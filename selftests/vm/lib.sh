# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of this folder, which run in the lab's host: KTAP, and VMs.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
# In memory: what is written elsewhere goes through the lab's overlay.
work=$(mktemp -d /tmp/pvm-vm.XXXXXX)
results=0 failures=0

# begin N: N results will follow.
begin() {
	echo "KTAP version 1"
	echo "1..$1"
}

# ok STATUS NAME...: one result; STATUS 0 is good.
ok() {
	local status=$1
	shift
	results=$((results + 1))
	if [ "$status" = 0 ]; then
		echo "ok $results $*"
	else
		failures=$((failures + 1))
		echo "not ok $results $*"
	fi
	return "$status"
}

# is WANT GOT NAME...: equal, or both are told.
is() {
	local want=$1 got=$2
	shift 2
	if [ "$want" = "$got" ]; then
		ok 0 "$@"
	else
		ok 1 "$@"
		echo "# want: $want"
		echo "# got:  $got"
	fi
}

# try NAME COMMAND...: the command's status; what it printed is shown when it fails.
try() {
	local name=$1 status
	shift
	"$@" >"$work/try.out" 2>&1
	status=$?
	ok "$status" "$name" || comment "$work/try.out"
}

skip() {
	results=$((results + 1))
	echo "ok $results $1 # SKIP $2"
}

# comment FILE [LINES]: the end of it as KTAP comments.
comment() {
	tail -n "${2:-15}" "$1" | tr -d '\r' | sed 's/^/#   /'
}

end() {
	rm -rf "$work"
	[ "$failures" = 0 ]
	exit
}

# field NAME KEY: a value of `pvmctl status NAME --json`, without the second that python takes here.
field() {
	pvmctl status "$1" --json | tr '\n' ' ' |
		sed -nE 's/.*"'"$2"'": *("([^"]*)"|([0-9]+)).*/\2\3/p'
}

# wait_for SECONDS COMMAND...: until it is true; 1 when it never was.
wait_for() {
	local i=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		i=$((i - 1))
		[ $i -gt 0 ] || return 1
		sleep 0.2
	done
}
