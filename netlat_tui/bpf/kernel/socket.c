/* The transport layer, and onto the socket's queue. */

int on_tcp_probe(struct bpf_raw_tracepoint_args *ctx)
{
	u64 sk = ctx->args[0], skb = ctx->args[1];
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct flight *f = rx_of(skb);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	u64 now = bpf_ktime_get_ns();
	u32 seq = read_u32(skb, OFF_TCP_CB_SEQ), end = read_u32(skb, OFF_TCP_CB_END_SEQ);
	u32 flags = 0;
	u8 byte = 0;
	READ(byte, skb, OFF_TCP_CB_FLAGS);
	flags = byte;
	if (!c->irq.in_net_rx)
		f->rec.flags |= PATH_BACKLOG;
	if ((s32)(seq - read_u32(sk, OFF_TCP_RCV_NXT)) > 0)
		f->rec.flags |= PATH_OUT_OF_ORDER;
	f->sk = sk;
	if (!(f->rec.mask >> POINT_TRANSPORT & 1))
		point(f, POINT_TRANSPORT, now);
	u32 before = f->end_seq;
	fold(f, end, 0, c, now);
	if (before != f->end_seq)
		f->payload = 1;
	settle(f, MOST_SINCE);
	/* Nothing but an acknowledgement: no socket will see it. */
	if (end - seq <= (flags & TCP_FIN)) {
		f->payload = 0;
		finish(f, OUTCOME_CONSUMED, COUNT_CONSUMED, c, now);
	}
	return 0;
}

/* A raw socket gets a clone with the same data: from here on the path is the clone's. */
INLINE struct flight *adopt_clone(struct cpu_state *c, u64 clone, u64 now)
{
	struct flight *f = c->link_skb ? flight_by_key(c->link_skb) : 0;

	if (!f || !is_rx(f) || f->state != FLIGHT_LINKED || f->head != skb_head(clone) || f->key == clone ||
	    (f->rec.proto != 1 && f->rec.proto != 58))
		return 0;
	struct flight *to = flight_move(f, clone, now);
	if (to)
		to->rec.flags |= PATH_CLONED;
	return to;
}

/* A packet on its way onto the socket's queue. There may be no room for it: see on_kfree_skb. */
INLINE int joins_queue(u64 sk, u64 skb, int may_be_clone)
{
	struct cpu_state *c = this_cpu();
	if (!c || !is_inet(sk))
		return 0;
	u64 now = bpf_ktime_get_ns();
	take_up(skb, c, now);
	gather(skb);
	struct flight *f = rx_of(skb);
	if (!f && may_be_clone)
		f = adopt_clone(c, skb, now);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	struct sock_state *s = sock_known(sk);
	settle(f, MOST_SINCE);
	point(f, POINT_SOCKET, now);
	f->state = FLIGHT_SOCKET;
	f->sk = sk;
	f->wakes = s ? s->wakes : 0;
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

INLINE int made_ready(u64 sk)
{
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	c->queuing = 0;
	if (!is_inet(sk))
		return 0;
	u64 now = bpf_ktime_get_ns();
	u64 head = sk + OFF_SK_RECEIVE_QUEUE;
	u64 tail = read_u64(sk, OFF_SK_RECEIVE_QUEUE + OFF_LIST_PREV);
	u16 protocol = read_u16(sk, OFF_SK_PROTOCOL);
	struct sock_state *s = sock_known(sk);

	if (!s) {
		struct sock_state fresh = {.epoch = epoch()};
		if (protocol == 17 && !UDP_EXACT) {
			/* Datagrams that were queued before we looked are read first. */
			u32 queued = read_u32(head, OFF_QUEUE_LEN) + read_u32(sk, OFF_UDP_READER_QUEUE + OFF_QUEUE_LEN);
			fresh.in = queued ? queued - 1 : 0;
		}
		socks.update(&sk, &fresh);
		s = sock_known(sk);
		if (!s)
			return 0;
	}
	c->ready_sk = sk;
	if (tail != head && tail) {
		take_up(tail, c, now);
		gather(tail);
	}
	if (protocol == 17) {
		if (!UDP_EXACT)
			udp_ready_alone(sk, s, tail, c, now);
		return 0;
	}
	if (tail == head || !tail)
		return 0;
	struct flight *f = rx_of(tail);
	if (!f && protocol != 6)
		f = adopt_clone(c, tail, now);
	if (!f)
		return 0;
	if (f->state == FLIGHT_LINKED)
		reach_socket(f, sk, s, now);
	if (protocol == 6)
		fold(f, read_u32(tail, OFF_TCP_CB_END_SEQ), 1, c, now);
	return 0;
}

int on_sk_data_ready(struct bpf_raw_tracepoint_args *ctx)
{
	return made_ready(ctx->args[0]);
}

#ifdef HAVE_SOCK_DEF_READABLE
INLINE int at_sock_def_readable(u64 sk) { return made_ready(sk); }
#endif
