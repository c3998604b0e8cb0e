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

/* Fold into f the segments up to end_seq, which its skb now holds. queued: they are on the socket's queue. */
INLINE void fold(struct flight *f, u32 end_seq, int queued, struct cpu_state *c, u64 now)
{
	for (int i = 0; i < MAX_FOLD; i++) {
		if ((s32)(end_seq - f->end_seq) <= 0)
			return;
		struct flight *g = seq_find(f->flow, f->end_seq);
		if (!g || g->key == f->key || g->end_seq == g->seq) {
			/* Not seen, or given up: what follows it can still be found. */
			f->end_seq = end_seq;
			return;
		}
		f->end_seq = g->end_seq;
		f->rec.merged++;
		if (queued && g->state == FLIGHT_LINKED)
			point(g, POINT_SOCKET, now);
		finish(g, OUTCOME_MERGED, COUNT_MERGED, c, now);
	}
}
