/* Packets the kernel frees: dropped for a reason, or used up. */

/* A kind of drop gets a place in the table when it comes first; where there is none left, that is counted. */
INLINE void note_drop(const struct path *p, u32 reached)
{
	u64 key = ((p->location << 16 ^ (u64)p->reason << 9 ^ reached << 1 ^ p->direction) * 0x9E3779B97F4A7C15ull) | 1;
	u32 first = key >> 40;

	for (u32 i = 0; i < DROP_PROBES; i++) {
		u32 at = WITHIN(first + i, N_DROPS);
		struct drop_kind *d = drops.lookup(&at);
		if (!d)
			break;
		if (!d->key && exchange(&d->key, 0, key)) {
			d->location = p->location;
			d->reason = p->reason;
			d->direction = p->direction;
			d->point = reached;
		}
		if (d->key == key) {
			ADD(d->count, 1);
			return;
		}
	}
	count(COUNT_DROP_OVERFLOW, 1);
}

INLINE u32 last_point(const struct path *p)
{
	return p->mask ? log2_of(p->mask) : NO_POINT;
}

/* It was about to join the socket's queue, and there was no room. */
INLINE void never_queued(struct flight *f, struct cpu_state *c)
{
	if (c->queuing != f->key || f->state != FLIGHT_SOCKET)
		return;
	c->queuing = 0;
	if (!exchange(&f->state, FLIGHT_SOCKET, FLIGHT_LINKED))
		return;
	f->rec.mask &= ~(1u << POINT_SOCKET);
}

/* Before 6.3 icmpv6_rcv drops, without a reason, every message that it dealt with. */
INLINE int dealt_with(const struct flight *f, u32 reason)
{
#ifdef REASON_NOT_SPECIFIED
	if (reason != REASON_NOT_SPECIFIED)
		return 0;
#endif
	return is_rx(f) && f->rec.proto == 58 && f->state == FLIGHT_LINKED && f->rec.mask >> POINT_TRANSPORT & 1;
}

int on_kfree_skb(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(ctx->args[0], c);
	struct flight *f = flight_followed(skb);
	if (!f)
		return 0;
	u64 now = bpf_ktime_get_ns();
	if (f->state == FLIGHT_BORN) {
		if (now - f->last_ns > BORN_NS) {
			/* Not that packet any more: its skb is in use again. */
			count(COUNT_UNMATCHED, 1);
			if (flight_forgets(f))
				flight_free(f);
			return 0;
		}
		if (!judge(f, skb, c))
			return 0;
	}
	u32 reason = 0;
#ifdef KFREE_SKB_REASON
	reason = ctx->args[2];
#endif
	int no_drop = dealt_with(f, reason);
#ifdef REASON_QUEUE_PURGE
	/* A FIN nobody read goes with its socket: nothing was lost. */
	if (reason == REASON_QUEUE_PURGE && carries_nothing(f))
		no_drop = 1;
#endif
	if (no_drop) {
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED);
		return 0;
	}
	if (!UDP_EXACT && f->state == FLIGHT_SOCKET && f->rec.proto == 17) {
		u64 sk = f->sk;
		struct fifo_entry *e = fifo_at(sk, f->fifo);
		if (e && e->sk == sk && e->n == f->fifo)
			e->key = FIFO_DROPPED;
	}
	never_queued(f, c);
	f->rec.location = ctx->args[1];
	f->rec.reason = reason;
	note_drop(&f->rec, last_point(&f->rec));
	point(f, is_rx(f) ? POINT_DROP : POINT_TX_DROP, now);
	finish(f, OUTCOME_DROPPED, COUNT_DROPPED);
	return 0;
}

/* Of a received packet a free is never a read: what is on a socket's queue ends where its reader returns. */
int on_consume_skb(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct flight *f = flight_followed(typed(ctx->args[0], c));
	if (!f || f->state >= FLIGHT_SOCKET)
		return 0;
	if (f->state == FLIGHT_BORN) {
		/* Never reached the link layer, so the filter was not asked. */
		count(COUNT_UNMATCHED, 1);
		if (flight_forgets(f))
			flight_free(f);
		return 0;
	}
	if (!is_rx(f)) {
		let_go(f, c);
		return 0;
	}
	if (f->part)
		used_up(f, c);
	else
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED);
	return 0;
}

/* What a segment on a socket's queue counts as that is not there any more; 0 where it still is. TCP frees segments without a
 * word when it collapses its queue into fewer skbs: what was read since was read from one of these. And it does so with what
 * nobody has read when a socket is closed. */
INLINE u32 left_queue_as(const struct flight *f)
{
	if (f->rec.proto != 6)
		return 0;
	if (!is_inet(plain(f->sk)))
		return COUNT_EXPIRED;
	if ((s32)(f->end_seq - read_u32(f->sk, OFF_TCP_COPIED_SEQ)) <= 0)
		return COUNT_MERGED;
	return read_u64(f->sk, OFF_SK_SOCKET) ? 0 : COUNT_EXPIRED;   /* closed: the memory of a TCP socket stays one */
}

/* Run by user space for one slot of the table: a packet nothing was heard of for too long is given up. */
int on_sweep(struct bpf_raw_tracepoint_args *ctx)
{
	struct flight *f = flight_at(ctx->args[0]);
	if (!f || f->state < FLIGHT_BORN || f->key != ctx->args[1] || f->last_ns != ctx->args[2])
		return 0;
	u32 counter = f->state == FLIGHT_SOCKET ? left_queue_as(f) : COUNT_EXPIRED;
	if (counter)
		flight_lost(f, counter, 0);
	return 0;
}
