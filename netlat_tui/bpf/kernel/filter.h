/* The filter's stack program: one bit pushed by each test, combined by and, or, not. Empty passes everything. */

INLINE int prefix_matches(const struct instruction *in, const struct path *p, const u8 *address)
{
	const u32 *have = (const u32 *)address, *want = (const u32 *)in->value, *mask = (const u32 *)in->mask;
	u32 difference = 0;

	/* No early way out: fewer paths for the verifier. */
#pragma unroll
	for (int i = 0; i < 4; i++)
		difference |= (have[i] ^ want[i]) & mask[i];
	return !difference && p->family == in->family;
}

INLINE int name_matches(const struct instruction *in, u64 dev)
{
	u64 name[2] = {};
	const u64 *want = (const u64 *)in->value;

	if (!dev)
		return 0;
	/* The kernel does not clear what follows the terminator. */
	bpf_probe_read_kernel_str(name, sizeof(name), (void *)(dev + OFF_DEV_NAME));
	return name[0] == want[0] && name[1] == want[1];
}

INLINE int test(const struct instruction *in, const struct flight *f)
{
	const struct path *p = &f->rec;
	int ports = p->family && (p->proto == 6 || p->proto == 17) && (p->sport || p->dport);
	u32 v;

	switch (in->field) {
	case FIELD_SPORT:
		if (!ports)
			return 0;
		v = p->sport;
		break;
	case FIELD_DPORT:
		if (!ports)
			return 0;
		v = p->dport;
		break;
	case FIELD_CPU:
		v = p->softirq_cpu;
		break;
	case FIELD_PROTO:
		if (!p->family)
			return 0;
		v = p->proto;
		break;
	case FIELD_FAMILY:
		v = p->family;
		break;
	case FIELD_SADDR:
		return prefix_matches(in, p, p->saddr);
	case FIELD_DADDR:
		return prefix_matches(in, p, p->daddr);
	case FIELD_NETNS:
		v = p->netns;
		break;
	case FIELD_IFNAME:
		return name_matches(in, f->look.dev);
	case FIELD_IRQ:
		if (!p->irq)
			return 0;
		v = p->irq;
		break;
	case FIELD_DIRECTION:
		v = p->direction;
		break;
	case FIELD_CONSTANT:
		return in->lo;
	default:
		return 0;
	}
	return v >= in->lo && v <= in->hi;
}

/* One instruction: its place << 32, and the flight's. Whether there may be another. The stack is kept in the flight. */
int shared_step(u64 what)
{
	u32 at = what >> 32;
	struct flight *f = flight_at((u32)what);
	struct instruction *in = filters.lookup(&at);
	if (!f || !in)
		return 0;
	u64 stack = f->verdict, top = stack & 1;

	if (in->op == OP_TEST)
		stack = stack << 1 | (test(in, f) ? 1 : 0);
	else if (in->op == OP_AND)
		stack = stack >> 2 << 1 | (top & (stack >> 1 & 1));
	else if (in->op == OP_OR)
		stack = stack >> 2 << 1 | (top | (stack >> 1 & 1));
	else if (in->op == OP_NOT)
		stack ^= 1;
	else
		return 0;
	f->verdict = stack;
	return 1;
}

/* which: config.filter */
INLINE int passes(struct flight *f, u64 which)
{
	u64 begin = which >> 32;

	f->verdict = 1;
	for (u32 i = 0; i < MAX_INSTRUCTIONS; i++) {
		OPAQUE(i);
		if (i >= MAX_INSTRUCTIONS || i >= (u32)which || !call_step(f->slot | (begin + i) << 32))
			break;
	}
	return f->verdict & 1;
}
