// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints' one definition.
 *
 * World:   kernel
 * Context: any
 */
#define CREATE_TRACE_POINTS
#include <linux/types.h>
#include "trace/trace.h"
