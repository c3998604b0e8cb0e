/* From the transport layer to the reader. */

#define AF_INET 2
#define AF_INET6 10
#define MSG_PEEK 2

INLINE int is_inet(u64 sk)
{
	u16 family = read_u16(sk, OFF_SK_FAMILY);
	return family == AF_INET || family == AF_INET6;
}

/* A read takes these packets off the queue; they are complete when it returns. */
INLINE void complete(struct flight *f, struct cpu_state *c, const struct sock_state *s, u64 now);
INLINE int returned(u64 sk, int ret, int flags);

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
	struct flight *f = rx_of(skb);
	if (!f && may_be_clone)
		f = adopt_clone(c, skb, now);
	if (!f || f->state != FLIGHT_LINKED)
		return 0;
	struct sock_state *s = socks.lookup(&sk);
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

INLINE void reach_socket(struct flight *f, u64 sk, const struct sock_state *s, u64 now)
{
	point(f, POINT_SOCKET, now);
	settle(f, MOST_SINCE);
	f->state = FLIGHT_SOCKET;
	f->sk = sk;
	f->wakes = s->wakes;
}

INLINE void fifo_put(u64 sk, struct sock_state *s, u64 key, struct flight *f)
{
	/* Reads ahead of the queue that were not of this datagram: count afresh. */
	if ((s32)(s->out - s->in) > 0)
		s->out = s->in;
	u32 n = s->in;
	struct fifo_entry *e = fifo_at(sk, n);

	if (e) {
		e->sk = sk;
		e->n = n;
		e->key = key;
	}
	if (f)
		f->fifo = n;
	s->in = n + 1;
}

/* The queue is empty when its sk_data_ready comes: a reader was quicker. Returns 1 where the packet is finished. */
INLINE int udp_overtaken(struct flight *f, u64 sk, struct sock_state *s, struct cpu_state *c, u64 now)
{
	if ((s32)(s->out - s->in) != 1 || s->ahead_ns < f->last_ns)
		return 0;
	/* Its read was seen already, and the time kept. */
	s->in++;
	f->sk = sk;
	point(f, POINT_RETURN, s->ahead_ns);
	finish(f, OUTCOME_COMPLETE, COUNT_COMPLETE, c, now);
	return 1;
}

/* UDP. sk_data_ready comes once per datagram, after the queue's lock was dropped: by then the queue may hold several
 * new ones (6.18 queues in batches), or none because a reader was quicker. */
INLINE void udp_ready(u64 sk, struct sock_state *s, u64 tail, struct cpu_state *c, u64 now)
{
	u64 head = sk + OFF_SK_RECEIVE_QUEUE;
	u64 skb = tail, oldest = 0;
	u32 n = 0;

	if (s->credit) {
		s->credit--;
		return;
	}
	for (int i = 0; i < UDP_BATCH; i++) {
		if (skb == head || !skb)
			break;
		struct flight *f = flight_of(skb);
		if (!f || f->state != FLIGHT_LINKED)
			break;
		oldest = skb;
		n++;
		skb = read_u64(skb, OFF_SKB_PREV);
	}
	if (!n) {
		struct flight *f = tail == head && c->link_skb ? flight_by_key(c->link_skb) : 0;
		if (!f || f->state != FLIGHT_LINKED || f->rec.proto != 17 || f->rec.dport != read_u16(sk, OFF_SK_NUM)) {
			fifo_put(sk, s, FIFO_UNKNOWN, 0);
			return;
		}
		if (udp_overtaken(f, sk, s, c, now))
			return;
		oldest = f->key;
		n = 1;
	}
	s->credit = n - 1;
	for (u32 i = 0; i < UDP_BATCH; i++) {
		OPAQUE(i);
		if (i >= n)
			break;
		struct flight *f = flight_by_key(oldest);
		if (f && f->state == FLIGHT_LINKED) {
			reach_socket(f, sk, s, now);
			fifo_put(sk, s, oldest, f);
		} else {
			fifo_put(sk, s, FIFO_UNKNOWN, 0);
		}
		if (i + 1 < n)
			oldest = read_u64(oldest, OFF_SKB_NEXT);
	}
}

#define HOLD_TRIES 256

/* The kernel calls sk_data_ready after it dropped the queue's lock: two CPUs may be here for one socket. What the other
 * does takes a microsecond; whoever waits longer goes on without, and the count may be off by one until it is empty. */
INLINE void udp_ready_alone(u64 sk, struct sock_state *s, u64 tail, struct cpu_state *c, u64 now)
{
#ifdef HAVE_CMPXCHG
	u32 got = 0;
	for (u32 i = 0; i < HOLD_TRIES; i++) {
		OPAQUE(i);
		if (i >= HOLD_TRIES)
			break;
		if (!__sync_val_compare_and_swap(&s->held, 0, 1)) {
			got = 1;
			break;
		}
	}
	/* What it looks like now that it is our turn. */
	tail = read_u64(sk, OFF_SK_RECEIVE_QUEUE + OFF_LIST_PREV);
	udp_ready(sk, s, tail, c, now);
	if (got)
		__sync_val_compare_and_swap(&s->held, 1, 0);
#else
	udp_ready(sk, s, tail, c, now);
#endif
}

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
	struct sock_state *s = socks.lookup(&sk);

	if (!s) {
		struct sock_state fresh = {};
		if (protocol == 17 && !UDP_EXACT) {
			/* Datagrams that were queued before we looked are read first. */
			u32 queued = read_u32(head, OFF_QUEUE_LEN) + read_u32(sk, OFF_UDP_READER_QUEUE + OFF_QUEUE_LEN);
			fresh.in = queued ? queued - 1 : 0;
		}
		socks.update(&sk, &fresh);
		s = socks.lookup(&sk);
		if (!s)
			return 0;
	}
	c->ready_sk = sk;
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

INLINE void complete(struct flight *f, struct cpu_state *c, const struct sock_state *s, u64 now)
{
	u32 since = s ? s->wakes - f->wakes : 0;
	u64 id = bpf_get_current_pid_tgid();

	if (f->state >= FLIGHT_SOCKET && since > 0 && since <= 4) {
		/* The first time the reader ran after the packet was queued. */
		u64 woken = s->wake_ns[WITHIN(f->wakes, 4)];
		if (woken >= f->last_ns && woken <= (f->copy_ns ? f->copy_ns : now))
			point_on(f, POINT_WAKEUP, woken, s->wake_cpu[WITHIN(f->wakes, 4)]);
	}
	if (f->copy_ns)
		point_on(f, POINT_COPY, f->copy_ns, f->copy_cpu);
	f->rec.pid = id >> 32;
	f->rec.tid = id;
	bpf_get_current_comm(f->rec.comm, sizeof(f->rec.comm));
	if (now)
		point(f, POINT_RETURN, now);
	finish(f, OUTCOME_COMPLETE, COUNT_COMPLETE, c, f->last_ns);
}

/* Off the queue, by this task; its skb may be free before the call returns. */
INLINE int taken(struct flight *f, u64 skb, struct cpu_state *c)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct reader *r = readers.lookup(&tid);
	if (!r) {
		struct reader fresh = {};
		readers.update(&tid, &fresh);
		r = readers.lookup(&tid);
	}
	if (r && (r->sk != f->sk || !r->n)) {
		r->sk = f->sk;
		r->n = 0;
	}
	if (!r || r->n >= READER_CHAIN) {
		/* More packets in one call than there is room for: these end with their copy. */
		u64 sk = f->sk;
		complete(f, c, socks.lookup(&sk), 0);
		return 0;
	}
	r->key[WITHIN(r->n, READER_CHAIN)] = skb | DETACHED;
	r->n++;
	flight_detach(f);
	return 0;
}

int on_skb_copy_datagram_iovec(struct bpf_raw_tracepoint_args *ctx)
{
	u64 skb = ctx->args[0];
	struct flight *f = rx_of(skb);
	struct cpu_state *c = this_cpu();
	if (!f || !c || f->state < FLIGHT_LINKED)
		return 0;
	u64 now = bpf_ktime_get_ns();
	u32 copied = 0;
	if (f->rec.proto == 17) {
		/* The socket's FIFO knows when it is read: this may be a peek. */
		f->copy_ns = now;
		f->copy_cpu = bpf_get_smp_processor_id();
		return 0;
	}
	if (f->rec.proto == 6 && f->sk) {
		u32 seq = read_u32(skb, OFF_TCP_CB_SEQ), end = read_u32(skb, OFF_TCP_CB_END_SEQ);
		u8 flags = 0;
		READ(flags, skb, OFF_TCP_CB_FLAGS);
		copied = read_u32(f->sk, OFF_TCP_COPIED_SEQ);
		/* A read starts within the segment; a peek goes on without moving copied_seq. */
		if ((s32)(copied - seq) < 0 || (s32)(end - copied) <= 0)
			return 0;
		if (f->end_seq != end)
			fold(f, end, 1, c, now);
		if ((s32)(copied + (u32)ctx->args[1] + (flags & TCP_FIN) - end) < 0)
			return 0;
	}
	f->copy_ns = now;
	f->copy_cpu = bpf_get_smp_processor_id();
	return taken(f, skb, c);
}

#ifdef HAVE_SKB_CONSUME_UDP
INLINE int at_skb_consume_udp(u64 sk, u64 skb, u64 length)
{
	struct cpu_state *c = this_cpu();
	struct flight *f = rx_of(skb);
	/* A negative length: a peek. */
	if (!c || !f || f->state < FLIGHT_LINKED || (s32)length < 0)
		return 0;
	f->sk = sk;
	taken(f, skb, c);
#ifndef HAVE_RETURN
	returned(sk, length, 0);
#endif
	return 0;
}
#endif

/* The packet a UDP read was of, 0 if that is not known. */
INLINE u64 udp_next(u64 sk, struct sock_state *s, u64 now)
{
	for (int i = 0; i < UDP_SKIP; i++) {
		u32 n = s->out;
		s->out = n + 1;
		if ((s32)(s->in - n) <= 0) {
			/* The reader was quicker than the hook that sees the datagram queued. */
			s->ahead_ns = now;
			return 0;
		}
		struct fifo_entry *e = fifo_at(sk, n);
		if (!e || e->sk != sk || e->n != n)
			break;
		if (e->key == FIFO_DROPPED)
			continue;
		if (e->key == FIFO_UNKNOWN)
			return 0;
		struct flight *f = flight_by_key(e->key);
		if (f && f->state == FLIGHT_SOCKET && f->sk == sk && f->fifo == n)
			return e->key;
		f = flight_by_key(e->key | DETACHED);
		if (f && f->state == FLIGHT_READ && f->sk == sk && f->fifo == n)
			return e->key | DETACHED;
		break;
	}
	count(COUNT_UNMATCHED, 1);
	return 0;
}

INLINE int udp_queues_empty(u64 sk)
{
	u64 head = sk + OFF_SK_RECEIVE_QUEUE, reader = sk + OFF_UDP_READER_QUEUE;
	return read_u64(head, 0) == head && read_u64(reader, 0) == reader;
}

/* A receive call returns. */
INLINE int returned(u64 sk, int ret, int flags)
{
	if (!is_inet(sk))
		return 0;
	struct cpu_state *c = this_cpu();
	struct sock_state *s = socks.lookup(&sk);
	if (!c || !s)
		return 0;
	u64 now = bpf_ktime_get_ns();
	u32 tid = bpf_get_current_pid_tgid();
	struct reader *r = readers.lookup(&tid);
	int read = ret >= 0 && !(flags & MSG_PEEK);
	u64 udp = 0;
	u32 n = 0;

	if (!UDP_EXACT && read_u16(sk, OFF_SK_PROTOCOL) == 17) {
		if (read) {
			udp = udp_next(sk, s, now);
			n = !!udp;
			/* What we lost count of ends here: nothing is left to be read. */
			if ((s32)(s->in - s->out) > 0 && udp_queues_empty(sk))
				s->out = s->in;
		}
	} else if (r && r->sk == sk) {
		n = r->n;
	}
	for (u32 i = 0; i < READER_CHAIN; i++) {
		OPAQUE(i);
		if (i >= n)
			break;
		struct flight *f = flight_by_key(udp ? udp : r ? r->key[WITHIN(i, READER_CHAIN)] : 0);
		if (!f || f->sk != sk || (!udp && f->state != FLIGHT_READ))
			continue;
		if (read) {
			complete(f, c, s, now);
		} else {
			/* A peek, or an error: still on the queue. */
			f->state = FLIGHT_SOCKET;
			f->copy_ns = 0;
			flight_tag(f, f->key);
		}
	}
	if (r)
		r->n = 0;
	return 0;
}

int on_sock_recv_length(struct bpf_raw_tracepoint_args *ctx)
{
	return returned(ctx->args[0], ctx->args[1], ctx->args[2]);
}

#ifdef HAVE_INET_RECVMSG
INLINE int at_inet_recvmsg(u64 sock, u64 flags, u64 ret) { return returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_INET6_RECVMSG
INLINE int at_inet6_recvmsg(u64 sock, u64 flags, u64 ret) { return returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_TCP_CLEANUP_RBUF
INLINE int at_tcp_cleanup_rbuf(u64 sk, u64 copied) { return (s32)copied > 0 ? returned(sk, copied, 0) : 0; }
#endif
#ifdef HAVE_SKB_FREE_DATAGRAM
INLINE int at_skb_free_datagram(u64 sk) { return returned(sk, 0, 0); }
#endif
