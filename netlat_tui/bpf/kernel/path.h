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

/* Count the stage that ends with this point. Out of order: what came after waited for others. */
INLINE void settle_one(struct flight *f, u32 next, u64 when)
{
	u32 last = f->settled;

	if (last != UNSETTLED && !(f->rec.flags & PATH_OUT_OF_ORDER && next > POINT_TRANSPORT))
		book(f, stage_of(f, last, next), when - f->settled_ns);
	f->settled = next;
	f->settled_ns = when;
}

/* Count the next stage between points added since the last time; 0 where there is none. */
int shared_settle_next(u64 slot)
{
	struct flight *f = flight_at(slot);
	if (!f)
		return 0;
	u32 last = f->settled;
	u32 rest = last == UNSETTLED ? f->rec.mask : f->rec.mask & ~((2u << (last & 31)) - 1);
	if (!rest)
		return 0;
	u32 next = WITHIN(log2_of(rest & -rest), MAX_POINTS);
	settle_one(f, next, f->rec.t0_ns + f->rec.t_ns[next]);
	return 1;
}

/* Of what is received not before the filter was asked; of what is sent at its end: until then a point may be passed
 * again. */
INLINE void settle(const struct flight *f)
{
	for (u32 i = 0; i < MAX_POINTS; i++) {
		OPAQUE(i);
		if (i >= MAX_POINTS || !call_settle_next(f->slot))
			break;
	}
}

/* A received packet was at this point above the link layer; what came before is counted already. */
INLINE void reached_on(struct flight *f, u32 index, u64 when, u32 cpu)
{
	point_on(f, index, when, cpu);
	if (f->rec.mask >> index & 1 && index > f->settled)
		settle_one(f, index, f->last_ns);
}

INLINE void reached(struct flight *f, u32 index, u64 when)
{
	reached_on(f, index, when, bpf_get_smp_processor_id());
}

/* Parse, ask the filter, count. Returns 0 where the packet is turned away; its flight is gone then. */
int shared_judge(u64 slot)
{
	u32 zero = 0, merged = 0;
	struct config *k = config.lookup(&zero);
	struct flight *f = flight_at(slot);

	if (!k || !f)
		return 0;
	parse(f);
	u16 segments = gso_segs(f->look.end);
	f->rec.segs = segments;
	if (is_rx(f) && f->rec.mask >> POINT_GRO & 1 && segments > 1)
		merged = segments - (f->gso_segs ? f->gso_segs : 1);
	u64 which = k->filter;
	if ((u32)which && !passes(f, which)) {
		if (flight_forgets(f)) {
			count(COUNT_FILTERED, 1 + merged);
			flight_free(f);
		}
		return 0;
	}
	if (!exchange(&f->state, FLIGHT_BORN, FLIGHT_LINKED))
		return 0;   /* evicted */
	count(COUNT_SEEN, 1 + merged);
	if (merged)
		count(COUNT_MERGED, merged);
	f->rec.merged = merged;
	if (!is_rx(f)) {
		count(COUNT_SENT, 1);
		if (f->rec.flags & PATH_RETRANSMIT)
			count(COUNT_RETRANSMITTED, 1);
		if (segments > 1)
			count(COUNT_SEGMENTS, segments - 1);
		return 1;
	}
	if (f->irq_slot) {
		u32 at = f->irq_slot - 1;
		struct irq_stats *s = irqs.lookup(&at);
		if (s)
			ADD(s->packets, 1 + merged);
	}
	settle(f);
	return 1;
}

INLINE int judge(struct flight *f, struct object skb, struct cpu_state *c)
{
	look_at(f, skb, c);
	return call_judge(f->slot);
}

/* The number by which ss and /proc/PID/fd know a socket; 0 where it has none (the kernel's own, one that is closed). */
INLINE u32 socket_inode(struct object sk)
{
	u64 socket = GET(sk, u64, OFF_SK_SOCKET);
	return socket ? read_u64(socket, OFF_SOCKET_INO) : 0;
}

/* Who had the reader's CPU until it was the reader's, if that is not forgotten: it, or another thread of its number, may
 * have been woken again. */
INLINE void tell_prev(struct flight *f)
{
	u32 at = f->woken_pid & 4095;
	struct waking *w = wakings.lookup(&at);

	if (!w)
		return;
	f->rec.prev_pid = w->prev_pid;
	__builtin_memcpy(f->rec.prev_comm, w->prev_comm, sizeof(f->rec.prev_comm));
	FORGET;
	if (w->prev_ns != f->woken_ns) {
		f->rec.prev_pid = 0;
		__builtin_memset(f->rec.prev_comm, 0, sizeof(f->rec.prev_comm));
	}
}

/* What else the CPUs did in the gaps. Not cleared at birth: what is not known of a packet is cleared here. */
INLINE void tell_gaps(struct flight *f, int by_reader)
{
	u32 seen = is_rx(f) ? f->rec.mask : 0;

	if (!(seen >> POINT_RAISE & seen >> POINT_SOFTIRQ & 1)) {
		f->rec.softirq_pid = 0;
		__builtin_memset(f->rec.softirq_comm, 0, sizeof(f->rec.softirq_comm));
	}
	f->rec.prev_pid = 0;
	__builtin_memset(f->rec.prev_comm, 0, sizeof(f->rec.prev_comm));
	if (by_reader && seen >> POINT_WAKEUP & 1)
		tell_prev(f);
}

/* One in so many, as good as random: every n-th would always be the same half of a dialogue that goes back and forth. */
INLINE int one_in(u32 every, struct cpu_state *c, u64 now)
{
	return (u64)mix(mix(0x5EED, now), ++c->sampled) * every >> 32 == 0;
}

/* Whether the record went to user space. */
INLINE int emit(struct flight *f, struct cpu_state *c, int by_reader)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 cause = 0, every = 1;

	if (!k)
		return 0;
	if (f->rec.outcome == OUTCOME_DROPPED)
		cause = CAUSE_DROP;
	else if (k->sample_every == 1)
		cause = CAUSE_ALL;
	else if (f->rec.outcome == OUTCOME_COMPLETE && f->last_ns - f->rec.t0_ns >= k->slow_ns[is_rx(f) ? 0 : 1])
		cause = CAUSE_SLOW;
	else if (k->sample_every && one_in(k->sample_every, c, f->last_ns)) {
		cause = CAUSE_SAMPLE;
		every = k->sample_every;
	} else if (f->follow)
		cause = CAUSE_FOLLOW;  /* after the count, which must not know of it: the sample stays uniform */
	if (!cause)
		return 0;
	u64 second = f->last_ns >> 30;
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
	f->rec.every = every << (k->thin & 15);
	if (is_rx(f))
		f->rec.socket = socket_inode(plain(f->sk));
	if (by_reader) {
		u64 id = bpf_get_current_pid_tgid();
		f->rec.pid = id >> 32;
		f->rec.tid = id;
		bpf_get_current_comm(f->rec.comm, sizeof(f->rec.comm));
	}
	tell_gaps(f, by_reader);
	for (u32 i = 0; i < MAX_POINTS; i++) {
		OPAQUE(i);
		if (i >= MAX_POINTS)
			break;
		if (!(f->rec.mask >> i & 1))
			f->rec.t_ns[WITHIN(i, MAX_POINTS)] = f->rec.cpu[WITHIN(i, MAX_POINTS)] = 0;
	}
	/* No wake-up: the reader looks by itself, before the ring may be full. */
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

/* How a packet ends: its flight's place, its outcome, the counter. */
#define ENDING(slot, outcome, counter) ((slot) | (u64)(outcome) << 32 | (u64)(counter) << 40)
#define BY_READER (1ull << 48)   /* the task that runs has read it */

/* Whether its record went to user space. */
int shared_finish(u64 ending)
{
	struct flight *f = flight_at((u32)ending);
	struct cpu_state *c = this_cpu();
	u32 outcome = ending >> 32 & 255;

	if (!f || !c || !flight_ends(f))
		return 0;
	f->rec.outcome = outcome;
	count(ending >> 40 & 255, 1);
	settle(f);
	/* One that waited for those before it says nothing of the host. */
	if (outcome == OUTCOME_COMPLETE && !(f->rec.flags & PATH_OUT_OF_ORDER))
		book(f, is_rx(f) ? DIST_TOTAL : DIST_TOTAL_TX, f->last_ns - f->rec.t0_ns);
	if (is_rx(f)) {
#define DELAY_OF(distribution, starts, ends) delay(f, distribution, starts, ends);
		DELAYS(DELAY_OF)
	}
	int sent = emit(f, c, !!(ending & BY_READER));
	flight_free(f);
	return sent;
}

INLINE int finish(const struct flight *f, u32 outcome, u32 counter)
{
	return call_finish(ENDING(f->slot, outcome, counter));
}

/* What this machine sent to itself, over lo or veth: the same skb is received. The way down ends here, and each half
 * names the other; one that was routed here names where it came from. Returns the id of the path that ended; sent: whether
 * its record went to user space. */
INLINE u64 hand_up(struct flight *f, u64 head, struct cpu_state *c, u32 *sent)
{
	if (!f || is_rx(f) || f->state != FLIGHT_LINKED || f->head != head)
		return 0;
	u64 id = f->rec.id;
	if (!f->rec.peer)
		f->rec.peer = next_id(c);
	*sent = finish(f, OUTCOME_COMPLETE, COUNT_COMPLETE);
	return id;
}
