/* Hard interrupts, softirqs and NAPI polls: who asked for a packet to be fetched, when, and when it was. */

INLINE struct irq_stats *irq_stats_of(u32 irq, u32 *slot_plus_one)
{
	u32 *slot = irq_slots.lookup(&irq);
	*slot_plus_one = 0;
	if (!slot || !*slot)
		return 0;
	u32 at = *slot - 1;
	*slot_plus_one = *slot;
	return irqs.lookup(&at);
}

/* An interrupt that raises NET_RX for the first time gets a place in the tables: slot 0 counts the places taken. */
INLINE void irq_enlist(u32 irq)
{
	u32 zero = 0;
	u32 *slot = irq_slots.lookup(&irq);
	u32 *taken = irq_slots.lookup(&zero);

	if (!slot || !taken) {
		count(COUNT_IRQ_OVERFLOW, 1);
		return;
	}
	if (*slot)
		return;
	u32 at = *taken;
	if (at >= N_IRQ_SLOTS) {
		count(COUNT_IRQ_OVERFLOW, 1);
		return;
	}
	ADD(*taken, 1);
	struct irq_stats *s = irqs.lookup(&at);
	if (!s || s->used)
		return;   /* another CPU was quicker: this interrupt gets its place next time */
	s->used = 1;
	s->irq = irq;
	*slot = at + 1;
}

INLINE int comm_starts(const char *comm, char a, char b, char d, char e)
{
	return comm[0] == a && comm[1] == b && comm[2] == d && comm[3] == e;
}

/* What kind of kernel thread the task is that runs now. Its name is asked once for as long as it is the same task. */
int shared_ask_task(u64 pid)
{
	struct cpu_state *c = this_cpu();
	char comm[16] = {};
	u32 irq = 0;

	if (!c)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	if (comm_starts(comm, 'i', 'r', 'q', '/')) {
#pragma unroll
		for (int i = 4; i < 10; i++) {
			if (comm[i] < '0' || comm[i] > '9')
				break;
			irq = irq * 10 + (comm[i] - '0');
		}
	}
	c->threaded_irq = irq;
	c->is_ksoftirqd = comm_starts(comm, 'k', 's', 'o', 'f');
	c->is_napi_thread = comm_starts(comm, 'n', 'a', 'p', 'i');
	c->asked_pid = pid;
	return 0;
}

INLINE void this_task(const struct cpu_state *c)
{
	u32 pid = bpf_get_current_pid_tgid();
	if (pid != c->asked_pid)
		call_ask_task(pid);
}

int on_irq_handler_entry(struct bpf_raw_tracepoint_args *ctx)
{
	u32 irq = ctx->args[0], slot;
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct irq_stats *s = irq_stats_of(irq, &slot);
	u64 now = bpf_ktime_get_ns();
	irq_on_entry(&c->irq, irq, now, s != 0);
	if (s) {
		s->last_ns = now;
		ADD(s->count, 1);
		c->irqs++;
	}
	return 0;
}

int on_irq_handler_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 irq = ctx->args[0], slot;
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u64 entry = c->irq.irq_ns;
	int paired = c->irq.in_irq && c->irq.irq == irq;
	irq_on_exit(&c->irq);
	if (paired && irq_stats_of(irq, &slot))
		observe(N_CPUS + slot - 1, DIST_IRQ_HANDLER, bpf_ktime_get_ns() - entry);
	return 0;
}

int on_local_timer_entry(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (c)
		c->irq.in_timer = 1;
	return 0;
}

int on_local_timer_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (c)
		c->irq.in_timer = 0;
	return 0;
}

int on_call_function_single_entry(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (c)
		c->irq.in_ipi = 1;
	return 0;
}

int on_call_function_single_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (c)
		c->irq.in_ipi = 0;
	return 0;
}

int on_softirq_raise(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[0] != NET_RX)
		return 0;
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u64 now = bpf_ktime_get_ns();
	u64 since = 0;
	u32 threaded = 0, slot;
	if (c->irq.in_irq) {
		irq_enlist(c->irq.irq);
	} else if (!c->irq.in_timer && !c->irq.in_ipi && !c->irq.in_net_rx) {
		this_task(c);
		threaded = c->threaded_irq;
	}
	if (threaded) {
		struct irq_stats *s = irq_stats_of(threaded, &slot);
		if (s)
			since = s->last_ns;
		else
			irq_enlist(threaded);
	}
	irq_on_raise(&c->irq, now, threaded, since);
	return 0;
}

int on_softirq_entry(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	if (ctx->args[0] != NET_RX) {
		irq_on_other_entry(&c->irq, ctx->args[0], c->irq.pending_n ? bpf_ktime_get_ns() : 0);
		return 0;
	}
	u64 now = bpf_ktime_get_ns();
	this_task(c);
	u64 raised = irq_on_softirq_entry(&c->irq, now, c->is_ksoftirqd);
	c->napis = 0;
	c->napi_id = 0;
	c->softirqs++;
	c->ksoftirqd += c->is_ksoftirqd;
	if (c->is_ksoftirqd)
		c->ksoftirqd_pid = c->asked_pid;
	if (raised && now >= raised)
		observe(bpf_get_smp_processor_id(), DIST_SOFTIRQ_WAIT, now - raised);
	return 0;
}

/* A run with one interrupt and one NAPI says that they belong together. */
INLINE void learn(struct cpu_state *c)
{
	if (c->napis != 1 || !c->napi_id || c->irq.running_n != 1 || c->irq.during_n || c->irq.running_over ||
	    c->irq.running[0].class != IRQ_CLASS_IRQ)
		return;
	u32 at = c->napi_id & 1023;
	struct napi_irq *known = napi_irqs.lookup(&at);
	if (known && (known->napi_id != c->napi_id || !known->irq)) {
		known->napi_id = c->napi_id;
		known->irq = c->irq.running[0].irq;
	}
}

int on_softirq_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	if (ctx->args[0] != NET_RX) {
		irq_on_other_exit(&c->irq);
		return 0;
	}
	if (c->irq.in_net_rx) {
		u64 run = bpf_ktime_get_ns() - c->irq.softirq_ns;
		c->softirq_ns += run;
		observe(bpf_get_smp_processor_id(), DIST_SOFTIRQ_RUN, run);
		learn(c);
	}
	irq_on_softirq_exit(&c->irq);
	c->ready_sk = 0;
	c->link_skb = 0;
	return 0;
}

INLINE u32 napi_known_irq(u32 napi_id)
{
	u32 at = napi_id & 1023;
	struct napi_irq *known = napi_irqs.lookup(&at);
	return known && known->napi_id == napi_id ? known->irq : 0;
}

int on_napi_poll(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 napi = ctx->args[0];
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u32 id = LOAD(u32, napi, OFF_NAPI_ID);
	u32 irq = 0;
#ifdef OFF_NAPI_IRQ
	irq = LOAD(u32, napi, OFF_NAPI_IRQ);
	if ((int)irq > 0 && id) {
		u32 at = id & 1023;
		struct napi_irq *known = napi_irqs.lookup(&at);
		if (known) {
			known->napi_id = id;
			known->irq = irq;
		}
	} else {
		irq = 0;
	}
#endif
	if (!irq)
		irq = napi_known_irq(id);
	if (c->irq.in_net_rx && !c->irq.polled) {
		/* The first poll of the run: how long from its interrupt. */
		struct attribution a;
		u32 slot;
		irq_resolve(&c->irq, irq, 0, &a);
		if (a.class == IRQ_CLASS_IRQ && a.irq_ns && a.poll_ns >= a.irq_ns) {
			if (irq_stats_of(a.irq, &slot))
				observe(N_CPUS + slot - 1, DIST_IRQ_TO_POLL, a.poll_ns - a.irq_ns);
		}
	}
	if (c->napi_id != id || !c->napis) {
		c->napi_id = id;
		c->napis++;
	}
	irq_on_poll(&c->irq, now, (int)ctx->args[1], (int)ctx->args[2]);
	return 0;
}

#ifdef HAVE___NAPI_POLL
INLINE int at___napi_poll(u64 napi)
{
	struct cpu_state *c = this_cpu();
	if (c && c->irq.in_net_rx)
		irq_on_poll_begin(&c->irq, bpf_ktime_get_ns());
	return 0;
}
#endif

/* The driver's handler asks for its NAPI to be polled: these two belong together, whoever else shares the line. */
INLINE int scheduled(u64 napi)
{
	struct cpu_state *c = this_cpu();
	if (!c || !c->irq.in_irq)
		return 0;
	u32 id = read_u32(napi, OFF_NAPI_ID);
	u32 at = id & 1023;
	struct napi_irq *known = napi_irqs.lookup(&at);
	if (known && id) {
		known->napi_id = id;
		known->irq = c->irq.irq;
	}
	return 0;
}

#ifdef HAVE___NAPI_SCHEDULE
INLINE int at___napi_schedule(u64 napi) { return scheduled(napi); }
#endif
#ifdef HAVE___NAPI_SCHEDULE_IRQOFF
INLINE int at___napi_schedule_irqoff(u64 napi) { return scheduled(napi); }
#endif
