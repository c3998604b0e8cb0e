/* From the first sight of a packet to the link layer. */

/* Of a run's first poll only the end is seen: its beginning is not a point of its own. */
INLINE int poll_was_seen(u64 softirq_ns, u64 poll_ns)
{
	return poll_ns > softirq_ns;
}

INLINE void attribute(struct flight *f, struct cpu_state *c, u64 skb)
{
	struct attribution a;
	u32 known = napi_known_irq(read_u32(skb, OFF_SKB_NAPI_ID));
	int thread = !c->irq.in_net_rx && comm_starts('n', 'a', 'p', 'i');
	u32 slot;

	irq_resolve(&c->irq, known, thread, &a);
	f->rec.irq = a.irq;
	f->rec.irq_class = a.class;
	f->rec.window_ns = a.window_ns;
	if (a.irq && irq_stats_of(a.irq, &slot))
		f->irq_slot = slot;
	if (a.class == IRQ_CLASS_AMBIGUOUS) {
		/* Each candidate is told that it may have been another's. */
#pragma unroll
		for (int i = 0; i < RAISES; i++) {
			struct irq_stats *s;
			if (i < c->irq.running_n && (s = irq_stats_of(c->irq.running[i].irq, &slot)))
				ADD(s->ambiguous, 1);
		}
	}
	if (c->irq.ksoftirqd)
		f->rec.flags |= PATH_KSOFTIRQD;
	if (a.irq_ns)
		point(f, POINT_IRQ, a.irq_ns);
	if (a.raise_ns)
		point(f, POINT_RAISE, a.raise_ns);
	if (a.softirq_ns)
		point(f, POINT_SOFTIRQ, a.softirq_ns);
	if (poll_was_seen(a.softirq_ns, a.poll_ns))
		point(f, POINT_POLL, a.poll_ns);
}

/* The same packet once more, on another device of its namespace (bridge, tunnel): its path goes on. */
INLINE int is_hop(struct flight *f, u64 skb, u64 head)
{
	u32 ifindex = 0, netns = 0;

	if (f->state != FLIGHT_LINKED || f->head != head)
		return 0;
	read_device(skb, &ifindex, &netns);
	return ifindex != f->rec.ifindex && netns == f->rec.netns;
}

INLINE struct flight *arrive(u64 skb, u64 now, struct cpu_state *c)
{
	u64 head = skb_head(skb);
	struct flight *f = flight_by_key(skb);

	if (f && is_hop(f, skb, head)) {
		f->rec.hops++;
		return 0;
	}
	return flight_birth(skb, head, now, c);
}

int on_napi_gro_receive_entry(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0], now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	c->gro_skb = skb;
	struct flight *f = arrive(skb, now, c);
	if (!f)
		return 0;
	f->gso_segs = skb_gso_segs(skb, f->head);
	attribute(f, c, skb);
	point(f, POINT_GRO, now);
	return 0;
}

/* Packets that GRO merged into another are counted by the survivor: only there are the headers and the filter. */
int on_napi_gro_receive_exit(struct bpf_raw_tracepoint_args *ctx)
{
	int result = ctx->args[0];
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u64 skb = c->gro_skb;
	c->gro_skb = 0;
	if (!skb || (result != GRO_MERGED && result != GRO_MERGED_FREE && result != GRO_CONSUMED))
		return 0;
	struct flight *f = flight_by_key(skb);
	if (f && f->state == FLIGHT_BORN)
		flight_clear(f);
	return 0;
}

/* The backlog's way in: lo, veth, tunnels. The packet itself asks for the softirq. */
int on_netif_rx(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0], now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct flight *f = arrive(skb, now, c);
	if (!f)
		return 0;
	f->rec.irq_class = IRQ_CLASS_LOCAL;
	point(f, POINT_RAISE, now);
	return 0;
}

int on_netif_receive_skb(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0], now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u32 cpu = bpf_get_smp_processor_id();
	struct flight *f = flight_of(skb);

	c->ready_sk = 0;
	if (f && f->state == FLIGHT_LINKED && is_hop(f, skb, f->head)) {
		f->rec.hops++;
		c->link_skb = skb;
		return 0;
	}
	if (!f || f->state != FLIGHT_BORN) {
		/* A driver without GRO that hands over directly, or RPS with the first half unseen. */
		f = flight_birth(skb, skb_head(skb), now, c);
		if (!f)
			return 0;
		attribute(f, c, skb);
	} else if (f->rec.irq_class == IRQ_CLASS_LOCAL) {
		/* Only what happened after the packet was put on the backlog was on its way. */
		if (c->irq.in_net_rx && c->irq.softirq_ns >= f->last_ns)
			point(f, POINT_SOFTIRQ, c->irq.softirq_ns);
		if (c->irq.in_net_rx && c->irq.poll_ns >= f->last_ns &&
		    poll_was_seen(c->irq.softirq_ns, c->irq.poll_ns))
			point(f, POINT_POLL, c->irq.poll_ns);
		if (c->irq.ksoftirqd && c->irq.in_net_rx)
			f->rec.flags |= PATH_KSOFTIRQD;
	} else if (f->rec.softirq_cpu != cpu) {
		f->rec.irq_class = IRQ_CLASS_RPS;   /* keeps the interrupt of the CPU it came from */
	}
	f->rec.softirq_cpu = cpu;
	point(f, POINT_LINK, now);
	if (!judge(f, skb))
		return 0;
	c->link_skb = skb;
	if (f->rec.proto == 6 && f->payload)
		seq_remember(f);
	return 0;
}

/* The pointer of a received packet in a device queue: it was routed or bridged on. */
int on_net_dev_queue(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0];
	struct flight *f = flight_of(skb);
	struct cpu_state *c = this_cpu();
	if (!f || !c || f->state != FLIGHT_LINKED)
		return 0;
	if (read_u64(skb, OFF_SKB_SK)) {
		/* A socket sent it: the skb of a packet that ended unseen is in use again. */
		flight_lost(f, COUNT_EXPIRED);
		return 0;
	}
	u64 now = bpf_ktime_get_ns();
	point(f, POINT_FORWARD, now);
	finish(f, OUTCOME_FORWARDED, COUNT_FORWARDED, c, now);
	return 0;
}
