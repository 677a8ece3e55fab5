/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: trace-cmd record -e passvm
 *
 * World:   kernel
 * Context: any
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM passvm

#if !defined(PVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVM_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(pvm_enter,
	TP_PROTO(u32 vcpu, u64 rip),
	TP_ARGS(vcpu, rip),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->rip = rip;
	),
	TP_printk("vcpu %u rip %llx", __entry->vcpu, __entry->rip)
);

TRACE_EVENT(pvm_exit,
	TP_PROTO(u32 vcpu, u32 kind, u32 code, u64 rip),
	TP_ARGS(vcpu, kind, code, rip),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, kind)
		__field(u32, code)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->code = code;
		__entry->rip = rip;
	),
	TP_printk("vcpu %u kind %u code %x rip %llx", __entry->vcpu, __entry->kind,
		  __entry->code, __entry->rip)
);

TRACE_EVENT(pvm_irq,
	TP_PROTO(u32 source, u64 address, u32 data),
	TP_ARGS(source, address, data),
	TP_STRUCT__entry(
		__field(u32, source)
		__field(u64, address)
		__field(u32, data)
	),
	TP_fast_assign(
		__entry->source = source;
		__entry->address = address;
		__entry->data = data;
	),
	TP_printk("%s %llx data %x", __entry->source ? "msi" : "line", __entry->address,
		  __entry->data)
);

#endif /* PVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
