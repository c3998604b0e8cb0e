/* From the socket's queue to the return of the call that read the packet. */

#define MSG_PEEK 2

INLINE int returned(u64 sk, int ret, int flags);

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
	u64 sk = f->sk;
#ifndef RETURN_SEEN
	/* Nothing tells of the return: it ends here. */
	complete(f, c, sock_known(sk), 0);
	return 0;
#endif
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
		complete(f, c, sock_known(sk), 0);
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
#ifdef RETURN_SEEN
	if (f->rec.proto == 17) {
		/* The socket's FIFO knows when it is read: this may be a peek. */
		f->copy_ns = now;
		f->copy_cpu = bpf_get_smp_processor_id();
		return 0;
	}
#endif
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

/* A receive call returns. */
INLINE int returned(u64 sk, int ret, int flags)
{
	if (!is_inet(sk))
		return 0;
	struct cpu_state *c = this_cpu();
	struct sock_state *s = sock_known(sk);
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
#ifdef HAVE_SOCK_COMMON_RECVMSG
INLINE int at_sock_common_recvmsg(u64 sock, u64 flags, u64 ret) { return returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_TCP_CLEANUP_RBUF
INLINE int at_tcp_cleanup_rbuf(u64 sk, u64 copied) { return (s32)copied > 0 ? returned(sk, copied, 0) : 0; }
#endif
#ifdef HAVE_SKB_FREE_DATAGRAM
INLINE int at_skb_free_datagram(u64 sk) { return returned(sk, 0, 0); }
#endif
