/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host tests' twin of kmod/env/pvm/env.h: the same names over libc.
 *
 * World:   host tests
 * Context: any; single-threaded unless the test says otherwise
 */
#ifndef PVM_ENV_H
#define PVM_ENV_H

#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
#include <string.h>
#include <errno.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;

#define __force
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define __packed		__attribute__((packed))
#define __aligned(x)		__attribute__((aligned(x)))
#define fallthrough		__attribute__((fallthrough))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define static_assert		_Static_assert
#define BUILD_BUG_ON(c)		((void)sizeof(char[1 - 2 * !!(c)]))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define offsetofend(t, m)	(offsetof(t, m) + sizeof_field(t, m))
#define struct_size(p, m, n)	(sizeof(*(p)) + sizeof((p)->m[0]) * (n))

#define BIT(n)			(1ul << (n))
#define BIT_ULL(n)		(1ull << (n))
#define GENMASK(h, l)		((~0ul << (l)) & (~0ul >> (63 - (h))))
#define GENMASK_ULL(h, l)	((~0ull << (l)) & (~0ull >> (63 - (h))))
#define BITS_PER_LONG		64
#define BITS_TO_LONGS(n)	(((n) + 63) / 64)
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((u64)(x) >> 32))

#define min(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b)		({ t a_ = (a); t b_ = (b); a_ < b_ ? a_ : b_; })
#define max_t(t, a, b)		({ t a_ = (a); t b_ = (b); a_ > b_ ? a_ : b_; })
#define clamp(v, l, h)		min(max(v, l), h)
#define swap(a, b)		do { __typeof__(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()		__asm__ __volatile__("" ::: "memory")
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__after_atomic()	smp_mb()
#define smp_mb__before_atomic()	smp_mb()
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n)	({ __typeof__(*(p)) o_ = (o); \
	__atomic_compare_exchange_n(p, &o_, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); o_; })

static inline void set_bit(long n, volatile unsigned long *p)
{
	__atomic_fetch_or(&p[n / 64], 1ul << (n % 64), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(long n, volatile unsigned long *p)
{
	__atomic_fetch_and(&p[n / 64], ~(1ul << (n % 64)), __ATOMIC_SEQ_CST);
}

static inline bool test_and_set_bit(long n, volatile unsigned long *p)
{
	return __atomic_fetch_or(&p[n / 64], 1ul << (n % 64), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

static inline bool test_and_clear_bit(long n, volatile unsigned long *p)
{
	return __atomic_fetch_and(&p[n / 64], ~(1ul << (n % 64)), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

static inline bool test_bit(long n, const volatile unsigned long *p)
{
	return p[n / 64] >> (n % 64) & 1;
}

#define __set_bit(n, p)		((p)[(n) / 64] |= 1ul << ((n) % 64))
#define __clear_bit(n, p)	((p)[(n) / 64] &= ~(1ul << ((n) % 64)))

static inline int fls(u32 x) { return x ? 32 - __builtin_clz(x) : 0; }
static inline int fls64(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }
static inline unsigned long __ffs(unsigned long x) { return __builtin_ctzl(x); }
static inline unsigned long __fls(unsigned long x) { return 63 - __builtin_clzl(x); }
static inline u32 hweight8(u32 x) { return __builtin_popcount(x & 0xff); }
static inline u32 hweight32(u32 x) { return __builtin_popcount(x); }
static inline u32 hweight64(u64 x) { return __builtin_popcountll(x); }
static inline bool is_power_of_2(unsigned long x) { return x && !(x & (x - 1)); }
static inline int ilog2(u64 x) { return fls64(x) - 1; }
static inline unsigned long roundup_pow_of_two(unsigned long x)
{
	return x <= 1 ? 1 : 1ul << (64 - __builtin_clzl(x - 1));
}

static inline u64 div64_u64(u64 a, u64 b) { return a / b; }
static inline u64 div_u64(u64 a, u32 b) { return a / b; }

#define PVM_LE_(bits) \
static inline u##bits get_unaligned_le##bits(const void *p) \
{ u##bits v; memcpy(&v, p, sizeof(v)); return v; } \
static inline void put_unaligned_le##bits(u##bits v, void *p) { memcpy(p, &v, sizeof(v)); } \
static inline u##bits get_unaligned_be##bits(const void *p) \
{ u##bits v; memcpy(&v, p, sizeof(v)); return __builtin_bswap##bits(v); } \
static inline void put_unaligned_be##bits(u##bits v, void *p) \
{ v = __builtin_bswap##bits(v); memcpy(p, &v, sizeof(v)); } \
static inline u##bits cpu_to_le##bits(u##bits v) { return v; } \
static inline u##bits le##bits##_to_cpu(u##bits v) { return v; } \
static inline u##bits swab##bits(u##bits v) { return __builtin_bswap##bits(v); }
PVM_LE_(16)
PVM_LE_(32)
PVM_LE_(64)

#define PVM_NS_PER_S	1000000000ull

static inline u64 pvm_muldiv64(u64 a, u64 b, u64 c)
{
	return (u64)((unsigned __int128)a * b / c);
}

#include <pvm/types.h>

#endif /* PVM_ENV_H */
