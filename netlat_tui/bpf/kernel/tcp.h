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
	if (!f || !is_rx(f) || f->state < FLIGHT_BORN || f->flow != flow || f->seq != seq ||
	    (f->rec.proto != 6 && f->part == PART_NONE))
		return 0;
	return f;
}

#define QUEUED (1u << 31)   /* with a place: on the socket's queue */

/* Fold into the flight at a place the next segment, if that lies before fold_to; 0 where there is none. */
int shared_fold_next(u64 folding)
{
	struct flight *f = flight_at((u32)folding & ~QUEUED);
	if (!f || (s32)(f->fold_to - f->end_seq) <= 0)
		return 0;
	struct flight *g = seq_find(f->flow, f->end_seq);
	if (!g || g->key == f->key || g->end_seq == g->seq) {
		/* Not seen, or given up: what follows it can still be found. */
		f->end_seq = f->fold_to;
		return 0;
	}
	f->end_seq = g->end_seq;
	f->rec.merged++;
	if (folding & QUEUED && g->state == FLIGHT_LINKED)
		reached(g, POINT_SOCKET, bpf_ktime_get_ns());
	finish(g, OUTCOME_MERGED, COUNT_MERGED);
	return 1;
}

/* Fold into a flight the segments up to a sequence number, which its skb now holds. queued: they are on the socket's
 * queue. */
INLINE void fold(struct flight *f, u32 end_seq, int queued)
{
	f->fold_to = end_seq;
	for (u32 i = 0; i < MAX_FOLD; i++) {
		OPAQUE(i);
		if (i >= MAX_FOLD || !call_fold_next(f->slot | (queued ? QUEUED : 0)))
			break;
	}
}
