/* The transport layer, and onto the socket's queue. */

int on_tcp_probe(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object sk = typed(ctx->args[0], c), skb = typed(ctx->args[1], c);
	struct flight *f = rx_of(skb);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	u32 seq = GET(skb, u32, OFF_TCP_CB_SEQ), end = GET(skb, u32, OFF_TCP_CB_END_SEQ);
	u32 flags = GET(skb, u8, OFF_TCP_CB_FLAGS);
	if (!c->irq.in_net_rx)
		f->rec.flags |= PATH_BACKLOG;
	if ((s32)(seq - read_u32(sk.at, OFF_TCP_RCV_NXT)) > 0)
		f->rec.flags |= PATH_OUT_OF_ORDER;
	f->sk = sk.at;
	if (!(f->rec.mask >> POINT_TRANSPORT & 1))
		reached(f, POINT_TRANSPORT, now);
	u32 before = f->end_seq;
	fold(f, end, 0);
	if (before != f->end_seq)
		f->payload = 1;
	/* Nothing but an acknowledgement: no socket will see it. */
	if (end - seq <= (flags & TCP_FIN)) {
		f->payload = 0;
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED);
	}
	return 0;
}

/* A raw socket gets a clone with the same data: from here on the path is the clone's. */
INLINE struct flight *adopt_clone(struct cpu_state *c, struct object clone)
{
	struct flight *f = c->link_skb ? flight_by_key(c->link_skb) : 0;

	OPAQUE(f);
	if (!f || !is_rx(f) || f->state != FLIGHT_LINKED || f->head != skb_head(clone) || f->key == clone.at ||
	    (f->rec.proto != 1 && f->rec.proto != 58))
		return 0;
	struct flight *to = flight_move(f, clone.at);
	if (to)
		to->rec.flags |= PATH_CLONED;
	return to;
}

/* A packet on its way onto the socket's queue. There may be no room for it: the stage is counted when it goes on. */
INLINE int joins_queue(u64 sk, u64 address, int may_be_clone)
{
	struct cpu_state *c = this_cpu();
	if (!c || !is_inet(plain(sk)))
		return 0;
	u64 now = bpf_ktime_get_ns();
	struct object skb = plain(address);
	take_up(skb, c);
	struct flight *f = rx_of(skb);
	if (!f && may_be_clone)
		f = adopt_clone(c, skb);
	OPAQUE(f);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	gather(f, skb);
	struct sock_state *s = sock_known(sk);
	f->sk = sk;
	f->wakes = s ? s->wakes : 0;
	if (!exchange(&f->state, FLIGHT_LINKED, FLIGHT_SOCKET))
		return 0;
	point(f, POINT_SOCKET, now);
	c->queuing = f->key;
	return 0;
}

#ifdef HAVE_TCP_QUEUE_RCV
INLINE int at_tcp_queue_rcv(u64 sk, u64 skb) { return joins_queue(sk, skb, 0); }
#endif
#ifdef HAVE___UDP_ENQUEUE_SCHEDULE_SKB
INLINE int at___udp_enqueue_schedule_skb(u64 sk, u64 skb) { return joins_queue(sk, skb, 0); }
#endif
#ifdef HAVE___SOCK_QUEUE_RCV_SKB
INLINE int at___sock_queue_rcv_skb(u64 sk, u64 skb) { return joins_queue(sk, skb, 1); }
#endif

INLINE struct sock_state *sock_new(struct object sk)
{
	struct sock_state fresh = {.epoch = epoch(), .fresh = 1};
	u64 key = sk.at;

	/* Two CPUs may be here: what the first has begun stays. */
	if (socks.lookup(&key))
		socks.update(&key, &fresh);   /* of another epoch */
	else
		socks.insert(&key, &fresh);
	return sock_known(key);
}

INLINE int made_ready(struct object sk, struct cpu_state *c)
{
	u64 now = bpf_ktime_get_ns();

	c->queuing = 0;
	if (!is_inet(sk))
		return 0;
	int is_udp = GET(sk, u16, OFF_SK_PROTOCOL) == 17;
	struct sock_state *s = sock_known(sk.at);
	if (!s)
		s = sock_new(sk);
	OPAQUE(s);
	if (!s)
		return 0;
	c->ready_sk = sk.at;
	struct object tail = FOLLOW(sk, OFF_SK_RECEIVE_QUEUE + OFF_LIST_PREV, c);
	int empty = tail.at == sk.at + OFF_SK_RECEIVE_QUEUE || !tail.at;
	if (!empty)
		take_up(tail, c);
	if (is_udp) {
		if (!UDP_EXACT)
			udp_ready_alone(sk, s, c, now);
		return 0;
	}
	struct flight *f = empty ? 0 : rx_of(tail);
	if (!f && !empty)
		f = adopt_clone(c, tail);
	OPAQUE(f);
	if (!f)
		return 0;
	gather(f, tail);
	if (f->state == FLIGHT_LINKED)
		reach_socket(f, sk.at, s, now);
	if (f->rec.proto == 6)
		fold(f, GET(tail, u32, OFF_TCP_CB_END_SEQ), 1);
	return 0;
}

int on_sk_data_ready(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	return c ? made_ready(typed(ctx->args[0], c), c) : 0;
}

#ifdef HAVE_SOCK_DEF_READABLE
INLINE int at_sock_def_readable(u64 sk)
{
	struct cpu_state *c = this_cpu();
	return c ? made_ready(plain(sk), c) : 0;
}
#endif
