/* A packet comes into being for us, or goes on under another skb. */

/* The id the next packet born on this CPU will have. */
INLINE u64 next_id(const struct cpu_state *c)
{
	u64 cpu = bpf_get_smp_processor_id();
	return cpu << 48 | ((c->ids + 1) & 0xFFFFFFFFFFFFull);
}

/* Where counting every packet would cost too much, those born in one time slice of so many stand for all. Whole slices: the
 * packets of a burst, of a socket's queue, are counted together or not at all. */
#define SLICE_SHIFT 23   /* 8.4 ms */

INLINE int is_counted(u64 now)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	u32 thin = k ? k->thin & 15 : 0;
	if (!thin)
		return 1;
	/* Which of them is as good as random: nothing that repeats keeps in step with it. */
	u32 slice = now >> SLICE_SHIFT, last = (1u << thin) - 1;
	return (slice & last) == (mix(0x5EED, slice >> thin) >> 8 & last);
}

#define AT(member) __builtin_offsetof(struct path, member)

/* Its points before this one are added by the caller. Times and CPUs of points are valid where the mask says so: they are
 * cleared when the path is sent, if it is. */
INLINE struct flight *flight_birth(u64 skb, u64 head, u64 now, struct cpu_state *c, u32 direction)
{
	u32 place = call_place(skb | (is_counted(now) ? 0 : NOT_COUNTED));
	struct flight *f = place ? flight_at(place - 1) : 0;
	if (!f)
		return 0;
	struct path *p = &f->rec;
	f->key = skb;
	f->head = head;
	f->sk = f->last_ns = f->copy_ns = f->driver_ns = 0;
	f->irq_slot = f->seq = f->end_seq = f->flow = f->payload = f->wakes = f->fifo = 0;
	f->settled = UNSETTLED;
	f->copy_cpu = f->gso_segs = f->follow = f->part = 0;
	__builtin_memset(p, 0, AT(cpu));
	__builtin_memset(&p->location, 0, sizeof(*p) - AT(location));
	p->id = next_id(c);
	c->ids++;
	p->direction = direction;
	p->softirq_cpu = bpf_get_smp_processor_id();
	f->state = FLIGHT_BORN;
	return f;
}

/* The flight at this place goes on under the skb it moves to; its new place, plus 1. */
int shared_move(u64 slot)
{
	struct flight *f = flight_at(slot);
	if (!f)
		return 0;
	u64 state = f->state;
	flight_vacate(f->moves_to);
	if (!flight_ends(f))
		return 0;
	struct flight *to = flight_take(f->moves_to);
	if (!to) {
		count(COUNT_EVICTED, 1);
		flight_free(f);
		return 0;
	}
	u32 place = to->slot;
	bpf_probe_read_kernel(to, sizeof(*to), f);
	to->slot = place;
	to->key = f->moves_to;
	to->head = read_u64(f->moves_to, OFF_SKB_HEAD);
	to->state = state;
	flight_free(f);
	return place + 1;
}

/* A clone, the first segment of what was cut up. */
INLINE struct flight *flight_move(struct flight *f, u64 skb)
{
	f->moves_to = skb;
	u32 place = call_move(f->slot);
	return place ? flight_at(place - 1) : 0;
}
