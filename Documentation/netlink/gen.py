#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# From specs/passvm.yaml: uapi/passvm.h, kmod/nl/passvm_nl.[ch], user/names.h and
# Documentation/uapi.rst.
#
#   gen.py            writes them
#   gen.py --check    writes nothing, fails if one of them would change
#
# The kernel's own generator can't be used: it needs struct genl_split_ops or
# leaves the family to be written by hand, and it is not in Debian's packages.

import os
import sys
import textwrap
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SPEC = os.path.join(HERE, 'specs', 'passvm.yaml')
ORIGIN = 'Documentation/netlink/specs/passvm.yaml'
HAND = os.path.join(HERE, 'uapi-errors.rst.in')

NLA = {'u8': 'NLA_U8', 'u16': 'NLA_U16', 'u32': 'NLA_U32', 'u64': 'NLA_U64', 's32': 'NLA_S32',
       'string': 'NLA_NUL_STRING', 'binary': 'NLA_BINARY', 'flag': 'NLA_FLAG', 'nest': 'NLA_NESTED'}


def upper(name):
    return name.upper().replace('-', '_')


def lower(name):
    return name.replace('-', '_')


def comment(text, indent=''):
    """A C comment of one line if it fits, else a block."""
    text = ' '.join(text.split())
    if len(indent.expandtabs(8)) + len(text) <= 88:
        return f'{indent}/* {text} */\n'
    lines = textwrap.wrap(text, 88)
    return f'{indent}/*\n' + ''.join(f'{indent} * {line}\n' for line in lines) + f'{indent} */\n'


def tabbed(left, column, right):
    """@left, tabs up to @column, @right."""
    width = len(left.expandtabs(8))
    return left + '\t' * max(1, (column - width + 7) // 8) + right


class Spec:
    def __init__(self):
        with open(SPEC) as f:
            self.y = yaml.safe_load(f)
        self.sets = {s['name']: s for s in self.y['attribute-sets']}
        self.ops = self.y['operations']['list']
        self.defs = {d['name']: d for d in self.y['definitions']}
        self.validate()

    def attrs(self, set_name='main'):
        return self.sets[set_name]['attributes']

    def attr(self, name):
        return next(a for a in self.attrs() if a['name'] == name)

    def const(self, attr, set_name='main'):
        return upper(self.sets[set_name]['name-prefix'] + attr)

    def validate(self):
        names = {a['name'] for a in self.attrs()}
        for op in self.ops:
            for part in (op.get('do', {}), op.get('dump', {})):
                for way in ('request', 'reply'):
                    missing = set(part.get(way, {}).get('attributes', [])) - names
                    if missing:
                        sys.exit(f'gen.py: {op["name"]}: unknown attributes {sorted(missing)}')
        for s in self.y['attribute-sets']:
            for a in s['attributes']:
                if not a.get('doc'):
                    sys.exit(f'gen.py: attribute {s["name"]}.{a["name"]} has no doc')
                if a['type'] not in NLA:
                    sys.exit(f'gen.py: {a["name"]}: unknown type {a["type"]}')


def head(purpose, world, style):
    spdx = '/* SPDX-License-Identifier: GPL-2.0-only */' if style == 'h' else \
        '// SPDX-License-Identifier: GPL-2.0-only'
    return f'''{spdx}
/*
 * {purpose}
 *
 * Generated from {ORIGIN}
 * by Documentation/netlink/gen.py; change those.
 *
 * World:   {world}
 * Context: any
 */
'''


# --- uapi/passvm.h -----------------------------------------------------------

def uapi_header(spec):
    out = head('The netlink interface of passvm.', 'uapi', 'h').replace(
        'GPL-2.0-only', 'GPL-2.0-only WITH Linux-syscall-note', 1)
    out += '#ifndef _UAPI_PASSVM_H\n#define _UAPI_PASSVM_H\n\n'
    out += tabbed('#define PASSVM_FAMILY_NAME', 40, '"passvm"\n')
    for g in spec.y['mcast-groups']['list']:
        out += tabbed(f'#define PASSVM_MCGRP_{upper(g["name"])}', 40, f'"{g["name"]}"\n')
    out += '\n'
    for d in spec.y['definitions']:
        if d['type'] != 'const':
            continue
        out += comment(d['doc'])
        out += tabbed(f'#define PASSVM_{upper(d["name"])}', 40, f'{d["value"]}\n')
    for d in spec.y['definitions']:
        if d['type'] == 'const':
            continue
        out += '\n' + comment(d['doc'])
        out += f'enum passvm_{lower(d["name"])} {{\n'
        value = d.get('value-start', 0)
        for i, e in enumerate(d['entries']):
            number = 1 << i if d['type'] == 'flags' else value + i
            left = f'\tPASSVM_{upper(d["name"])}_{upper(e["name"])} = {number},'
            line = tabbed(left, 48, f'/* {e["doc"]} */\n')
            if len(line.expandtabs(8)) > 100:
                line = comment(e['doc'], '\t') + left + '\n'
            out += line
        out += '};\n'
    for s in spec.y['attribute-sets']:
        out += f'\n/* Attributes: {"of the messages" if s["name"] == "main" else "inside " + s["name"]}. */\n'
        out += 'enum {\n'
        for i, a in enumerate(s['attributes']):
            name = upper(s['name-prefix'] + a['name'])
            out += tabbed(f'\t{name}{" = 1" if i == 0 else ""},', 48, f'/* {a["type"]} */\n')
        prefix = upper(s['name-prefix'])
        out += f'\n\t__{prefix}MAX,\n\t{prefix}MAX = (__{prefix}MAX - 1)\n}};\n'
    out += '\nenum {\n'
    for i, op in enumerate(spec.ops):
        out += f'\tPASSVM_CMD_{upper(op["name"])}{" = 1" if i == 0 else ""},\n'
    out += '\n\t__PASSVM_CMD_MAX,\n\tPASSVM_CMD_MAX = (__PASSVM_CMD_MAX - 1)\n};\n'
    return out + '\n#endif /* _UAPI_PASSVM_H */\n'


# --- kmod/nl/passvm_nl.[ch] --------------------------------------------------

def policy(attr):
    """The nla_policy of one attribute; the forms that every kernel since 6.1 has."""
    checks, kind = attr.get('checks', {}), NLA[attr['type']]
    if attr['type'] == 'nest':
        sys.exit(f'gen.py: {attr["name"]}: no request may have a nest')
    if attr['type'] == 'string':
        return f'{{ .type = {kind}, .len = {checks["max-len"]} }}'
    if attr['type'] == 'binary':
        if 'exact-len' in checks:
            return f'NLA_POLICY_EXACT_LEN({checks["exact-len"]})'
        return f'{{ .type = {kind}, .len = {checks["max-len"]} }}'
    if 'min' in checks and 'max' in checks:
        return f'NLA_POLICY_RANGE({kind}, {checks["min"]}, {checks["max"]})'
    if 'min' in checks:
        return f'NLA_POLICY_MIN({kind}, {checks["min"]})'
    if 'max' in checks:
        return f'NLA_POLICY_MAX({kind}, {checks["max"]})'
    return f'{{ .type = {kind} }}'


def handlers(spec):
    """(op, way, function) of everything that nl/ must define."""
    for op in spec.ops:
        name = lower(op['name'])
        if 'do' in op:
            yield op, 'doit', f'pvm_nl_{name}'
        if 'dump' in op:
            yield op, 'dumpit', f'pvm_nl_{name}_dump'


def kernel_header(spec):
    out = head('Policies, operations and attribute names of the netlink family.', 'kernel', 'h')
    out += '#ifndef PVM_PASSVM_NL_H\n#define PVM_PASSVM_NL_H\n\n'
    out += '#include <net/genetlink.h>\n#include <uapi/passvm.h>\n\n'
    count = sum(1 for op in spec.ops if 'do' in op or 'dump' in op)
    out += f'#define PVM_NL_OPS\t{count}\n\n'
    out += 'extern const struct genl_ops pvm_nl_ops[PVM_NL_OPS];\n'
    out += 'extern const char *const pvm_nl_attr_names[PASSVM_A_MAX + 1];\n\n'
    out += '/* Implemented by nl/nl.c: -EPERM with a message unless the sender may change things. */\n'
    out += 'int pvm_nl_admin(struct sk_buff *skb, struct genl_info *info);\n\n'
    out += '/* Implemented by the other files of nl/. */\n'
    for _, way, fn in handlers(spec):
        arg = 'struct genl_info *info' if way == 'doit' else 'struct netlink_callback *cb'
        out += f'int {fn}(struct sk_buff *skb, {arg});\n'
    return out + '\n#endif /* PVM_PASSVM_NL_H */\n'


def kernel_source(spec):
    out = head('Policies, operations and attribute names of the netlink family.', 'kernel', 'c')
    out += '\n#include "nl/passvm_nl.h"\n'
    out += '\nconst char *const pvm_nl_attr_names[PASSVM_A_MAX + 1] = {\n'
    for a in spec.attrs():
        out += f'\t[{spec.const(a["name"])}] = "{a["name"]}",\n'
    out += '};\n'
    ops = '\nconst struct genl_ops pvm_nl_ops[PVM_NL_OPS] = {\n'
    for op in spec.ops:
        if 'do' not in op and 'dump' not in op:
            continue
        name = lower(op['name'])
        request = op.get('do', {}).get('request', {}).get('attributes', [])
        order = [a['name'] for a in spec.attrs() if a['name'] in request]
        if order:
            out += f'\nstatic const struct nla_policy {name}_policy[{spec.const(order[-1])} + 1] = {{\n'
            for a in order:
                out += f'\t[{spec.const(a)}] = {policy(spec.attr(a))},\n'
            out += '};\n'
        doit = f'pvm_nl_{name}'
        if 'admin-perm' in op.get('flags', []):
            doit = f'{name}_admin'
            out += f'\nstatic int {doit}(struct sk_buff *skb, struct genl_info *info)\n{{\n'
            out += '\tint err = pvm_nl_admin(skb, info);\n\n'
            out += f'\treturn err ? err : pvm_nl_{name}(skb, info);\n}}\n'
        ops += f'\t{{\n\t\t.cmd = PASSVM_CMD_{upper(op["name"])},\n\t\t.doit = {doit},\n'
        if 'dump' in op:
            # Dumps take no attributes.
            ops += f'\t\t.dumpit = pvm_nl_{name}_dump,\n'
        if order:
            ops += f'\t\t.policy = {name}_policy,\n'
            ops += f'\t\t.maxattr = ARRAY_SIZE({name}_policy) - 1,\n'
        ops += '\t},\n'
    return out + ops + '};\n'


# --- user/names.h -------------------------------------------------------------

def user_names(spec):
    out = head('Names of attributes and of the values of enumerations.', 'user', 'h')
    out += '#ifndef PVM_USER_NAMES_H\n#define PVM_USER_NAMES_H\n\n#include <uapi/passvm.h>\n\n'
    out += 'static const char *const attr_names[PASSVM_A_MAX + 1] = {\n'
    for a in spec.attrs():
        out += f'\t[{spec.const(a["name"])}] = "{a["name"]}",\n'
    out += '};\n'
    for d in spec.y['definitions']:
        if d['type'] != 'enum' or d['name'] not in ('state', 'end', 'device-state', 'grade', 'notice'):
            continue
        out += f'\nstatic const char *const {lower(d["name"])}_names[] = {{\n'
        for e in d['entries']:
            out += f'\t[PASSVM_{upper(d["name"])}_{upper(e["name"])}] = "{e["name"]}",\n'
        out += '};\n'
    return out + '\n#endif /* PVM_USER_NAMES_H */\n'


# --- Documentation/uapi.rst --------------------------------------------------

def title(text, mark):
    return f'{text}\n{mark * len(text)}\n\n'


def rst_list(rows):
    return ''.join(f'``{name}``{extra}\n' + textwrap.indent(
        '\n'.join(textwrap.wrap(' '.join(doc.split()), 92)), '    ') + '\n\n' for name, extra, doc in rows)


def rst(spec):
    out = '.. SPDX-License-Identifier: GPL-2.0-only\n'
    out += f'.. Generated from {ORIGIN} by Documentation/netlink/gen.py.\n\n'
    out += title('The netlink interface', '=')
    out += spec.y['doc'].strip() + '\n\n'
    out += 'Generic netlink family ``passvm``, multicast group ``events``. Constants are in ' \
           '``uapi/passvm.h``.\nRequests marked *admin* need CAP_SYS_ADMIN in the initial user ' \
           'namespace; the family exists in the\ninitial network namespace only.\n\n'
    out += title('Requests and events', '-')
    for op in spec.ops:
        admin = ' (admin)' if 'admin-perm' in op.get('flags', []) else ''
        out += title(op['name'] + admin, '~')
        out += '\n'.join(textwrap.wrap(' '.join(op['doc'].split()), 96)) + '\n\n'
        rows = []
        do = op.get('do', {})
        for label, part in (('request', do.get('request')), ('answer', do.get('reply')),
                            ('each answer of a dump', op.get('dump', {}).get('reply')),
                            ('event', op.get('event'))):
            if part and part['attributes']:
                rows.append((label, ', '.join(f'``{a}``' for a in part['attributes'])))
        for label, names in rows:
            out += '\n'.join(textwrap.wrap(f':{label}: {names}', 96, subsequent_indent='    ')) + '\n'
        out += '\n' if rows else ''
    for s in spec.y['attribute-sets']:
        out += title('Attributes' if s['name'] == 'main' else f'Attributes inside {s["name"]}', '-')
        rows = []
        for a in s['attributes']:
            limits = [f'{k} {v}' for k, v in a.get('checks', {}).items()]
            limits += [a['enum']] if 'enum' in a else []
            limits += ['repeated'] if a.get('multi-attr') else []
            rows.append((a['name'], f' ({", ".join([a["type"]] + limits)})', a['doc']))
        out += rst_list(rows)
    out += title('Constants', '-')
    for d in spec.y['definitions']:
        if d['type'] == 'const':
            out += rst_list([(f'PASSVM_{upper(d["name"])}', f' = {d["value"]}', d['doc'])])
    for d in spec.y['definitions']:
        if d['type'] == 'const':
            continue
        out += title(d['name'], '~') + d['doc'] + '\n\n'
        start = d.get('value-start', 0)
        out += rst_list([(f'PASSVM_{upper(d["name"])}_{upper(e["name"])}',
                          f' = {1 << i if d["type"] == "flags" else start + i}', e['doc'])
                         for i, e in enumerate(d['entries'])])
    with open(HAND) as f:
        return out + f.read()


def main():
    spec = Spec()
    files = {'uapi/passvm.h': uapi_header(spec), 'kmod/nl/passvm_nl.h': kernel_header(spec),
             'kmod/nl/passvm_nl.c': kernel_source(spec), 'user/names.h': user_names(spec),
             'Documentation/uapi.rst': rst(spec)}
    check, stale = '--check' in sys.argv[1:], []
    for name, text in files.items():
        path = os.path.join(TOP, name)
        old = open(path).read() if os.path.exists(path) else None
        if old == text:
            continue
        stale.append(name)
        if not check:
            with open(path, 'w') as f:
                f.write(text)
    if check and stale:
        sys.exit('gen.py: not what the specification says: ' + ', '.join(stale))


if __name__ == '__main__':
    main()
