/* Packets under way: a set-associative table of fixed size, keyed by the skb's address. Nothing is ever cleaned up;
 * a bucket that is full gives up one of its packets, and that is counted. */

INLINE u64 skb_head(struct object skb)
{
	return GET(skb, u64, OFF_SKB_HEAD);
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
	u32 at = bucket_index(skb), way = WAYS;
	struct bucket *b = tags.lookup(&at);
	if (!b)
		return 0;
#pragma unroll
	for (u32 i = 0; i < WAYS; i++)
		way = b->key[i] == skb ? i : way;
	return way < WAYS ? flight_at(at * WAYS + way) : 0;
}

INLINE void flight_tag(const struct flight *f, u64 tag)
{
	u32 at = f->slot / WAYS;
	struct bucket *b = tags.lookup(&at);
	if (b)
		b->key[WITHIN(f->slot, WAYS)] = tag;
}

/* Put one value in another's place; 0 where that was not there (any more). */
INLINE int exchange(u64 *where, u64 from, u64 to)
{
#ifdef HAVE_CMPXCHG
	return __sync_val_compare_and_swap(where, from, to) == from;
#else
	if (*where != from)
		return 0;
	*where = to;
	return 1;
#endif
}

/* Unless another CPU has given it another name meanwhile. */
INLINE void flight_rename(const struct flight *f, u64 from, u64 to)
{
	u32 at = f->slot / WAYS;
	struct bucket *b = tags.lookup(&at);
	if (b)
		exchange(&b->key[WITHIN(f->slot, WAYS)], from, to);
}

/* The kernel frees an skb, and uses it for another packet, before the receive call that read it returns. From here on
 * the flight goes by a name no skb has. */
#define DETACHED 1

INLINE void flight_detach(struct flight *f)
{
	u64 was = f->state;
	if (was >= FLIGHT_LINKED && exchange(&f->state, was, FLIGHT_READ))
		flight_rename(f, f->key, f->key | DETACHED);
}

/* The name of what is at its end: nobody finds it, and nobody takes its place. */
#define ENDING_TAG 2

/* Take a flight out of everyone's hands: it ends once, whoever comes first: its reader, the sweep, another CPU that uses its
 * skb or its place again. Who gets 1 frees the place: until then its skb may be in use again, at another. */
INLINE int flight_claim(struct flight *f, u64 was)
{
	if (!exchange(&f->state, was, FLIGHT_ENDING))
		return 0;
	flight_tag(f, ENDING_TAG);
	return 1;
}

/* Of a packet that counts as seen. */
INLINE int flight_ends(struct flight *f)
{
	u64 was = f->state;
	return was >= FLIGHT_LINKED && flight_claim(f, was);
}

/* Of one the filter was not asked about, or turned away. */
INLINE int flight_forgets(struct flight *f)
{
	return flight_claim(f, FLIGHT_BORN);
}

/* Free the place of a flight that was claimed. */
INLINE void flight_free(struct flight *f)
{
	f->state = FLIGHT_NONE;
	flight_rename(f, ENDING_TAG, 0);   /* after the state: who takes the place sets it */
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
	else if (!flight_forgets(f))
		return;   /* another CPU is about it */
	flight_free(f);
}

/* The flight at this place is of a packet whose skb is in use again. */
int shared_outdated(u64 slot)
{
	struct flight *f = flight_at(slot);
	if (!f)
		return 0;
	if (read_unseen(f))
		flight_detach(f);
	else
		flight_lost(f, COUNT_EXPIRED, 1);
	return 0;
}

/* What checksums or cuts an skb on its way to the driver, or the driver itself (skb_cow_head), may give it a new head. Since
 * the device queue it has been in the stack's hands: the same skb of the same socket is the same packet. One that was cut
 * up has given its socket to its last segment (tcp_gso_segment). */
INLINE int may_have_new_head(const struct flight *f, struct object skb)
{
	if (is_rx(f) || f->state != FLIGHT_LINKED || !f->sk)
		return 0;
	u64 sk = GET(skb, u64, OFF_SKB_SK);
	return f->sk == sk || (!sk && f->rec.segs > 1);
}

INLINE struct flight *same_packet(struct object skb, int follows)
{
	struct flight *f = flight_by_key(skb.at);
	if (!f || f->state < FLIGHT_BORN)
		return 0;
	u64 head = skb_head(skb);
	if (f->head == head)
		return f;
	if (!follows || !may_have_new_head(f, skb)) {
		call_outdated(f->slot);
		return 0;
	}
	f->head = head;
	return f;
}

/* The flight of an skb, if this is still the packet that was born there. Opaque: where the caller asks whether there is one,
 * the pointer is asked, as the verifier wants it, and not what it depends on. */
INLINE struct flight *flight_of(struct object skb)
{
	struct flight *f = same_packet(skb, 0);
	OPAQUE(f);
	return f;
}

/* The same where it may have been given a new head on its way down. */
INLINE struct flight *flight_followed(struct object skb)
{
	struct flight *f = same_packet(skb, 1);
	OPAQUE(f);
	return f;
}

INLINE struct flight *rx_of(struct object skb)
{
	struct flight *f = flight_of(skb);
	if (f && !is_rx(f))
		f = 0;
	OPAQUE(f);
	return f;
}

INLINE struct flight *tx_of(struct object skb)
{
	struct flight *f = flight_of(skb);
	if (f && is_rx(f))
		f = 0;
	OPAQUE(f);
	return f;
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

/* A place for this skb: an empty one, or another packet's, which is given up. It is the caller's until its state says what
 * is there. CPUs go through the same few skbs over and over: two of these in one bucket would meet there thousands of times a
 * second. */
INLINE struct flight *flight_take(u64 skb)
{
	u32 at = bucket_index(skb), way = WAYS, first = first_way();
	struct bucket *b = tags.lookup(&at);

	if (!b)
		return 0;
#pragma unroll
	for (u32 i = 0; i < WAYS; i++) {
		u32 w = WITHIN(first + i, WAYS);
		if (way == WAYS && !b->key[w] && exchange(&b->key[w], 0, skb))
			way = w;
	}
	int empty = way < WAYS;
	u32 slot = at * WAYS + WITHIN(empty ? way : bpf_get_prandom_u32(), WAYS);
	struct flight *f = flight_at(slot);
	if (!f)
		return 0;
	if (!empty) {
		if (flight_ends(f)) {
			count(lost_as(f, COUNT_EVICTED, 0), 1);
		} else if (!flight_forgets(f)) {
			count(COUNT_UNMATCHED, 1);   /* another CPU is about it */
			return 0;
		}
		flight_tag(f, skb);
	}
	f->slot = slot;
	return f;
}

/* An skb is in use again: the packet that had it before is gone. */
INLINE void flight_vacate(u64 skb)
{
	struct flight *f = flight_by_key(skb);

	if (f && read_unseen(f))
		flight_detach(f);
	else if (f)
		flight_lost(f, COUNT_EXPIRED, 1);
}

/* A place for a packet that comes into being for us, plus 1; 0: none. packet: the skb; NOT_COUNTED: it gets no place, but
 * the one that had this skb before has ended. */
#define NOT_COUNTED 1

int shared_place(u64 packet)
{
	u64 skb = packet & ~(u64)NOT_COUNTED;

	flight_vacate(skb);
	if (packet & NOT_COUNTED)
		return 0;
	struct flight *f = flight_take(skb);
	return f ? f->slot + 1 : 0;
}
