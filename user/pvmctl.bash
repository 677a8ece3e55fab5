# SPDX-License-Identifier: GPL-2.0-only
#
# bash completion for pvmctl. Installed as
# /usr/share/bash-completion/completions/pvmctl.

# Names of VMs that are there; --running leaves out those that have ended.
_pvmctl_vms()
{
	if [ "$1" = --running ]; then
		pvmctl list 2>/dev/null | awk 'NR > 1 && $2 != "ended" && $2 != "failed" { print $1 }'
	else
		pvmctl list 2>/dev/null | awk 'NR > 1 { print $1 }'
	fi
}

_pvmctl_devices()
{
	local d
	for d in /sys/bus/pci/devices/*; do
		# Bridges cannot be passed.
		[[ $(cat "$d/class" 2>/dev/null) == 0x06* ]] || echo "${d##*/}"
	done
}

_pvmctl_configurations()
{
	compgen -f -X '!*.conf' -- "$1"
	compgen -d -S / -- "$1"
	local f
	for f in /etc/passvm/*.conf; do
		[ -e "$f" ] || continue
		f=${f##*/}
		compgen -W "${f%.conf}" -- "$1"
	done
}

_pvmctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' i options words
	local verbs='check devices claim release reset start stop reboot kill pause resume list status stats console events'

	# An address is one word though it has colons.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*)	;;
		*)	verb=${COMP_WORDS[i]}
			break ;;
		esac
	done
	if [ -z "$verb" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version --json" -- "$cur")
		return
	fi
	options='--help --json'
	case $verb in
	devices)	options+=' -v' words=$(_pvmctl_devices) ;;
	claim|release)	options+=' --persist' words=$(_pvmctl_devices) ;;
	reset)		options+=' --method' words=$(_pvmctl_devices)
			[ "$prev" = --method ] && words='flr af_flr pm bus slot acpi' options='' ;;
	start)		options+=' --plan --console --wait --no-devices --no-net' ;;
	stop)		options+=' --timeout' words=$(_pvmctl_vms --running)
			[ "$prev" = --timeout ] && words='' options='' ;;
	reboot|kill|pause|resume|console)
			words=$(_pvmctl_vms --running) ;;
	status|events)	words=$(_pvmctl_vms) ;;
	stats)		options+=' --vcpus' words=$(_pvmctl_vms) ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif [ "$verb" = start ]; then
		compopt -o nospace -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(_pvmctl_configurations "$cur" | sort -u)
	else
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	fi
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _pvmctl pvmctl
