/* The reader's wake-up: who was woken because a socket became ready, and when it was given a CPU. */

/* How often a task has left a CPU, by itself or not. */
INLINE u64 switches_of(u64 task)
{
	return LOAD(u64, task, OFF_TASK_NVCSW) + LOAD(u64, task, OFF_TASK_NIVCSW);
}

int on_sched_waking(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (!c || !c->ready_sk || c->irq.in_irq || c->irq.in_timer || c->irq.in_ipi)
		return 0;
	u64 task = ctx->args[0];
	u64 sk = c->ready_sk;
	c->ready_sk = 0;
	/* Still running, about to sleep: it will not be switched in. */
	if (LOAD(u32, task, OFF_TASK_ON_CPU))
		return 0;
	u32 pid = LOAD(u32, task, OFF_TASK_PID);
	u32 at = pid & 4095;
	struct waking *w = wakings.lookup(&at);
	if (w) {
		w->sk = sk;
		w->switches = switches_of(task);
		w->pid = pid;
	}
	return 0;
}

int on_sched_switch(struct bpf_raw_tracepoint_args *ctx)
{
	u64 next = ctx->args[2];
	u32 pid = LOAD(u32, next, OFF_TASK_PID);
	u32 at = pid & 4095;
	struct cpu_state *c = this_cpu();
	struct waking *w = wakings.lookup(&at);
	if (c) {
		if (pid && pid == c->ksoftirqd_pid) {
			c->deferred_ns = bpf_ktime_get_ns();
			c->deferred_pid = bpf_get_current_pid_tgid();
			bpf_get_current_comm(c->deferred_comm, sizeof(c->deferred_comm));
		}
		c->ready_sk = 0;   /* whoever is woken from here on is woken by another task */
#ifndef OFF_TASK_BH_COUNT
		/* No softirq is left for another task, but with PREEMPT_RT. */
		c->irq.entered = 1;
		irq_on_other_exit(&c->irq);
#endif
	}
	if (!w || !pid || w->pid != pid)
		return 0;
	u64 sk = w->sk;
	w->pid = 0;
	/* It had a CPU in between, which no event told of: when is not known (seen on 6.18, once in some 500 wake-ups). */
	if (w->switches != switches_of(next))
		return 0;
	struct sock_state *s = sock_known(sk);
	if (!s)
		return 0;
	u64 now = bpf_ktime_get_ns();
	/* The event comes before the switch: the task that runs is the one that had the CPU until now. */
	w->prev_ns = 0;
	FORGET;
	w->prev_pid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(w->prev_comm, sizeof(w->prev_comm));
	FORGET;
	w->prev_ns = now;
	u32 n = WITHIN(s->wakes, 4);
	s->wake_ns[n] = now;
	s->wake_pid[n] = pid;
	s->wake_cpu[n] = bpf_get_smp_processor_id();
	s->wakes++;
	return 0;
}
