/* Which interrupt a packet came by: the state of one CPU, moved by IRQ and softirq events.
 *
 * Pure C, no BPF helper: the same code is compiled natively by the unit tests and fed written event sequences.
 * Times are CLOCK_MONOTONIC nanoseconds; 0 means "not observed".
 */
#define RAISES 4

/* Between the rounds of a loop the verifier is to know as little as before: what is kept in a map is written to it. */
#define FORGET asm volatile("" ::: "memory")

struct raise {
	u64 irq_ns;
	u64 raise_ns;
	u32 irq;
	u32 class;
};

struct irq_state {
	u64 irq_ns;
	u64 softirq_ns;
	u64 poll_ns;
	u32 irq;           /* hard interrupt being handled, valid while in_irq */
	u32 polled;        /* napi_poll events of the running softirq */
	u8 in_irq;
	u8 in_timer;
	u8 in_ipi;
	u8 in_net_rx;
	u8 entered;        /* whatever ran when tracing began is over */
	u8 repoll;         /* the last poll used up its budget */
	u8 ksoftirqd;
	u8 pending_n;
	u8 running_n;
	u8 during_n;
	u8 pending_over;   /* more sources than there is room for */
	u8 running_over;
	u8 vector;         /* another softirq that runs, plus 1; 0: none */
	u16 ran;           /* softirqs that had the CPU since the first pending raise, a bit each, */
	u16 running_ran;
	u64 ran_ns;        /* and when the first of these was seen to have it */
	u64 running_ran_ns;
	struct raise pending[RAISES];
	struct raise running[RAISES];
	struct raise during[RAISES];   /* network interrupts that landed while NET_RX ran (polled in the same run, 6.12+) */
};

struct attribution {
	u64 irq_ns;
	u64 raise_ns;
	u64 softirq_ns;
	u64 poll_ns;
	u64 window_ns;
	u32 irq;
	u32 class;
};

INLINE void irq_push(struct raise *list, u8 *n, u8 *over, u32 class, u32 irq, u64 irq_ns, u64 raise_ns)
{
	/* A raise fires even if one is already pending: the first of a source counts. */
#pragma unroll
	for (int i = 0; i < RAISES; i++)
		if (i < *n && list[i].class == class && list[i].irq == irq)
			return;
	if (*n >= RAISES) {
		*over = 1;
		return;
	}
	u32 at = *n;
	/* Keeps the compiler from dropping the mask, without which the verifier sees no bound. */
	asm volatile("" : "+r"(at));
	at &= RAISES - 1;
	list[at].class = class;
	list[at].irq = irq;
	list[at].irq_ns = irq_ns;
	list[at].raise_ns = raise_ns;
	*n = at + 1;
}

/* is_net: this interrupt raised NET_RX before. */
INLINE void irq_on_entry(struct irq_state *s, u32 irq, u64 now, int is_net)
{
	s->in_irq = 1;
	s->irq = irq;
	s->irq_ns = now;
	if (is_net && s->in_net_rx) {
		u8 over = 0;
		irq_push(s->during, &s->during_n, &over, IRQ_CLASS_IRQ, irq, now, 0);
		if (over)
			s->running_over = 1;
	}
}

INLINE void irq_on_exit(struct irq_state *s)
{
	s->in_irq = 0;
}

/* Another softirq has the CPU while NET_RX waits for it. */
INLINE void irq_waits_for(struct irq_state *s, u32 vector, u64 now)
{
	if (!s->ran)
		s->ran_ns = now;
	s->ran |= 1u << (vector & 15);
}

/* Another softirq begins; its time counts only where a raise is pending. */
INLINE void irq_on_other_entry(struct irq_state *s, u32 vector, u64 now)
{
	s->vector = vector + 1;
	if (s->pending_n)
		irq_waits_for(s, vector, now);
}

INLINE void irq_on_other_exit(struct irq_state *s)
{
	s->vector = 0;
}

/* Which softirqs the running one waited for, asked for at that time. Those that may have been over by then are not told
 * from the others: of a packet that came later than the first of them nothing is said. */
INLINE u32 irq_ran_since(const struct irq_state *s, u64 raise_ns)
{
	return s->in_net_rx && raise_ns && raise_ns <= s->running_ran_ns ? s->running_ran : 0;
}

/* threaded: number of the interrupt whose thread (irq/NN-...) is running, 0 if none; since: when it came last. */
INLINE void irq_on_raise(struct irq_state *s, u64 now, u32 threaded, u64 since)
{
	/* It interrupted a softirq, whose end it has to wait for. */
	if (!s->pending_n && s->vector)
		irq_waits_for(s, s->vector - 1, now);
	if (s->in_irq) {
		irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_IRQ, s->irq, s->irq_ns, now);
	} else if (s->in_timer) {
		irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_TIMER, 0, 0, now);
	} else if (s->in_ipi) {
		irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_RPS, 0, 0, now);
	} else if (s->in_net_rx) {
		/* net_rx_action ran out of budget or time and asks for itself: the packets are still those of the
		 * sources that are running. */
#pragma unroll
		for (int i = 0; i < RAISES; i++)
			if (i < s->running_n)
				irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_REPOLL,
					 s->running[i].irq, s->running[i].irq_ns, now);
		if (!s->running_n)
			irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_REPOLL, 0, 0, now);
	} else if (threaded) {
		irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_IRQ, threaded, since, now);
	} else {
		irq_push(s->pending, &s->pending_n, &s->pending_over, IRQ_CLASS_LOCAL, 0, 0, now);
	}
}

/* Returns when this run was first asked for, 0 if that was not seen. */
INLINE u64 irq_on_softirq_entry(struct irq_state *s, u64 now, int ksoftirqd)
{
	u64 first = 0;
#pragma unroll
	for (int i = 0; i < RAISES; i++) {
		s->running[i] = s->pending[i];
		if (i < s->pending_n && s->pending[i].raise_ns && (!first || s->pending[i].raise_ns < first))
			first = s->pending[i].raise_ns;
	}
	s->running_n = s->pending_n;
	s->running_over = s->pending_over;
	s->pending_n = 0;
	s->pending_over = 0;
	s->running_ran = s->ran;
	s->running_ran_ns = s->ran_ns;
	s->ran = 0;
	s->vector = 0;
	s->during_n = 0;
	s->in_net_rx = 1;
	s->entered = 1;
	s->repoll = 0;
	s->polled = 0;
	s->ksoftirqd = ksoftirqd;
	s->softirq_ns = now;
	s->poll_ns = now;
	return first;
}

/* The tracepoint fires after a poll: the next one starts now. */
INLINE void irq_on_poll(struct irq_state *s, u64 now, int work, int budget)
{
	s->poll_ns = now;
	s->polled++;
	s->repoll = work >= budget && budget > 0;
}

/* Where the beginning of a poll is seen. */
INLINE void irq_on_poll_begin(struct irq_state *s, u64 now)
{
	s->poll_ns = now;
}

INLINE void irq_on_softirq_exit(struct irq_state *s)
{
	s->in_net_rx = 0;
	s->running_n = 0;
	s->running_over = 0;
	s->during_n = 0;
	s->repoll = 0;
}

INLINE void irq_take(struct attribution *a, const struct raise *r)
{
	a->class = r->class;
	a->irq = r->irq;
	a->irq_ns = r->irq_ns;
	a->raise_ns = r->raise_ns;
}

/* Attribute a packet that is being polled now. known: the interrupt of its NAPI, 0 if that is not known;
 * napi_thread: the current task is a NAPI thread. */
INLINE void irq_resolve(const struct irq_state *s, u32 known, int napi_thread, struct attribution *a)
{
	u64 earliest = 0, latest = 0;
	u32 candidates = 0;

	a->irq_ns = a->raise_ns = a->softirq_ns = a->poll_ns = a->window_ns = 0;
	a->irq = 0;
	if (!s->in_net_rx) {
		/* This may be the softirq that ran when tracing began. */
		a->class = napi_thread ? IRQ_CLASS_THREADED : s->entered ? IRQ_CLASS_BUSY_POLL : IRQ_CLASS_UNKNOWN;
		return;
	}
	a->poll_ns = s->poll_ns;
	a->softirq_ns = s->softirq_ns;
	a->class = IRQ_CLASS_UNKNOWN;
	if (known) {
		a->irq = known;
		a->class = IRQ_CLASS_REPOLL;   /* unless it fired for this run */
#pragma unroll
		for (int i = 0; i < RAISES; i++) {
			if (i < s->running_n && s->running[i].irq == known)
				irq_take(a, &s->running[i]);
			if (i < s->during_n && s->during[i].irq == known && a->class == IRQ_CLASS_REPOLL)
				irq_take(a, &s->during[i]);
			FORGET;
		}
	} else {
#pragma unroll
		for (int i = 0; i < RAISES; i++) {
			if (i < s->running_n) {
				const struct raise *r = &s->running[i];
				candidates++;
				if (candidates == 1)
					irq_take(a, r);
				if (r->irq_ns && (!earliest || r->irq_ns < earliest))
					earliest = r->irq_ns;
				if (r->irq_ns > latest)
					latest = r->irq_ns;
				if (r->raise_ns && r->raise_ns < a->raise_ns)
					a->raise_ns = r->raise_ns;
			}
			if (i < s->during_n) {
				const struct raise *r = &s->during[i];
				int again = 0;
#pragma unroll
				for (int j = 0; j < RAISES; j++)
					if (j < s->running_n && s->running[j].irq == r->irq)
						again = 1;
				if (!again) {
					candidates++;
					if (candidates == 1)
						irq_take(a, r);
					if (!earliest || r->irq_ns < earliest)
						earliest = r->irq_ns;
					if (r->irq_ns > latest)
						latest = r->irq_ns;
				}
			}
			FORGET;
		}
		if (candidates > 1 || s->running_over) {
			a->class = IRQ_CLASS_AMBIGUOUS;
			a->irq = 0;
			a->irq_ns = 0;
			a->window_ns = latest - earliest;
		}
	}
	if (a->class == IRQ_CLASS_IRQ && s->repoll)
		a->class = IRQ_CLASS_REPOLL;
	if (a->class == IRQ_CLASS_REPOLL) {
		/* The interrupt is long over: these packets may have come after it. */
		a->irq_ns = 0;
		if (s->repoll || !a->raise_ns)
			a->raise_ns = a->softirq_ns = 0;
	}
	/* What happened after a later point was not on this packet's way. */
	if (a->softirq_ns && a->irq_ns > a->softirq_ns)
		a->raise_ns = a->softirq_ns = 0;
	if (a->softirq_ns && a->raise_ns > a->softirq_ns)
		a->raise_ns = 0;
	if (a->poll_ns < a->irq_ns)
		a->poll_ns = 0;
}
