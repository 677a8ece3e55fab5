# SPDX-License-Identifier: GPL-2.0-only
"""Judges a host's kernel log: what means that something went wrong."""

import re

# The host is beyond help: no need to wait for the command.
DEAD = re.compile(r"Kernel panic|\bOops\b|BUG: unable to handle|kernel BUG at|"
                  r"pvm-lab: FATAL|stack guard page was hit")

WARNED = re.compile(
    r"\bWARNING:|\bBUG:|\bKASAN:|\bUBSAN:|\bKFENCE:|\bODEBUG:|\bOops\b|Kernel panic|kernel BUG at|"
    r"INFO: possible|possible (circular|recursive|irq lock|deadlock)|inconsistent lock state|"
    r"INFO: trying to register non-static key|held lock freed|still has locks held|"
    r"suspicious RCU usage|scheduling while atomic|sleeping function called|"
    r"soft lockup|hard LOCKUP|blocked for more than|rcu.*detected.*stall|"
    r"(?<!traps: )general protection fault|invalid opcode:|divide error:|"
    r"kmemleak: \d+ new suspected|unreferenced object|"
    r"list_(add|del) corruption|refcount_t:|Bad page state|nobody cared|"
    r"DMA-API: .*(device driver|exceed|overlapp)|unchecked MSR access error|pvm-lab: FATAL")

# What a healthy boot prints on this emulated PC. Exact text, so that nothing else hides here.
HARMLESS = (
    # The emulated CPU has no microcode for it.
    "Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/"
    "admin-guide/hw-vuln/srso.html for mitigation options.",
)

# "traps: PROGRAM[PID] general protection fault ip:..." is about a program.
_PROGRAM = re.compile(r"traps: \S+\[\d+\] ")


def findings(text):
    """The lines that tell of trouble."""
    return [line for line in text.splitlines()
            if WARNED.search(line) and not _PROGRAM.search(line)
            and not any(h in line for h in HARMLESS)]


def dead(text):
    return bool(DEAD.search(text))
