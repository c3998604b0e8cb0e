/* From points to stages, and from a finished flight to counters and a record. */

INLINE u32 stage_of(const struct flight *f, u32 from, u32 to)
{
	return (is_rx(f) ? STAGE_BASE_RX : STAGE_BASE_TX) + to * (to - 1) / 2 + from;
}

INLINE void book(const struct flight *f, u32 distribution, u64 ns)
{
	u32 region = f->rec.softirq_cpu;

	/* Once for the CPU, once for the interrupt. */
	for (int i = 0; i < 2; i++) {
		observe(region, distribution, ns);
		if (!f->irq_slot)
			break;
		region = N_CPUS + f->irq_slot - 1;
	}
}

/* The packet was at this point. Times that cannot be are counted and left out. */
INLINE void point_on(struct flight *f, u32 index, u64 when, u32 cpu)
{
	u64 delta;

	index = WITHIN(index, MAX_POINTS);
	if (!f->rec.mask) {
		f->rec.t0_ns = when;
	} else {
		delta = when - f->last_ns;
		if (delta > MAX_DELTA_NS) {
			count(COUNT_REJECTED_DELTAS, 1);
			/* The clock may step back by a hair across a timekeeping update. */
			if ((s64)delta >= 0 || (s64)delta < -1000)
				return;
			when = f->last_ns;
		}
	}
	f->rec.t_ns[index] = when - f->rec.t0_ns;
	f->rec.cpu[index] = cpu;
	f->rec.mask |= 1u << index;
	f->last_ns = when;
}

INLINE void point(struct flight *f, u32 index, u64 when)
{
	point_on(f, index, when, bpf_get_smp_processor_id());
}

#define MOST_BEFORE_LINK 7      /* irq, raise, softirq, poll, driver, gro, link */
#define MOST_SINCE 5            /* between two hooks that settle */
#define MOST_TX 8               /* what is sent settles once, at its end: until then a point may be passed again */

/* Count the stages between the points added since the last time, at most so many. */
INLINE void settle(struct flight *f, int most)
{
	for (int round = 0; round < most; round++) {
		u32 last = f->settled;
		u32 rest = last == UNSETTLED ? f->rec.mask : f->rec.mask & ~((2u << (last & 31)) - 1);
		if (!rest)
			break;
		u32 next = WITHIN(log2_of(rest & -rest), MAX_POINTS);
		if (last != UNSETTLED && !(f->rec.flags & PATH_OUT_OF_ORDER && next > POINT_TRANSPORT))
			book(f, stage_of(f, last, next), f->rec.t_ns[next] - f->rec.t_ns[WITHIN(last, MAX_POINTS)]);
		f->settled = next;
	}
}

/* Parse, ask the filter, count. Returns 0 where the packet is turned away; its flight is gone then. */
INLINE int judge(struct flight *f, u64 skb)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 merged = 0;

	if (!k)
		return 0;
	parse(f, skb);
	u16 segments = skb_gso_segs(skb, f->head);
	f->rec.segs = segments;
	if (is_rx(f) && f->rec.mask >> POINT_GRO & 1 && segments > 1)
		merged = segments - (f->gso_segs ? f->gso_segs : 1);
	u64 which = k->filter;
	if ((u32)which && !passes(f, skb, which)) {
		count(COUNT_FILTERED, 1 + merged);
		flight_clear(f);
		return 0;
	}
	count(COUNT_SEEN, 1 + merged);
	if (merged)
		count(COUNT_MERGED, merged);
	f->rec.merged = merged;
	f->state = FLIGHT_LINKED;
	if (!is_rx(f)) {
		count(COUNT_SENT, 1);
		if (segments > 1)
			count(COUNT_SEGMENTS, segments - 1);
		return 1;
	}
	if (f->irq_slot) {
		u32 slot = f->irq_slot - 1;
		struct irq_stats *s = irqs.lookup(&slot);
		if (s)
			ADD(s->packets, 1 + merged);
	}
	settle(f, MOST_BEFORE_LINK);
	return 1;
}

/* The number by which ss and /proc/PID/fd know a socket; 0 where it has none (the kernel's own, one that is closed). */
INLINE u32 socket_inode(u64 sk)
{
	u64 socket = sk ? read_u64(sk, OFF_SK_SOCKET) : 0;
	return socket ? read_u64(socket, OFF_SOCKET_INO) : 0;
}

/* Whether the record went to user space. */
INLINE int emit(struct flight *f, struct cpu_state *c, u64 now)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 cause = 0;

	if (!k)
		return 0;
	if (f->rec.outcome == OUTCOME_DROPPED)
		cause = CAUSE_DROP;
	else if (k->sample_every == 1)
		cause = CAUSE_ALL;
	else if (f->rec.outcome == OUTCOME_COMPLETE && f->last_ns - f->rec.t0_ns >= k->slow_ns[is_rx(f) ? 0 : 1])
		cause = CAUSE_SLOW;
	else if (f->follow)
		cause = CAUSE_SAMPLE;
	else if (k->sample_every && ++c->sampled >= k->sample_every) {
		c->sampled = 0;
		cause = CAUSE_SAMPLE;
	}
	if (!cause)
		return 0;
	u64 second = now >> 30;
	if (c->second != second) {
		c->second = second;
		c->sent = 0;
	}
	if (c->sent >= k->records_per_second) {
		count(COUNT_PATHS_HELD_BACK, 1);
		return 0;
	}
	c->sent++;
	f->rec.cause = cause;
	if (is_rx(f))
		f->rec.socket = socket_inode(f->sk);
	/* No wake-up: the reader looks by itself, several times a second. */
	if (ring.ringbuf_output(&f->rec, sizeof(f->rec), BPF_RB_NO_WAKEUP)) {
		count(COUNT_RING_LOST, 1);
		return 0;
	}
	count(COUNT_PATHS_SENT, 1);
	return 1;
}

/* The first of these points that was seen to the first of those, whatever lies between. */
INLINE void delay(const struct flight *f, u32 distribution, u32 starts, u32 ends)
{
	u32 start = f->rec.mask & starts, end = f->rec.mask & ends;
	if (!start || !end)
		return;
	u32 i = WITHIN(log2_of(start & -start), MAX_POINTS), j = WITHIN(log2_of(end & -end), MAX_POINTS);
	observe(f->rec.softirq_cpu, distribution, f->rec.t_ns[j] - f->rec.t_ns[i]);
}

INLINE int finish(struct flight *f, u32 outcome, u32 counter, struct cpu_state *c, u64 now)
{
	if (!flight_ends(f))
		return 0;
	f->rec.outcome = outcome;
	count(counter, 1);
	settle(f, MOST_SINCE);
	/* One that waited for those before it says nothing of the host. */
	if (outcome == OUTCOME_COMPLETE && !(f->rec.flags & PATH_OUT_OF_ORDER))
		book(f, DIST_TOTAL, f->last_ns - f->rec.t0_ns);
#define DELAY_OF(distribution, starts, ends) delay(f, distribution, starts, ends);
	DELAYS(DELAY_OF)
	int sent = emit(f, c, now);
	flight_clear(f);
	return sent;
}

INLINE int finish_tx(struct flight *f, u32 outcome, u32 counter, struct cpu_state *c, u64 now)
{
	if (!flight_ends(f))
		return 0;
	f->rec.outcome = outcome;
	count(counter, 1);
	settle(f, MOST_TX);
	if (outcome == OUTCOME_COMPLETE)
		book(f, DIST_TOTAL_TX, f->last_ns - f->rec.t0_ns);
	int sent = emit(f, c, now);
	flight_clear(f);
	return sent;
}

/* What this machine sent to itself, over lo or veth: the same skb is received. The way down ends here, and each half
 * names the other; one that was routed here names where it came from. Returns the id of the path that ended; sent: whether its record went to user space. */
INLINE u64 hand_up(u64 skb, u64 head, u64 now, struct cpu_state *c, u32 *sent)
{
	struct flight *f = flight_by_key(skb);
	if (!f || is_rx(f) || f->state != FLIGHT_LINKED || f->head != head)
		return 0;
	u64 id = f->rec.id;
	if (!f->rec.peer)
		f->rec.peer = next_id(c);
	*sent = finish_tx(f, OUTCOME_COMPLETE, COUNT_COMPLETE, c, now);
	return id;
}
