/* What every part of the kernel side starts from. The constants (POINT_*, OFF_*, N_*, ...) are generated from the
 * model's tables and from BTF; struct path and struct instruction from the model's record types. */
#include <linux/types.h>

#define INLINE static inline __attribute__((always_inline))

/* Non-atomic 64-bit adds lose counts where an interrupt comes in between. */
#define ADD(where, n) __sync_fetch_and_add(&(where), (n))

/* A field of an object whose type the verifier knows: an ordinary load. */
#define LOAD(kind, from, offset)                                                                                       \
	({                                                                                                             \
		u64 value_;                                                                                            \
		asm("%0 = *(" #kind " *)(%1 + %2)" : "=r"(value_) : "r"(from), "i"(offset));                            \
		(kind) value_;                                                                                         \
	})

/* The same for what changes while a hook runs: not to be moved, nor shared with an earlier one. */
#define LOAD_NOW(kind, from, offset)                                                                                   \
	({                                                                                                             \
		u64 value_;                                                                                            \
		asm volatile("%0 = *(" #kind " *)(%1 + %2)" : "=r"(value_) : "r"(from), "i"(offset));                   \
		(kind) value_;                                                                                         \
	})

#define READ(into, from, offset) bpf_probe_read_kernel(&(into), sizeof(into), (void *)((from) + (offset)))

/* The compiler may not use what it knows of a variable. Newer ones turn "i < n" into "i != n", or drop a mask, where they
 * can prove it needless; the verifier cannot, and sees a loop without end or an access out of bounds. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

/* An index both can bound; the size is a power of two. */
#define WITHIN(index, size)                                                                                            \
	({                                                                                                             \
		u64 at_ = (index);                                                                                     \
		OPAQUE(at_);                                                                                           \
		at_ & ((size) - 1);                                                                                    \
	})

INLINE u64 read_u64(u64 from, u32 offset)
{
	u64 value = 0;
	READ(value, from, offset);
	return value;
}

INLINE u32 read_u32(u64 from, u32 offset)
{
	u32 value = 0;
	READ(value, from, offset);
	return value;
}

INLINE u16 read_u16(u64 from, u32 offset)
{
	u16 value = 0;
	READ(value, from, offset);
	return value;
}

INLINE u8 read_u8(u64 from, u32 offset)
{
	u8 value = 0;
	READ(value, from, offset);
	return value;
}

INLINE u16 swap16(u16 value)
{
	return value >> 8 | value << 8;
}

INLINE u32 swap32(u32 value)
{
	return __builtin_bswap32(value);
}

INLINE u32 mix(u32 hash, u32 value)
{
	hash = (hash ^ value) * 0x9E3779B1u;
	return hash ^ hash >> 15;
}
