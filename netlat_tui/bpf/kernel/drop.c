/* Packets the kernel frees: dropped for a reason, or used up. */

/* No packet waits longer between its first sight and the link layer. */
#define BORN_NS 1000000000ull

int on_kfree_skb(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0];
	struct flight *f = flight_of(skb);
	struct cpu_state *c = this_cpu();
	if (!f || !c)
		return 0;
	u64 now = bpf_ktime_get_ns();
	if (f->state == FLIGHT_BORN) {
		if (now - f->last_ns > BORN_NS) {
			/* Not that packet any more: its skb is in use again. */
			count(COUNT_UNMATCHED, 1);
			flight_clear(f);
			return 0;
		}
		if (!judge(f, skb))
			return 0;
	}
#ifdef REASON_QUEUE_PURGE
	/* A FIN nobody read goes with its socket: nothing was lost. */
	if ((u32)ctx->args[2] == REASON_QUEUE_PURGE && carries_nothing(f)) {
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED, c, now);
		return 0;
	}
#endif
	if (f->state == FLIGHT_SOCKET && f->rec.proto == 17) {
		u64 sk = f->sk;
		struct fifo_entry *e = fifo_at(sk, f->fifo);
		if (e && e->sk == sk && e->n == f->fifo)
			e->key = FIFO_DROPPED;
	}
	f->rec.location = ctx->args[1];
#ifdef KFREE_SKB_REASON
	f->rec.reason = ctx->args[2];
#endif
	point(f, POINT_DROP, now);
	finish(f, OUTCOME_DROPPED, COUNT_DROPPED, c, now);
	return 0;
}

/* A free is never a read: what is on a socket's queue ends where its reader returns. */
int on_consume_skb(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0];
	struct flight *f = flight_of(skb);
	struct cpu_state *c = this_cpu();
	if (!f || !c || f->state >= FLIGHT_SOCKET)
		return 0;
	if (f->state == FLIGHT_BORN) {
		/* Never reached the link layer, so the filter was not asked. */
		count(COUNT_UNMATCHED, 1);
		flight_clear(f);
		return 0;
	}
	finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED, c, bpf_ktime_get_ns());
	return 0;
}

/* Run by user space for one slot of the table: a packet nothing was heard of for too long is given up. */
int on_sweep(struct bpf_raw_tracepoint_args *ctx)
{
	struct flight *f = flight_at(ctx->args[0]);
	if (f && f->state != FLIGHT_NONE && f->state != FLIGHT_SOCKET && f->key == ctx->args[1] && f->last_ns == ctx->args[2])
		flight_lost(f, COUNT_EXPIRED);
	return 0;
}
