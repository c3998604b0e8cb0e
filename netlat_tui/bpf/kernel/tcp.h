/* TCP puts segments together: on the backlog, on the receive queue, when it collapses a queue. A segment that was
 * folded into another has no skb left; it is found by flow and sequence number. */

INLINE void seq_remember(const struct flight *f)
{
	u32 at = mix(f->flow, f->seq) & 65535;
	u64 *slot = seqs.lookup(&at);
	if (slot)
		*slot = f->key;
}

INLINE struct flight *seq_find(u32 flow, u32 seq)
{
	u32 at = mix(flow, seq) & 65535;
	u64 *slot = seqs.lookup(&at);
	if (!slot || !*slot)
		return 0;
	struct flight *f = flight_by_key(*slot);
	if (!f || !is_rx(f) || f->state == FLIGHT_NONE || f->flow != flow || f->seq != seq ||
	    (f->rec.proto != 6 && f->part == PART_NONE))
		return 0;
	return f;
}

#define QUEUED (1u << 31)   /* with a place: on the socket's queue */

/* The segment at this place is in another one's skb now. */
int shared_absorb(u64 segment)
{
	struct flight *g = flight_at((u32)segment & ~QUEUED);
	if (!g)
		return 0;
	if (segment & QUEUED && g->state == FLIGHT_LINKED)
		reached(g, POINT_SOCKET, bpf_ktime_get_ns());
	return finish(g, OUTCOME_MERGED, COUNT_MERGED);
}

/* Fold into the flight at a place the segments up to a sequence number (<< 32), which its skb now holds. */
int shared_fold(u64 folding)
{
	u32 end_seq = folding >> 32, queued = folding & QUEUED;
	struct flight *f = flight_at((u32)folding & ~QUEUED);
	if (!f)
		return 0;
	for (u32 i = 0; i < MAX_FOLD; i++) {
		OPAQUE(i);
		if (i >= MAX_FOLD || (s32)(end_seq - f->end_seq) <= 0)
			break;
		struct flight *g = seq_find(f->flow, f->end_seq);
		OPAQUE(g);
		if (!g || g->key == f->key || g->end_seq == g->seq) {
			/* Not seen, or given up: what follows it can still be found. */
			f->end_seq = end_seq;
			break;
		}
		f->end_seq = g->end_seq;
		f->rec.merged++;
		call_absorb(g->slot | queued);
	}
	return 0;
}

/* queued: they are on the socket's queue. */
INLINE void fold(const struct flight *f, u32 end_seq, int queued)
{
	if ((s32)(end_seq - f->end_seq) > 0)
		call_fold(f->slot | (queued ? QUEUED : 0) | (u64)end_seq << 32);
}
