/* From the first sight of a packet to the link layer. */

/* Of a run's first poll only the end is seen: its beginning is not a point of its own. */
INLINE int poll_was_seen(u64 softirq_ns, u64 poll_ns)
{
	return poll_ns > softirq_ns;
}

/* A softirq that comes later than this after it was asked for was kept from running: worth the question by whom. */
#define LATE_NS 20000

/* What this CPU did between a packet's raise and the NET_RX that runs now. Where ksoftirqd runs it, who had the CPU before;
 * else the task it runs on top of, which had softirqs disabled, or was interrupted with what the CPU had to do first. */
INLINE void tell_wait(struct flight *f, struct cpu_state *c, u64 raise_ns)
{
	u64 softirq_ns = c->irq.softirq_ns;

	f->rec.softirqs = irq_ran_since(&c->irq, raise_ns);
	f->rec.softirq_pid = 0;
	__builtin_memset(f->rec.softirq_comm, 0, sizeof(f->rec.softirq_comm));
	if (softirq_ns - raise_ns < LATE_NS)
		return;
	if (!c->irq.ksoftirqd) {
		f->rec.softirq_pid = bpf_get_current_pid_tgid();
		bpf_get_current_comm(f->rec.softirq_comm, sizeof(f->rec.softirq_comm));
	} else if (c->deferred_ns >= raise_ns && c->deferred_ns <= softirq_ns) {
		f->rec.softirq_pid = c->deferred_pid;
		__builtin_memcpy(f->rec.softirq_comm, c->deferred_comm, sizeof(f->rec.softirq_comm));
	}
}

/* By which interrupt it came, and its points up to the driver's. Place of the flight, and the number of its NAPI << 32. */
int shared_attribute(u64 packet)
{
	struct flight *f = flight_at((u32)packet);
	struct cpu_state *c = this_cpu();
	u32 slot;

	if (!f || !c)
		return 0;
	u32 known = napi_known_irq(packet >> 32);
	int thread = 0;
	if (!c->irq.in_net_rx) {
		this_task(c);
		thread = c->is_napi_thread;
	}
	struct attribution *a = &f->came_by;
	irq_resolve(&c->irq, known, thread, a);
	f->rec.irq = a->irq;
	f->rec.irq_class = a->class;
	f->rec.window_ns = a->window_ns;
	if (a->irq && irq_stats_of(a->irq, &slot))
		f->irq_slot = slot;
	if (a->class == IRQ_CLASS_AMBIGUOUS) {
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
	if (a->irq_ns)
		point(f, POINT_IRQ, a->irq_ns);
	if (a->raise_ns)
		point(f, POINT_RAISE, a->raise_ns);
	if (a->softirq_ns)
		point(f, POINT_SOFTIRQ, a->softirq_ns);
	if (a->softirq_ns && a->raise_ns)
		tell_wait(f, c, a->raise_ns);
	if (poll_was_seen(a->softirq_ns, a->poll_ns))
		point(f, POINT_POLL, a->poll_ns);
	if (f->driver_ns)
		point(f, POINT_DRIVER, f->driver_ns);
	return 0;
}

INLINE void attribute(const struct flight *f, struct object skb)
{
	call_attribute(f->slot | (u64)GET(skb, u32, OFF_SKB_NAPI_ID) << 32);
}

/* The same packet once more, on another device of its namespace (bridge, tunnel): its path goes on. A device may be seen
 * twice, at its NAPI and at the link layer. */
INLINE int is_hop(struct flight *f, struct object skb, u64 head, struct cpu_state *c)
{
	u32 ifindex, netns;

	if (!is_rx(f) || f->state != FLIGHT_LINKED || f->head != head)
		return 0;
	read_device(skb, c, &ifindex, &netns);
	if (ifindex == f->rec.ifindex || netns != f->rec.netns)
		return 0;
	if (ifindex != f->device) {
		f->device = ifindex;
		f->rec.hops++;
	}
	return 1;
}

/* No packet waits longer between its first sight and the link layer. */
#define BORN_NS 1000000000ull

/* The driver has seen it, and nobody else since. */
INLINE int from_driver(const struct flight *f, u64 head, u64 now)
{
	return f->state == FLIGHT_BORN && f->driver_ns && !f->rec.mask && f->head == head && now - f->driver_ns < BORN_NS;
}

/* before: the flight that has this skb yet. */
INLINE struct flight *receive(struct flight *before, u64 skb, u64 head, u64 now, struct cpu_state *c)
{
	u32 sent = 0;
	u64 peer = hand_up(before, head, c, &sent);
	struct flight *f = flight_birth(skb, head, now, c, DIRECTION_RX);
	if (f) {
		f->rec.peer = peer;
		f->follow = sent;
	}
	return f;
}

INLINE struct flight *arrive(struct object skb, u64 now, struct cpu_state *c)
{
	u64 head = skb_head(skb);
	struct flight *f = flight_by_key(skb.at);
	OPAQUE(f);

	if (f && is_hop(f, skb, head, c))
		return 0;
	if (f && from_driver(f, head, now))
		return f;
	return receive(f, skb.at, head, now, c);
}

INLINE int into_gro(u64 pointer)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(pointer, c);
	c->gro_skb = skb.at;
	struct flight *f = arrive(skb, now, c);
	OPAQUE(f);
	if (!f)
		return 0;
	f->gso_segs = gso_segs(skb_end(skb, f->head));
	attribute(f, skb);
	point(f, POINT_GRO, now);
	return 0;
}

int on_napi_gro_receive_entry(struct bpf_raw_tracepoint_args *ctx)
{
	return into_gro(ctx->args[0]);
}

int on_napi_gro_frags_entry(struct bpf_raw_tracepoint_args *ctx)
{
	return into_gro(ctx->args[0]);
}

/* Packets that GRO merged into another are counted by the survivor: only there are the headers and the filter. */
INLINE int out_of_gro(int result)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u64 skb = c->gro_skb;
	c->gro_skb = 0;
	if (!skb || (result != GRO_MERGED && result != GRO_MERGED_FREE && result != GRO_CONSUMED))
		return 0;
	struct flight *f = flight_by_key(skb);
	if (f && flight_forgets(f))
		flight_free(f);
	return 0;
}

int on_napi_gro_receive_exit(struct bpf_raw_tracepoint_args *ctx)
{
	return out_of_gro(ctx->args[0]);
}

int on_napi_gro_frags_exit(struct bpf_raw_tracepoint_args *ctx)
{
	return out_of_gro(ctx->args[0]);
}

/* The backlog's way in: lo, veth, tunnels. The packet itself asks for the softirq. */
int on_netif_rx(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct flight *f = arrive(typed(ctx->args[0], c), now, c);
	OPAQUE(f);
	if (!f)
		return 0;
	f->rec.irq_class = IRQ_CLASS_LOCAL;
	point(f, POINT_RAISE, now);
	return 0;
}

int on_netif_receive_skb(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(ctx->args[0], c);
	u32 cpu = bpf_get_smp_processor_id();
	struct flight *f = flight_of(skb);

	c->ready_sk = 0;
	if (f && is_hop(f, skb, f->head, c)) {
		c->link_skb = skb.at;
		return 0;
	}
	if (!f || !is_rx(f) || f->state != FLIGHT_BORN) {
		/* A driver without GRO that hands over directly, or RPS with the first half unseen. */
		f = receive(f, skb.at, skb_head(skb), now, c);
		OPAQUE(f);
		if (!f)
			return 0;
		attribute(f, skb);
	} else if (!f->rec.mask) {
		attribute(f, skb);
	} else if (f->rec.irq_class == IRQ_CLASS_LOCAL) {
		/* Only what happened after the packet was put on the backlog was on its way. */
		if (c->irq.in_net_rx && c->irq.softirq_ns >= f->last_ns) {
			tell_wait(f, c, f->last_ns);
			point(f, POINT_SOFTIRQ, c->irq.softirq_ns);
		}
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
	if (!judge(f, skb, c))
		return 0;
	c->link_skb = skb.at;
	if ((f->rec.proto == 6 && f->payload) || f->part)
		seq_remember(f);
	return 0;
}
