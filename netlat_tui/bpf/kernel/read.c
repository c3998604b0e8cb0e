/* From the socket's queue to the return of the call that read the packet. */

#define MSG_PEEK 2

/* A packet was read by this task. */
int shared_complete(u64 slot)
{
	struct flight *f = flight_at(slot);

	if (!f)
		return 0;
	settle(f);   /* see joins_queue */
	if (f->woken_ns)
		reached_on(f, POINT_WAKEUP, f->woken_ns, f->woken_cpu);
	if (f->copy_ns)
		reached_on(f, POINT_COPY, f->copy_ns, f->copy_cpu);
	if (f->return_ns)
		reached(f, POINT_RETURN, f->return_ns);
	return call_finish(ENDING(f->slot, OUTCOME_COMPLETE, COUNT_COMPLETE) | BY_READER);
}

/* s: what is known of the socket, if anything; now: 0 where the call's return is not seen. */
INLINE void complete(struct flight *f, const struct sock_state *s, u64 now)
{
	u32 since = s ? s->wakes - f->wakes : 0;

	f->woken_ns = 0;
	f->return_ns = now;
	if (f->state >= FLIGHT_SOCKET && since > 0 && since <= 4) {
		/* The first time the reader ran after the packet was queued. */
		u64 woken = s->wake_ns[WITHIN(f->wakes, 4)];
		if (woken >= f->last_ns && woken <= (f->copy_ns ? f->copy_ns : now)) {
			f->woken_ns = woken;
			f->woken_cpu = s->wake_cpu[WITHIN(f->wakes, 4)];
			f->woken_pid = s->wake_pid[WITHIN(f->wakes, 4)];
		}
	}
	call_complete(f->slot);
}

/* Keep a packet until the call that reads it returns; 0 where there is no room, or nothing tells of the return. */
INLINE int kept(struct flight *f, u64 skb)
{
#ifndef RETURN_SEEN
	return 0;
#endif
	u32 tid = bpf_get_current_pid_tgid();
	struct reader *r = readers.lookup(&tid);
	if (!r) {
		struct reader fresh = {};
		readers.update(&tid, &fresh);
		r = readers.lookup(&tid);
	}
	if (!r)
		return 0;
	if (r->sk != f->sk) {
		r->sk = f->sk;
		r->n = 0;
	}
	if (r->n >= READER_CHAIN)
		return 0;
	r->key[WITHIN(r->n, READER_CHAIN)] = skb | DETACHED;
	r->n++;
	flight_detach(f);
	return 1;
}

/* Off the queue, by this task; its skb may be free before the call returns. What cannot be kept ends with its copy. */
INLINE void taken(struct flight *f, u64 skb)
{
	if (!kept(f, skb))
		complete(f, sock_known(f->sk), 0);
}

int on_skb_copy_datagram_iovec(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	struct object skb = typed(ctx->args[0], c);
	struct flight *f = rx_of(skb);
	if (!f || f->state < FLIGHT_LINKED)
		return 0;
	if (f->rec.proto == 6 && f->sk) {
		u32 seq = GET(skb, u32, OFF_TCP_CB_SEQ), end = GET(skb, u32, OFF_TCP_CB_END_SEQ);
		u32 flags = GET(skb, u8, OFF_TCP_CB_FLAGS);
		u32 copied = read_u32(f->sk, OFF_TCP_COPIED_SEQ);
		/* A read starts within the segment; a peek goes on without moving copied_seq. */
		if ((s32)(copied - seq) < 0 || (s32)(end - copied) <= 0)
			return 0;
		if (f->end_seq != end)
			fold(f, end, 1);
		if ((s32)(copied + (u32)ctx->args[1] + (flags & TCP_FIN) - end) < 0)
			return 0;
	}
	f->copy_ns = now;
	f->copy_cpu = bpf_get_smp_processor_id();
#ifdef RETURN_SEEN
	if (f->rec.proto == 17)
		return 0;   /* the socket's FIFO knows when it is read: this may be a peek */
#endif
	taken(f, skb.at);
	return 0;
}

#ifdef HAVE_SKB_CONSUME_UDP
INLINE int read_returned(u64 sk, int ret, int flags);

INLINE int at_skb_consume_udp(u64 sk, u64 skb, u64 length)
{
	struct flight *f = rx_of(plain(skb));
	/* A negative length: a peek. */
	if (!f || f->state < FLIGHT_LINKED || (s32)length < 0)
		return 0;
	f->sk = sk;
	taken(f, skb);
#ifndef HAVE_RETURN
	read_returned(sk, length, 0);
#endif
	return 0;
}
#endif

/* A call has returned that took packets off a socket's queue: they were read, or (a peek, an error) are there still. */
INLINE void chain_returned(u64 sk, const struct sock_state *s, int read, u64 now)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct reader *r = readers.lookup(&tid);

	if (!r)
		return;
	u32 n = r->sk == sk ? r->n : 0;
	r->n = 0;
	for (u32 i = 0; i < READER_CHAIN; i++) {
		OPAQUE(i);
		if (i >= READER_CHAIN || i >= n)
			break;
		struct flight *f = flight_by_key(r->key[WITHIN(i, READER_CHAIN)]);
		OPAQUE(f);
		if (!f || f->sk != sk || f->state != FLIGHT_READ)
			continue;
		if (read) {
			complete(f, s, now);
		} else {
			f->copy_ns = 0;
			if (exchange(&f->state, FLIGHT_READ, FLIGHT_SOCKET))
				flight_rename(f, f->key | DETACHED, f->key);
		}
	}
}

/* A receive call returns. */
INLINE int returned(struct object sk, int ret, int flags)
{
	u64 now = bpf_ktime_get_ns();
	if (!is_inet(sk))
		return 0;
	struct sock_state *s = sock_known(sk.at);
	if (!s)
		return 0;
	int read = ret >= 0 && !(flags & MSG_PEEK);
	if (UDP_EXACT || GET(sk, u16, OFF_SK_PROTOCOL) != 17) {
		chain_returned(sk.at, s, read, now);
		return 0;
	}
	if (!read)
		return 0;
	struct flight *f = udp_next(sk.at, s, now);
	/* What we lost count of ends here: nothing is left to be read. */
	if ((s32)(s->in - s->out) > 0 && udp_queues_empty(sk))
		s->out = s->in;
	OPAQUE(f);
	if (f)
		complete(f, s, now);
	return 0;
}

/* At a return that a function tells of: the socket's address is all that is known. */
INLINE int read_returned(u64 sk, int ret, int flags)
{
	return returned(plain(sk), ret, flags);
}

int on_sock_recv_length(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	return c ? returned(typed(ctx->args[0], c), ctx->args[1], ctx->args[2]) : 0;
}

#ifdef HAVE_INET_RECVMSG
INLINE int at_inet_recvmsg(u64 sock, u64 flags, u64 ret) { return read_returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_INET6_RECVMSG
INLINE int at_inet6_recvmsg(u64 sock, u64 flags, u64 ret) { return read_returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_SOCK_COMMON_RECVMSG
INLINE int at_sock_common_recvmsg(u64 sock, u64 flags, u64 ret) { return read_returned(read_u64(sock, OFF_SOCKET_SK), ret, flags); }
#endif
#ifdef HAVE_TCP_CLEANUP_RBUF
INLINE int at_tcp_cleanup_rbuf(u64 sk, u64 copied) { return (s32)copied > 0 ? read_returned(sk, copied, 0) : 0; }
#endif
#ifdef HAVE_SKB_FREE_DATAGRAM
INLINE int at_skb_free_datagram(u64 sk) { return read_returned(sk, 0, 0); }
#endif
