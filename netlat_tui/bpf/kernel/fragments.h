/* A datagram put together of fragments goes on in the skb of the fragment that came last, with the data of the first one
 * (inet_frag_reasm_prepare). Its path is the first fragment's: only there are the ports, and so the filter's answer. */

/* IP has used up the skb of a fragment. */
INLINE void used_up(struct flight *f, struct cpu_state *c)
{
	if (f->part == PART_LATER) {
		finish(f, OUTCOME_MERGED, COUNT_MERGED);
		return;
	}
	/* Its data goes on, on this CPU, in another skb. */
	flight_rename(f, f->key, f->key | DETACHED);
	c->whole_slot = f->slot + 1;
	c->whole_id = f->rec.id;
	c->whole_head = f->head;
}

/* The skb may be that of the datagram just put together. */
INLINE void take_up(struct object skb, struct cpu_state *c)
{
	if (!c->whole_slot || skb_head(skb) != c->whole_head)
		return;
	struct flight *f = flight_at(c->whole_slot - 1);
	c->whole_slot = 0;
	if (f && is_rx(f) && f->part == PART_FIRST && f->state == FLIGHT_LINKED && f->rec.id == c->whole_id)
		flight_move(f, skb.at);
}

#define MOST_PARTS 48

/* The next part of the datagram at this place: some were freed without a word, others will be when it is read. 0 where there
 * is none. */
int shared_gather_next(u64 slot)
{
	struct flight *f = flight_at(slot);
	struct flight *g = f ? seq_find(f->flow, f->end_seq) : 0;
	if (!f || !g || g->part != PART_LATER)
		return 0;
	f->end_seq = g->end_seq;
	if (flight_ends(g)) {
		count(COUNT_MERGED, 1);
		f->rec.merged++;
		flight_free(g);
	}
	return 1;
}

/* A datagram that is about to join its socket's queue may have been put together of fragments: it is whole now. */
INLINE void gather(struct flight *f, struct object skb)
{
	if (f->part != PART_FIRST || f->state != FLIGHT_LINKED)
		return;
	for (u32 i = 0; i < MOST_PARTS; i++) {
		OPAQUE(i);
		if (i >= MOST_PARTS || !call_gather_next(f->slot))
			break;
	}
	f->part = PART_NONE;
	f->rec.length = GET(skb, u32, OFF_SKB_LEN) +
			(u32)(GET(skb, u64, OFF_SKB_DATA) - f->head - GET(skb, u16, OFF_SKB_NETWORK_HEADER));
}
