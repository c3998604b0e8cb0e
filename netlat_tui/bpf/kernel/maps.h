/* The maps, all bounded and made at load time. Arrays are mapped into user space and read without a system call. */

/* Histogram of one interval in one region; a region is a CPU (its number) or an interrupt (N_CPUS + slot). */
struct dist {
	u64 sum_ns;
	u64 max_ns;
	u64 min_inv;            /* ~minimum, so that zeroed memory means "none"; user space clears both each tick */
	u32 bucket[N_BUCKETS];
	u32 pad;
};

struct counters {
	u64 v[32];
};

/* How much is sent to user space; written by it at any time. */
struct config {
	u64 slow_ns[2];         /* paths this slow are sent, by direction */
	u64 filter;             /* first instruction << 32 | how many: one store changes both */
	u32 sample_every;       /* one path in so many is sent; 1: all, 0: none */
	u32 records_per_second; /* per CPU */
	u32 thin;               /* packets are counted in one time slice of 2^thin */
	u32 epoch;              /* grows when hooks are attached again: what sockets were known to hold is forgotten */
	u64 vmemmap_base;       /* addresses of the kernel's variables; 0: not known */
	u64 page_offset_base;
};

enum part {
	PART_NONE = 0,
	PART_FIRST,             /* has the transport header: the datagram's path is its path */
	PART_LATER,
};

#define UNSETTLED 255

/* What was read of an skb for its headers to be found. */
struct look {
	u64 data;               /* of the network header */
	u64 end;                /* of skb->head: where skb_shared_info begins */
	u64 dev;
	u32 len;                /* from the network header on */
	u32 data_len;           /* of it in pages */
	u32 type;               /* EtherType, host byte order */
	u32 pad;
};

/* By cache lines: a packet is followed on one CPU and read on another. */
struct flight {
	u64 key;                /* the skb */
	u64 head;               /* skb->head: tells a recycled skb from this one */
	u64 sk;
	u64 last_ns;            /* time of the last point */
	u64 settled_ns;         /* time of the last point whose stage was counted, */
	u64 state;              /* FLIGHT_*; of 64 bits, so that it can be exchanged atomically */
	u32 slot;               /* own place in the table */
	u32 settled;            /* and that point's index */
	u32 irq_slot;           /* region of the interrupt, plus 1; 0: none */
	u32 fifo;               /* position in the socket's FIFO */

	u64 copy_ns;
	u64 woken_ns;           /* its reader, for it; 0: nobody waited */
	u64 return_ns;          /* of the call that read it; 0: not seen */
	u16 copy_cpu;
	u16 woken_cpu;
	u32 wakes;              /* the socket's count of wake-ups when the packet was queued */
	u32 payload;            /* bytes above the transport header */
	u32 seq;                /* TCP, host byte order; of a fragment: its offset in bytes */
	u32 end_seq;            /* grows as later segments are folded in */
	u32 flow;               /* hash of addresses, ports (of a fragment: the datagram's number) and namespace */
	u32 part;               /* a fragment of a datagram that is not whole yet: enum part */
	u32 device;             /* index of the one it is on now: rec.ifindex is the first */

	struct path rec;

	u64 driver_ns;
	u64 verdict;            /* stack of the filter program */
	u64 moves_to;           /* the skb it goes on under: see shared_move */
	u32 gso_segs;           /* segments at birth */
	u32 follow;             /* its other half was sent to user space: send this one too */
	struct look look;
	struct attribution came_by;
	u32 fold_to;            /* sequence number up to which segments are being folded in */
	u32 woken_pid;          /* thread that was woken for it, at woken_ns */
};

struct bucket {
	u64 key[WAYS];
};

/* A large skb that was cut up for a driver: its path, its flight's place plus 1. A queueing discipline may hand over several
 * at once, and all are cut up before the first segment is sent. */
#define CUT_UP 8
struct cut_up {
	u64 id;
	u32 slot;
	u32 pad;
};

struct cpu_state {
	struct irq_state irq;
	u64 self;               /* its own address: see typed */
	u64 gro_skb;            /* in napi_gro_receive */
	u64 link_skb;           /* last packet seen at the link layer */
	u64 queuing;            /* skb that is being put on a socket's queue */
	u64 tx_sk, tx_ns;       /* socket whose segment TCP is sending, since when */
	struct cut_up cut[CUT_UP];
	u32 n_cut;
	u32 whole_slot;         /* a first fragment whose skb was used up: place, plus 1; path; and data, which goes on */
	u64 whole_id, whole_head;
	u64 ready_sk;           /* a socket was made ready; who is woken next reads it */
	u64 softirqs, softirq_ns, ksoftirqd, irqs;
	u64 ids;
	u64 sampled;
	u64 second;             /* of the limit on records */
	u32 sent;
	u32 asked_pid;          /* the task whose name was asked last: see this_task */
	u32 threaded_irq;       /* NN of a task named irq/NN-..., 0 for any other */
	u32 is_ksoftirqd;
	u32 is_napi_thread;
	u32 napi_id;            /* of the first NAPI polled in this run, for learning */
	u32 napis;              /* different NAPIs polled in this run */
	u32 ksoftirqd_pid;      /* 0: it has not run NET_RX yet */
	u64 deferred_ns;        /* when ksoftirqd was given the CPU last, */
	char deferred_comm[16]; /* and who had it until then */
	u32 deferred_pid;
	u32 pad;
};

struct irq_stats {
	u32 irq;
	u32 used;
	u64 count, ambiguous, packets;
	u64 last_ns;            /* its last handler entry, whose thread may be running yet */
};

struct napi_irq {
	u32 napi_id;
	u32 irq;
};

struct sock_state {
	u32 in, out;            /* datagrams queued, read */
	u32 credit;             /* queued ahead of their sk_data_ready */
	u32 wakes;
	u32 epoch;              /* config's when it was made */
	u32 fresh;              /* no datagram was put into the FIFO yet */
	u32 inode;              /* of the socket whose FIFO it is: the kernel uses a struct sock again */
	u32 pad;
	u64 held;               /* by a CPU that puts datagrams into the FIFO */
	u64 wake_ns[4];
	u32 wake_pid[4];
	u16 wake_cpu[4];
	u64 ahead_ns;           /* a read that came before its sk_data_ready */
};

/* Send calls of a TCP socket: which one wrote a byte is found by its sequence number. */
#define SENDS 32
struct send {
	u64 ns;
	u32 seq;                /* of the first byte it writes */
	u32 length;             /* the most it may write */
};

struct sender {
	u32 n;
	u32 pid, tid;
	u32 inode;
	char comm[16];
	struct send sends[SENDS];
};

/* The send call a task is in, for what is sent within it. */
struct call {
	u64 sk;                 /* 0: not known (seen at the system call) */
	u64 ns;
	u32 tid;
	u32 left;               /* messages of a sendmmsg still to come, this one included */
};

/* Drops of a kind: who, why, how far the packet had come. */
struct drop_kind {
	u64 key;                /* of all of these; 0: free */
	u64 location;
	u64 count;
	u32 reason;
	u8 direction, point;
	u16 pad;
};

struct fifo_entry {
	u64 sk;
	u64 key;                /* skb; FIFO_UNKNOWN or FIFO_DROPPED */
	u32 n;
	u32 pad;
};
#define FIFO_UNKNOWN 0
#define FIFO_DROPPED 1

struct waking {
	u64 sk;
	u64 switches;           /* how often who was woken had left a CPU by then */
	u64 prev_ns;            /* when such a thread was last given a CPU, */
	char prev_comm[16];     /* and who had it until then */
	u32 prev_pid;
	u32 pid;                /* who was woken and has not run yet; 0: nobody */
};

#define READER_CHAIN 16
struct reader {
	u64 sk;
	u32 n;
	u32 pad;
	u64 key[READER_CHAIN];
};

BPF_F_TABLE("array", u32, struct dist, dists, N_REGIONS * N_DISTRIBUTIONS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct counters, counters, N_CPUS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct config, config, 1, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct instruction, filters, 2 * MAX_INSTRUCTIONS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct bucket, tags, N_FLIGHTS / WAYS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct flight, flights, N_FLIGHTS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct cpu_state, cpus, N_CPUS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct irq_stats, irqs, N_IRQ_SLOTS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, u32, irq_slots, MAX_IRQ, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct drop_kind, drops, N_DROPS, BPF_F_MMAPABLE);
BPF_ARRAY(napi_irqs, struct napi_irq, 1024);
BPF_ARRAY(seqs, u64, 65536);
BPF_ARRAY(fifos, struct fifo_entry, 65536);
BPF_ARRAY(wakings, struct waking, 4096);
BPF_ARRAY(calls, struct call, 4096);
BPF_TABLE("lru_hash", u64, struct sock_state, socks, 16384);
BPF_TABLE("lru_hash", u64, struct sender, senders, 8192);
BPF_ARRAY(no_sender, struct sender, 1);   /* what a new one begins with: too large for the stack */
BPF_TABLE("lru_hash", u32, struct reader, readers, 4096);
BPF_RINGBUF_OUTPUT(ring, RING_PAGES);

INLINE struct cpu_state *this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *c = cpus.lookup(&cpu);
	if (c) {
		c->self = (u64)c;
		asm volatile("" ::: "memory");   /* the compiler must not see that the two are one */
	}
	return c;
}

INLINE void count(u32 counter, u64 n)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct counters *c = counters.lookup(&cpu);
	if (c)
		ADD(c->v[counter & 31], n);
}

INLINE u32 epoch(void)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	return k ? k->epoch : 0;
}

/* What is known of a socket, unless hooks were out since. */
INLINE struct sock_state *sock_known(u64 sk)
{
	struct sock_state *s = socks.lookup(&sk);
	if (s && s->epoch != epoch())
		s = 0;
	OPAQUE(s);   /* see rx_of */
	return s;
}
