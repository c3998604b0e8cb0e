/* The application's send calls, and the way from the transport layer into IP. */

INLINE int in_process(const struct cpu_state *c)
{
	return !c->irq.in_net_rx && !c->irq.in_irq && !c->irq.in_timer && !c->irq.in_ipi;
}

#define TCP_TIME_WAIT 6
#define TCP_NEW_SYN_RECV 12

/* Not the stand-ins of connections that begin or have ended: these are smaller than a socket. */
INLINE int is_full(struct object sk)
{
	u8 state = GET(sk, u8, OFF_SK_STATE);
	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/* A send call of a TCP socket is about to write so many bytes, the first with this number. */
INLINE void remember_send(u64 sk, u32 length)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 zero = 0;
	struct sender *s = senders.lookup(&sk);

	if (!s) {
		struct sender *fresh = no_sender.lookup(&zero);
		if (!fresh)
			return;
		senders.update(&sk, fresh);
		s = senders.lookup(&sk);
		if (!s)
			return;
	}
	struct send *e = &s->sends[WITHIN(s->n, SENDS)];
	e->seq = read_u32(sk, OFF_TCP_WRITE_SEQ);
	e->length = length;
	e->ns = bpf_ktime_get_ns();
	s->n++;
	s->tid = id;
	if (s->pid != id >> 32) {
		s->pid = id >> 32;
		s->inode = socket_inode(plain(sk));
		bpf_get_current_comm(s->comm, sizeof(s->comm));
	}
}

/* When the byte with this number was written; 0 where that was too many calls ago, or not seen. */
INLINE u64 written_ns(const struct sender *s, u32 seq)
{
	for (u32 i = 0; i < SENDS; i++) {
		OPAQUE(i);
		if (i >= SENDS || i >= s->n)
			break;
		const struct send *e = &s->sends[WITHIN(s->n - 1 - i, SENDS)];
		if ((s32)(seq - e->seq) >= 0)
			return seq - e->seq < e->length ? e->ns : 0;
	}
	return 0;
}

INLINE void from_tcp(struct flight *f, struct object skb, u64 sk)
{
	u64 data = GET(skb, u64, OFF_SKB_DATA), th = f->head + GET(skb, u16, OFF_SKB_TRANSPORT_HEADER);
	u32 len = GET(skb, u32, OFF_SKB_LEN);
	u8 h[14];
	struct sender *s = senders.lookup(&sk);

	if (s) {
		f->rec.pid = s->pid;
		f->rec.tid = s->tid;
		f->rec.socket = s->inode;
		__builtin_memcpy(f->rec.comm, s->comm, sizeof(s->comm));
	}
	if (bpf_probe_read_kernel(h, sizeof(h), (void *)th))
		return;
	u32 seq = (u32)h[4] << 24 | (u32)h[5] << 16 | (u32)h[6] << 8 | h[7];
	s32 payload = (s32)(len - (u32)(th - data) - (h[12] >> 4) * 4);
	if (payload <= 0)
		return;
	/* snd_nxt moves on after the first transmission. */
	if ((s32)(seq - read_u32(sk, OFF_TCP_SND_NXT)) < 0)
		f->rec.flags |= PATH_RETRANSMIT;
	u64 when = s ? written_ns(s, seq) : 0;
	if (when)
		point(f, POINT_TX_SEND, when);
}

INLINE struct call *call_of_task(void)
{
	u32 tid = bpf_get_current_pid_tgid(), at = tid & 4095;
	struct call *call = calls.lookup(&at);
	return call && tid && call->tid == tid ? call : 0;
}

INLINE void from_call(struct flight *f, struct object sk, const struct cpu_state *c)
{
	u64 id = bpf_get_current_pid_tgid();
	struct call *call = call_of_task();

	if (!call || (call->sk ? call->sk != sk.at : !in_process(c)))
		return;
	point(f, POINT_TX_SEND, call->ns);
	f->rec.pid = id >> 32;
	f->rec.tid = id;
	f->rec.socket = socket_inode(sk);
	bpf_get_current_comm(f->rec.comm, sizeof(f->rec.comm));
#ifndef HAVE_SOCK_SEND_LENGTH
	if (!call->sk)
		call->tid = 0;   /* nothing tells when the call ends: it is good for one packet */
#endif
}

/* A packet begins its way down. */
INLINE struct flight *send_birth(struct object skb, struct object sk, u64 now, struct cpu_state *c)
{
	struct flight *f = flight_birth(skb.at, skb_head(skb), now, c, DIRECTION_TX);
	if (!f)
		return 0;
	f->last_ns = now;
	f->sk = sk.at;
	if (!is_null(sk) && is_inet(sk) && is_full(sk)) {
		if (GET(sk, u16, OFF_SK_PROTOCOL) == 6)
			from_tcp(f, skb, sk.at);
		else
			from_call(f, sk, c);
	}
	return f;
}

/* The task is in a send call. sk: 0 where that is not known; left: messages it sends. */
INLINE int calls_send(u64 sk, u32 left)
{
	u32 tid = bpf_get_current_pid_tgid(), at = tid & 4095;
	struct call *call = calls.lookup(&at);
	if (call) {
		call->sk = sk;
		call->ns = bpf_ktime_get_ns();
		call->tid = tid;
		call->left = left;
	}
	return 0;
}

INLINE int sends(u64 sock, u64 size)
{
	u64 sk = read_u64(sock, OFF_SOCKET_SK);
	if (!is_inet(plain(sk)))
		return 0;
	if (read_u16(sk, OFF_SK_PROTOCOL) != 6)
		return calls_send(sk, 1);
	remember_send(sk, size);
	return 0;
}

#ifdef HAVE_INET_SENDMSG
INLINE int at_inet_sendmsg(u64 sock, u64 size) { return sends(sock, size); }
#endif
#ifdef HAVE_INET6_SENDMSG
INLINE int at_inet6_sendmsg(u64 sock, u64 size) { return sends(sock, size); }
#endif
#ifdef HAVE_SYS_ENTER_SENDTO
INLINE int at_sys_enter_sendto(void) { return calls_send(0, 1); }
#endif
#ifdef HAVE_SYS_ENTER_SENDMSG
INLINE int at_sys_enter_sendmsg(void) { return calls_send(0, 1); }
#endif
#ifdef HAVE_SYS_ENTER_SENDMMSG
INLINE int at_sys_enter_sendmmsg(u64 messages) { return calls_send(0, messages); }
#endif

/* A send call, or one message of sendmmsg, is done. */
int on_sock_send_length(struct bpf_raw_tracepoint_args *ctx)
{
	struct call *call = call_of_task();
	if (!call || call->sk)
		return 0;
	if ((int)ctx->args[1] >= 0 && call->left > 1) {
		call->left--;
		call->ns = bpf_ktime_get_ns();
	} else {
		call->tid = 0;
	}
	return 0;
}

/* Comes for each skb that a call fills. */
int on_tcp_sendmsg_locked(struct bpf_raw_tracepoint_args *ctx)
{
	struct cpu_state *c = this_cpu();
	if (c)
		remember_send(typed(ctx->args[0], c).at, 1u << 30);
	return 0;
}

#ifdef HAVE___TCP_TRANSMIT_SKB
INLINE int at___tcp_transmit_skb(u64 sk)
{
	struct cpu_state *c = this_cpu();
	if (c) {
		c->tx_sk = sk;
		c->tx_ns = bpf_ktime_get_ns();
	}
	return 0;
}
#endif

/* The transport layer hands a packet to IP. */
INLINE int leaves_transport(u64 address, u64 sk, int afresh)
{
	struct cpu_state *c = this_cpu();
	struct object skb = plain(address);
	u64 now = bpf_ktime_get_ns(), when = now;
	if (!c)
		return 0;
	struct flight *f = afresh ? 0 : tx_of(skb);
	if (f && f->state == FLIGHT_BORN && now - f->last_ns < BORN_NS)
		return 0;
	f = send_birth(skb, plain(sk), now, c);
	OPAQUE(f);
	if (!f)
		return 0;
	if (c->tx_sk == sk && c->tx_ns >= f->rec.t0_ns) {
		when = c->tx_ns;
		c->tx_sk = 0;
	}
	point(f, POINT_TX_TRANSPORT, when);
	return 0;
}

#ifdef HAVE___IP_QUEUE_XMIT
INLINE int at___ip_queue_xmit(u64 sk, u64 skb) { return leaves_transport(skb, sk, 1); }
#endif
#ifdef HAVE_INET6_CSK_XMIT
INLINE int at_inet6_csk_xmit(u64 sk, u64 skb) { return leaves_transport(skb, sk, 1); }
#endif
#ifdef HAVE_UDP_SEND_SKB
INLINE int at_udp_send_skb(u64 skb) { return leaves_transport(skb, read_u64(skb, OFF_SKB_SK), 1); }
#endif
#ifdef HAVE_UDP_V6_SEND_SKB
INLINE int at_udp_v6_send_skb(u64 skb) { return leaves_transport(skb, read_u64(skb, OFF_SKB_SK), 1); }
#endif
/* Of UDP where the two above are inlined; ICMP, raw sockets. */
#ifdef HAVE_IP_SEND_SKB
INLINE int at_ip_send_skb(u64 skb) { return leaves_transport(skb, read_u64(skb, OFF_SKB_SK), 0); }
#endif
#ifdef HAVE_IP6_SEND_SKB
INLINE int at_ip6_send_skb(u64 skb) { return leaves_transport(skb, read_u64(skb, OFF_SKB_SK), 0); }
#endif

/* IP sends it. What is forwarded comes by here as well: that is still the way of the packet received. */
INLINE int leaves_ip(u64 address)
{
	struct cpu_state *c = this_cpu();
	struct object skb = plain(address), sk = plain(read_u64(address, OFF_SKB_SK));
	struct flight *f = flight_of(skb);
	u64 now = bpf_ktime_get_ns();
	if (!c || (f && is_rx(f) && f->state == FLIGHT_LINKED && !sk.at))
		return 0;
	if (!f || is_rx(f) || f->state != FLIGHT_BORN || now - f->last_ns > BORN_NS) {
		if (f && !is_rx(f) && f->state == FLIGHT_LINKED)
			return 0;   /* a tunnel: its outer packet */
		f = send_birth(skb, sk, now, c);
		OPAQUE(f);
		if (!f)
			return 0;
	}
	point(f, POINT_TX_IP_OUT, now);
	return 0;
}

#ifdef HAVE_IP_OUTPUT
INLINE int at_ip_output(u64 skb) { return leaves_ip(skb); }
#endif
#ifdef HAVE_IP6_OUTPUT
INLINE int at_ip6_output(u64 skb) { return leaves_ip(skb); }
#endif
#ifdef HAVE_IP_MC_OUTPUT
INLINE int at_ip_mc_output(u64 skb) { return leaves_ip(skb); }
#endif
