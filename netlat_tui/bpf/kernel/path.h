/* From points to stages, and from a finished flight to counters and a record. */

INLINE u32 stage_of(u32 from, u32 to)
{
	return to * (to - 1) / 2 + from;
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
#define MOST_SINCE 4            /* between two hooks that settle */

/* Count the stages between the points added since the last time, at most so many. */
INLINE void settle(struct flight *f, int most)
{
	for (int round = 0; round < most; round++) {
		u32 last = f->settled;
		u32 rest = last == UNSETTLED ? f->rec.mask : f->rec.mask & ~((2u << (last & 31)) - 1);
		if (!rest)
			break;
		u32 next = WITHIN(log2_of(rest & -rest), MAX_POINTS);
		if (last != UNSETTLED)
			book(f, stage_of(last, next), f->rec.t_ns[next] - f->rec.t_ns[WITHIN(last, MAX_POINTS)]);
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
	if (f->rec.mask >> POINT_GRO & 1 && segments > 1)
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
	if (f->irq_slot) {
		u32 slot = f->irq_slot - 1;
		struct irq_stats *s = irqs.lookup(&slot);
		if (s)
			ADD(s->packets, 1 + merged);
	}
	settle(f, MOST_BEFORE_LINK);
	return 1;
}

INLINE void emit(struct flight *f, struct cpu_state *c, u64 now)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 cause = 0;

	if (!k)
		return;
	if (f->rec.outcome == OUTCOME_DROPPED)
		cause = CAUSE_DROP;
	else if (k->sample_every == 1)
		cause = CAUSE_ALL;
	else if (f->rec.outcome == OUTCOME_COMPLETE && f->last_ns - f->rec.t0_ns >= k->slow_ns)
		cause = CAUSE_SLOW;
	else if (k->sample_every && ++c->sampled >= k->sample_every) {
		c->sampled = 0;
		cause = CAUSE_SAMPLE;
	}
	if (!cause)
		return;
	u64 second = now >> 30;
	if (c->second != second) {
		c->second = second;
		c->sent = 0;
	}
	if (c->sent >= k->records_per_second) {
		count(COUNT_PATHS_HELD_BACK, 1);
		return;
	}
	c->sent++;
	f->rec.cause = cause;
	/* No wake-up: the reader looks by itself, several times a second. */
	if (ring.ringbuf_output(&f->rec, sizeof(f->rec), BPF_RB_NO_WAKEUP))
		count(COUNT_RING_LOST, 1);
	else
		count(COUNT_PATHS_SENT, 1);
}

INLINE void finish(struct flight *f, u32 outcome, u32 counter, struct cpu_state *c, u64 now)
{
	f->rec.outcome = outcome;
	count(counter, 1);
	settle(f, MOST_SINCE);
	if (outcome == OUTCOME_COMPLETE)
		book(f, DIST_TOTAL, f->last_ns - f->rec.t0_ns);
	emit(f, c, now);
	flight_clear(f);
}
