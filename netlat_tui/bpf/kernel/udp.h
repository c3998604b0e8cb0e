/* Which datagram a read was of, where the functions that queue and consume one are not hooked: a socket's n-th read is of
 * the n-th datagram it was given. */

/* A datagram's place in its socket's FIFO: in a row, so that a socket is in its own way only when as many wait as there
 * are places. Neighbouring sockets must not begin at the same place: the address is mixed. */
INLINE struct fifo_entry *fifo_at(u64 sk, u32 n)
{
	u32 at = (mix(0, sk >> 6) + n) & 65535;
	return fifos.lookup(&at);
}

INLINE void reach_socket(struct flight *f, u64 sk, const struct sock_state *s, u64 now)
{
	f->sk = sk;
	f->wakes = s->wakes;
	/* A reader that was quicker, its skb in use again: it may have ended. */
	if (exchange(&f->state, FLIGHT_LINKED, FLIGHT_SOCKET))
		reached(f, POINT_SOCKET, now);
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
INLINE int udp_overtaken(struct flight *f, u64 sk, struct sock_state *s)
{
	if ((s32)(s->out - s->in) != 1 || s->ahead_ns < f->last_ns)
		return 0;
	/* Its read was seen already, and the time kept. */
	s->in++;
	f->sk = sk;
	point(f, POINT_RETURN, s->ahead_ns);
	finish(f, OUTCOME_COMPLETE, COUNT_COMPLETE);
	return 1;
}

/* Of a socket that was not known yet: datagrams that were queued before those we see come are read first. */
INLINE void fifo_begin(u64 sk, struct sock_state *s, u32 queued, u32 n)
{
	if (!s->fresh)
		return;
	s->fresh = 0;
	queued += read_u32(sk, OFF_UDP_READER_QUEUE + OFF_QUEUE_LEN);
	s->in = queued > n ? queued - n : 0;   /* a reader may have been quicker: out is its */
}

/* Another socket is where one was that closed: what that one did not read nobody will. */
INLINE void fifo_of(struct object sk, struct sock_state *s)
{
	u32 inode = socket_inode(sk);

	if (!inode || s->inode == inode)
		return;
	if (s->inode) {
		s->out = s->in;
		s->credit = 0;
	}
	s->inode = inode;
}

/* UDP. sk_data_ready comes once per datagram, after the queue's lock was dropped: by then the queue may hold several
 * new ones (6.18 queues in batches), or none because a reader was quicker. queued: how many it holds. */
INLINE void udp_ready(struct object sk, struct sock_state *s, u64 tail, u32 queued, struct cpu_state *c, u64 now)
{
	u64 head = sk.at + OFF_SK_RECEIVE_QUEUE;
	u64 skb = tail, oldest = 0;
	u32 n = 0;

	if (s->credit) {
		s->credit--;
		return;
	}
	for (u32 i = 0; i < UDP_BATCH; i++) {
		OPAQUE(i);
		if (i >= UDP_BATCH || skb == head || !skb)
			break;
		struct flight *f = flight_of(plain(skb));
		if (!f || f->state != FLIGHT_LINKED)
			break;
		gather(f, plain(skb));
		oldest = skb;
		n++;
		if (queued <= n)
			break;
		skb = read_u64(skb, OFF_SKB_PREV);
	}
	fifo_begin(sk.at, s, queued, n ? n : 1);
	if (!n) {
		struct flight *f = tail == head && c->link_skb ? flight_by_key(c->link_skb) : 0;
		OPAQUE(f);
		if (!f || f->state != FLIGHT_LINKED || f->rec.proto != 17 ||
		    f->rec.dport != GET(sk, u16, OFF_SK_NUM)) {
			fifo_put(sk.at, s, FIFO_UNKNOWN, 0);
			return;
		}
		if (udp_overtaken(f, sk.at, s))
			return;
		oldest = f->key;
		n = 1;
	}
	s->credit = n - 1;
	for (u32 i = 0; i < UDP_BATCH; i++) {
		OPAQUE(i);
		if (i >= UDP_BATCH || i >= n)
			break;
		struct flight *f = flight_by_key(oldest);
		if (f && f->state == FLIGHT_LINKED) {
			reach_socket(f, sk.at, s, now);
			fifo_put(sk.at, s, oldest, f);
		} else {
			fifo_put(sk.at, s, FIFO_UNKNOWN, 0);
		}
		if (i + 1 < n)
			oldest = read_u64(oldest, OFF_SKB_NEXT);
	}
}

#define HOLD_TRIES 64

/* The kernel calls sk_data_ready after it dropped the queue's lock: two CPUs may be here for one socket. What the other
 * does takes a microsecond; whoever waits longer goes on without, and the count may be off by one until it is empty. */
INLINE void udp_ready_alone(struct object sk, struct sock_state *s, struct cpu_state *c, u64 now)
{
	u32 got = 0;
#ifdef HAVE_CMPXCHG
	for (u32 i = 0; i < HOLD_TRIES; i++) {
		OPAQUE(i);
		if (i >= HOLD_TRIES)
			break;
		if (!__sync_val_compare_and_swap(&s->held, 0, 1)) {
			got = 1;
			break;
		}
	}
#endif
	fifo_of(sk, s);
	/* What it looks like now that it is our turn. */
	struct object tail = FOLLOW_NOW(sk, OFF_SK_RECEIVE_QUEUE + OFF_LIST_PREV, c);
	u32 queued = GET_NOW(sk, u32, OFF_SK_RECEIVE_QUEUE + OFF_QUEUE_LEN);
	udp_ready(sk, s, tail.at, queued, c, now);
#ifdef HAVE_CMPXCHG
	if (got)
		__sync_val_compare_and_swap(&s->held, 1, 0);
#endif
}

/* The packet a UDP read was of, 0 if that is not known. */
INLINE struct flight *udp_next(u64 sk, struct sock_state *s, u64 now)
{
	for (u32 i = 0; i < UDP_SKIP; i++) {
		OPAQUE(i);
		if (i >= UDP_SKIP)
			break;
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
			return f;
		f = flight_by_key(e->key | DETACHED);
		if (f && f->state == FLIGHT_READ && f->sk == sk && f->fifo == n)
			return f;
		break;
	}
	count(COUNT_UNMATCHED, 1);
	return 0;
}

INLINE int udp_queues_empty(struct object sk)
{
	u64 head = sk.at + OFF_SK_RECEIVE_QUEUE, reader = sk.at + OFF_UDP_READER_QUEUE;
	return GET_NOW(sk, u64, OFF_SK_RECEIVE_QUEUE) == head && read_u64(reader, 0) == reader;
}
