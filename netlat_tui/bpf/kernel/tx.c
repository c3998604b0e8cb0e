/* From the device queue to the driver's completion. */

/* A packet may wait this long for its neighbour's address. */
#define NEIGHBOUR_NS 5000000000ull
#define ONCE_MORE ~(1u << POINT_TX_XMIT)

/* A received packet in a device queue without a socket: it was routed or bridged on, and begins its way down. Returns the
 * id of the path that ended. */
INLINE u64 sent_on(struct flight *f, u64 now, struct cpu_state *c, u32 *sent)
{
	u64 id = f->rec.id;
	f->rec.peer = next_id(c);
	point(f, POINT_FORWARD, now);
	*sent = finish(f, OUTCOME_FORWARDED, COUNT_FORWARDED);
	return id;
}

int on_net_dev_queue(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(ctx->args[0], c), sk = FOLLOW(skb, OFF_SKB_SK, c);
	take_up(skb, c);   /* routed on, with connection tracking */
	struct flight *f = flight_of(skb);
	u64 peer = 0;
	u32 sent = 0;

	if (f && is_rx(f)) {
		if (f->state == FLIGHT_LINKED && !sk.at)
			peer = sent_on(f, now, c, &sent);
		f = 0;
	} else if (f && f->state == FLIGHT_LINKED) {
		u32 ifindex, netns;
		read_device(skb, c, &ifindex, &netns);
		if (ifindex != f->device) {
			/* A tunnel, a bridge, a VLAN: the same packet on the device below. */
			f->device = ifindex;
			f->rec.hops++;
			f->rec.mask &= ONCE_MORE;
			f->rec.flags &= ~PATH_BYPASS;
			return 0;
		}
		f = 0;
	} else if (f && now - f->last_ns > NEIGHBOUR_NS) {
		f = 0;
	}
	if (!f) {
		f = send_birth(skb, sk, now, c);
		OPAQUE(f);
		if (!f)
			return 0;
		f->rec.peer = peer;
		f->follow = sent;
	}
	f->rec.softirq_cpu = bpf_get_smp_processor_id();
	point(f, POINT_TX_DEVICE, now);
	judge(f, skb, c);
	return 0;
}

/* Fires when the packet is in the queue: it may be out of it again, and free. Its address is all that is asked. */
INLINE int into_qdisc(u64 skb)
{
	struct flight *f = flight_by_key(skb);
	if (!f || is_rx(f) || f->state != FLIGHT_LINKED || f->rec.mask >> POINT_TX_QDISC_OUT)
		return 0;
	point(f, POINT_TX_QDISC_IN, bpf_ktime_get_ns());
	return 0;
}

int on_qdisc_enqueue(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	return c ? into_qdisc(typed(ctx->args[2], c).at) : 0;
}

#ifdef HAVE_DEV_QDISC_ENQUEUE
INLINE int at_dev_qdisc_enqueue(u64 skb) { return into_qdisc(skb); }
#endif

#define BULK 32

int shared_dequeued(u64 skb)
{
	struct flight *f = flight_by_key(skb);
	if (f && !is_rx(f) && f->state == FLIGHT_LINKED) {
		f->rec.mask &= ONCE_MORE;   /* the driver was busy: it is sent again */
		point(f, POINT_TX_QDISC_OUT, bpf_ktime_get_ns());
	}
	return 0;
}

int on_qdisc_dequeue(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	u32 packets = ctx->args[2];
	if (!c || !ctx->args[3])
		return 0;
	u64 skb = typed(ctx->args[3], c).at;
	for (u32 i = 0; i < BULK; i++) {
		OPAQUE(i);
		if (i >= BULK || i >= packets || !skb)
			break;
		call_dequeued(skb);
		if (packets > 1)
			skb = read_u64(skb, OFF_SKB_NEXT);
	}
	return 0;
}

/* The first segment of an skb that was cut up stands for all of them: of TCP, the one that begins where the skb did. */
INLINE struct flight *segment_of(struct object skb, struct cpu_state *c)
{
	if (!c->n_cut)
		return 0;
	u64 sk = GET(skb, u64, OFF_SKB_SK);
	u32 seq = swap32(read_u32(skb_head(skb) + GET(skb, u16, OFF_SKB_TRANSPORT_HEADER), 4));

	for (u32 i = 0; i < CUT_UP; i++) {
		OPAQUE(i);
		if (i >= CUT_UP)
			break;
		struct cut_up *cut = &c->cut[WITHIN(i, CUT_UP)];
		struct flight *f = cut->slot ? flight_at(cut->slot - 1) : 0;
		if (!f)
			continue;
		if (is_rx(f) || f->state != FLIGHT_LINKED || f->rec.id != cut->id) {
			cut->slot = 0;   /* given up meanwhile */
			continue;
		}
		if (f->sk != sk || (f->rec.proto == 6 && f->seq != seq))
			continue;
		cut->slot = 0;
		return flight_move(f, skb.at);
	}
	return 0;
}

int on_net_dev_start_xmit(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(ctx->args[0], c);
	struct flight *f = flight_followed(skb);
	if (f && is_rx(f))
		f = 0;
	if (!f)
		f = segment_of(skb, c);
	OPAQUE(f);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	f->rec.queue = GET(skb, u16, OFF_SKB_QUEUE_MAPPING);
#ifdef HAVE_QDISC_DEQUEUE
	if (!(f->rec.mask >> POINT_TX_QDISC_IN & 3))
		f->rec.flags |= PATH_BYPASS;
	else
		f->rec.flags &= ~PATH_BYPASS;
#endif
	point(f, POINT_TX_XMIT, now);
	return 0;
}

/* The skb of a packet that is being sent is freed, and not dropped. */
INLINE void let_go(struct flight *f, struct cpu_state *c)
{
	u64 now = bpf_ktime_get_ns();

	if (f->rec.mask >> POINT_TX_XMIT & 1) {
		point(f, POINT_TX_COMPLETE, now);
		finish(f, OUTCOME_COMPLETE, COUNT_COMPLETE);
	} else if (f->rec.segs > 1) {
		/* Cut up for a driver that cannot do it: its segments follow on this CPU. */
		f->rec.flags |= PATH_SEGMENTED;
		flight_rename(f, f->key, f->key | DETACHED);
		struct cut_up *cut = &c->cut[WITHIN(c->n_cut, CUT_UP)];
		cut->id = f->rec.id;
		cut->slot = f->slot + 1;
		c->n_cut++;
	} else {
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED);
	}
}
