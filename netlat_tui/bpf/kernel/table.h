/* Packets under way: a set-associative table of fixed size, keyed by the skb's address. Nothing is ever cleaned up;
 * a bucket that is full gives up one of its packets, and that is counted. */

INLINE u64 skb_head(u64 skb)
{
	return read_u64(skb, OFF_SKB_HEAD);
}

INLINE u32 bucket_index(u64 skb)
{
	return (u32)((skb >> 6) * 0x9E3779B97F4A7C15ull >> 40) & (N_FLIGHTS / WAYS - 1);
}

INLINE struct flight *flight_at(u32 index)
{
	return flights.lookup(&index);
}

INLINE struct flight *flight_by_key(u64 skb)
{
	u32 at = bucket_index(skb);
	struct bucket *b = tags.lookup(&at);
	if (!b)
		return 0;
#pragma unroll
	for (u32 way = 0; way < WAYS; way++)
		if (b->key[way] == skb)
			return flight_at(at * WAYS + way);
	return 0;
}

INLINE void flight_tag(const struct flight *f, u64 tag)
{
	u32 at = f->slot / WAYS;
	struct bucket *b = tags.lookup(&at);
	if (b)
		b->key[WITHIN(f->slot, WAYS)] = tag;
}

INLINE void flight_clear(struct flight *f)
{
	f->state = FLIGHT_NONE;
	flight_tag(f, 0);
}

/* The kernel frees an skb, and uses it for another packet, before the receive call that read it returns. From here on
 * the flight goes by a name no skb has. */
#define DETACHED 1

INLINE void flight_detach(struct flight *f)
{
	f->state = FLIGHT_READ;
	flight_tag(f, f->key | DETACHED);
}

/* A datagram whose skb is in use again was read: there was no drop. */
INLINE int read_unseen(const struct flight *f)
{
	return f->state == FLIGHT_SOCKET && f->rec.proto == 17;
}

INLINE int is_rx(const struct flight *f)
{
	return f->rec.direction == DIRECTION_RX;
}

INLINE int carries_nothing(const struct flight *f)
{
	return is_rx(f) && f->rec.proto == 6 && f->rec.family && !f->payload;
}

/* A packet ends once, whoever comes first: its reader, the sweep, another CPU that uses its skb or its place again. */
INLINE int flight_ends(struct flight *f)
{
	u64 was = f->state;
	if (was < FLIGHT_LINKED)
		return 0;
#ifdef HAVE_CMPXCHG
	return __sync_val_compare_and_swap(&f->state, was, FLIGHT_NONE) == was;
#else
	f->state = FLIGHT_NONE;
	return 1;
#endif
}

/* What a packet counts as whose end was not seen. A TCP segment without payload never reaches a socket: TCP used it up. A
 * fragment nobody dropped is part of its datagram. reused: its skb is another packet's; TCP frees a segment without a word
 * when its bytes are in another skb. */
INLINE u32 lost_as(const struct flight *f, u32 counter, int reused)
{
	if (carries_nothing(f))
		return COUNT_CONSUMED;
	if (is_rx(f) && (f->part == PART_LATER || (reused && f->rec.proto == 6)))
		return COUNT_MERGED;
	return counter;
}

INLINE void flight_lost(struct flight *f, u32 counter, int reused)
{
	if (flight_ends(f))
		count(lost_as(f, counter, reused), 1);
	else if (f->state != FLIGHT_BORN)
		return;   /* another CPU is about it */
	flight_clear(f);
}

/* The flight of an skb, if this is still the packet that was born there. */
INLINE struct flight *flight_of(u64 skb)
{
	struct flight *f = flight_by_key(skb);
	if (!f || f->state == FLIGHT_NONE)
		return 0;
	if (f->head != skb_head(skb)) {
		if (read_unseen(f))
			flight_detach(f);
		else
			flight_lost(f, COUNT_EXPIRED, 1);
		return 0;
	}
	return f;
}

/* What checksums or cuts an skb on its way to the driver, or the driver itself (skb_cow_head), may give it a new head. Since
 * the device queue it has been in the stack's hands: the same skb of the same socket is the same packet. One that was cut
 * up has given its socket to its last segment (tcp_gso_segment). */
INLINE void follow_head(u64 skb)
{
	struct flight *f = flight_by_key(skb);
	if (!f || is_rx(f) || f->state != FLIGHT_LINKED || !f->sk)
		return;
	u64 sk = read_u64(skb, OFF_SKB_SK);
	if (f->sk == sk || (!sk && f->rec.segs > 1))
		f->head = skb_head(skb);
}

/* Opaque: where the caller asks whether there is one, the pointer is asked, as the verifier wants it, and not the direction
 * it depends on. */
INLINE struct flight *rx_of(u64 skb)
{
	struct flight *f = flight_of(skb);
	if (f && !is_rx(f))
		f = 0;
	OPAQUE(f);
	return f;
}

INLINE struct flight *tx_of(u64 skb)
{
	struct flight *f = flight_of(skb);
	if (f && is_rx(f))
		f = 0;
	OPAQUE(f);
	return f;
}

/* Take a place if it still holds what it held. CPUs go through the same few skbs over and over: two of these in one
 * bucket would meet there thousands of times a second. */
INLINE int claim(u64 *tag, u64 held, u64 skb)
{
#ifdef HAVE_CMPXCHG
	return __sync_val_compare_and_swap(tag, held, skb) == held;
#else
	if (*tag != held)
		return 0;
	*tag = skb;
	return 1;
#endif
}

/* Where the search for an empty place begins: without an atomic exchange (before 5.12), neighbouring CPUs at least do
 * not begin at the same one. */
INLINE u32 first_way(void)
{
#ifdef HAVE_CMPXCHG
	return 0;
#else
	return bpf_get_smp_processor_id();
#endif
}

INLINE struct flight *flight_take(u64 skb, u64 now)
{
	u32 at = bucket_index(skb);
	struct bucket *b = tags.lookup(&at);
	u32 way = WAYS, first = first_way();
	u64 held = skb;

	if (!b)
		return 0;
#pragma unroll
	for (u32 i = 0; i < WAYS; i++)
		if (b->key[i] == skb)
			way = i;
	if (way == WAYS) {
		held = 0;
#pragma unroll
		for (u32 i = 0; i < WAYS; i++) {
			u32 w = WITHIN(first + i, WAYS);
			if (way == WAYS && !b->key[w] && claim(&b->key[w], 0, skb))
				way = w;
		}
	}
	if (way == WAYS) {
		way = WITHIN(now >> 7, WAYS);
		held = b->key[way];
		if (!claim(&b->key[way], held, skb)) {
			count(COUNT_UNMATCHED, 1);
			return 0;
		}
	}
	way = WITHIN(way, WAYS);
	struct flight *f = flight_at(at * WAYS + way);
	if (!f)
		return 0;
	if (held && flight_ends(f))
		count(lost_as(f, held == skb ? COUNT_EXPIRED : COUNT_EVICTED, held == skb), 1);
	f->state = FLIGHT_NONE;
	f->slot = at * WAYS + way;
	return f;
}

/* The id the next packet born on this CPU will have. */
INLINE u64 next_id(const struct cpu_state *c)
{
	u64 cpu = bpf_get_smp_processor_id();
	return cpu << 48 | ((c->ids + 1) & 0xFFFFFFFFFFFFull);
}

/* Where counting every packet would cost too much, those born in one time slice of so many stand for all. Whole slices: the
 * packets of a burst, of a socket's queue, are counted together or not at all. */
#define SLICE_SHIFT 23   /* 8.4 ms */

INLINE int is_counted(u64 now)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 thin = k ? k->thin & 15 : 0;
	if (!thin)
		return 1;
	/* Which of them is as good as random: nothing that repeats keeps in step with it. */
	u32 slice = now >> SLICE_SHIFT, last = (1u << thin) - 1;
	return (slice & last) == (mix(0x5EED, slice >> thin) >> 8 & last);
}

/* A packet comes into being for us. Its points before this one are added by the caller. */
INLINE struct flight *flight_birth(u64 skb, u64 head, u64 now, struct cpu_state *c, u32 direction)
{
	struct flight *f = flight_by_key(skb);
	int counted = is_counted(now);
	if (f && read_unseen(f))
		flight_detach(f);
	else if (f && !counted)
		flight_lost(f, COUNT_EXPIRED, 1);
	if (!counted)
		return 0;
	f = flight_take(skb, now);
	if (!f)
		return 0;
	u64 cpu = bpf_get_smp_processor_id();
	__builtin_memset(&f->rec, 0, sizeof(f->rec));
	f->key = skb;
	f->head = head;
	f->sk = f->last_ns = f->copy_ns = f->driver_ns = 0;
	f->irq_slot = f->seq = f->end_seq = f->flow = f->payload = f->wakes = f->fifo = 0;
	f->settled = UNSETTLED;
	f->copy_cpu = f->gso_segs = f->follow = f->part = 0;
	f->rec.id = next_id(c);
	c->ids++;
	f->rec.direction = direction;
	f->rec.softirq_cpu = cpu;
	f->state = FLIGHT_BORN;
	return f;
}

/* The packet goes on under another skb: a clone, the first segment of what was cut up. */
INLINE struct flight *flight_move(struct flight *f, u64 skb, u64 now)
{
	struct flight *to = flight_take(skb, now);
	if (!to || to == f)
		return 0;
	u32 slot = to->slot;
	bpf_probe_read_kernel(to, sizeof(*to), f);
	to->slot = slot;
	to->key = skb;
	to->head = skb_head(skb);
	flight_clear(f);
	return to;
}
