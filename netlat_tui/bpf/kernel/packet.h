/* What a packet's headers say, read at the link layer: there skb->data is the network header. */

#define ETH_IP 0x0800
#define ETH_IP6 0x86DD
#define ETH_VLAN 0x8100
#define TCP_FIN 1
#define TCP_SYN 2

/* Of the skb's shared info; 0 or 1: it is one packet. */
INLINE u16 gso_segs(u64 end)
{
	return read_u16(end, OFF_SHINFO_GSO_SEGS);
}

INLINE u64 skb_end(struct object skb, u64 head)
{
	return head + GET(skb, u32, OFF_SKB_END);
}

INLINE void read_device(struct object skb, struct cpu_state *c, u32 *ifindex, u32 *netns)
{
	struct object dev = FOLLOW(skb, OFF_SKB_DEV, c);
	struct object net = FOLLOW(dev, OFF_DEV_NET, c);

	*ifindex = GET(dev, u32, OFF_DEV_IFINDEX);
	*netns = GET(net, u32, OFF_NET_INUM);
}

#define AF_INET 2
#define AF_INET6 10

INLINE int is_inet(struct object sk)
{
	u16 family = GET(sk, u16, OFF_SK_FAMILY);
	return family == AF_INET || family == AF_INET6;
}

INLINE u32 flow_hash(const struct path *p, u32 which)
{
	const u32 *a = (const u32 *)p->saddr, *b = (const u32 *)p->daddr;
	u32 hash = mix(p->netns, which);
#pragma unroll
	for (int i = 0; i < 4; i++)
		hash = mix(mix(hash, a[i]), b[i]);
	return hash;
}

/* A driver may leave the headers in the packet's first page, with nothing but the link layer's in skb->head: virtio_net
 * does so with what is larger than 128 bytes. GRO pulls in what it looks at, which for UDP is not the ports, and for a
 * fragment nothing. */
struct where {
	u64 data;        /* of the network header */
	u32 linear;      /* bytes there */
	u32 paged;       /* bytes of the first page that follow */
	u64 page;
};

/* Address of so many bytes at an offset from the network header; 0 where they cannot be read. */
INLINE u64 bytes_at(const struct where *w, u32 offset, u32 length)
{
	if (offset + length <= w->linear)
		return w->data + offset;
	if (offset < w->linear || offset + length > w->linear + w->paged)
		return 0;
	return w->page + (offset - w->linear);
}

/* Where the kernel maps a page (page_to_virt, x86-64); user space has looked up both variables. */
INLINE u64 page_address(u64 page)
{
	u32 zero = 0;
	struct config *k = config.lookup(&zero);
	if (!k || !k->vmemmap_base || page & 1)   /* 1: not a page but a device's own memory */
		return 0;
	u64 first = read_u64(k->vmemmap_base, 0), base = read_u64(k->page_offset_base, 0);
	return first && base && page >= first ? base + (page - first) / SIZEOF_PAGE * 4096 : 0;
}

INLINE void locate(struct where *w, const struct look *l)
{
	w->data = l->data;
	w->linear = l->len - l->data_len;
	w->paged = 0;
	w->page = 0;
	if (!l->data_len)
		return;
	u64 frag = l->end + OFF_SHINFO_FRAGS;
	u64 mapped = page_address(read_u64(frag, OFF_FRAG_PAGE));
	if (!mapped)
		return;
	w->page = mapped + read_u32(frag, OFF_FRAG_OFFSET);
	w->paged = read_u32(frag, OFF_FRAG_LEN);
}

#define IP4_HEADER 20
#define IP6_HEADER 40
#define TCP_HEADER 14    /* as much of it as is looked at */
#define UDP_HEADER 8
#define HEADERS (IP6_HEADER + TCP_HEADER)

/* The headers of nearly all packets, in one go; what is not there is read by itself. Behind the packet follows at least
 * skb_shared_info: it can be read, whatever it says. */
struct headers {
	u8 h[HEADERS + 2];
	u32 base;        /* offset from the network header */
	u32 have;        /* bytes */
};

INLINE void read_headers(struct headers *x, const struct where *w)
{
	x->have = 0;
	if (w->linear < x->base + IP4_HEADER || (w->linear < x->base + HEADERS && w->paged))
		return;
	if (!bpf_probe_read_kernel(x->h, HEADERS, (void *)(w->data + x->base)))
		x->have = w->linear - x->base;
}

struct transport {
	u32 at;          /* offset of the transport header from the network header */
	u32 length;      /* bytes from it to the end of the packet */
	u32 first;       /* not a later fragment */
	u32 number;      /* of the datagram this is a fragment of; where in it, in bytes */
	u32 offset;
};

INLINE void read_ports(struct flight *f, const struct headers *x, const struct where *w, const struct transport *t)
{
	struct path *p = &f->rec;
	u8 h[TCP_HEADER] = {};

	if (!t->first || (p->proto != 6 && p->proto != 17))
		return;
	/* A datagram may be shorter than TCP's header. */
	u32 wanted = p->proto == 6 ? TCP_HEADER : UDP_HEADER;
	if (t->at == x->base + IP4_HEADER && x->have >= IP4_HEADER + wanted) {
		__builtin_memcpy(h, x->h + IP4_HEADER, TCP_HEADER);
	} else if (t->at == x->base + IP6_HEADER && x->have >= IP6_HEADER + wanted) {
		__builtin_memcpy(h, x->h + IP6_HEADER, TCP_HEADER);
	} else {
		u64 from = bytes_at(w, t->at, wanted);
		if (!from || bpf_probe_read_kernel(h, p->proto == 6 ? TCP_HEADER : UDP_HEADER, (void *)from))
			return;
	}
	p->sport = h[0] << 8 | h[1];
	p->dport = h[2] << 8 | h[3];
	if (p->proto != 6) {
		f->payload = t->length > UDP_HEADER ? t->length - UDP_HEADER : 0;
		return;
	}
	u32 header = (h[12] >> 4) * 4;
	u32 flags = h[13];
	f->payload = t->length > header ? t->length - header : 0;
	f->seq = (u32)h[4] << 24 | (u32)h[5] << 16 | (u32)h[6] << 8 | h[7];
	p->seq = f->seq;
	f->end_seq = f->seq + f->payload + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
}

INLINE int read_ip4(struct flight *f, struct headers *x, const struct where *w, u32 len, struct transport *t)
{
	struct path *p = &f->rec;
	u64 from = bytes_at(w, x->base, IP4_HEADER);

	if (!x->have && (!from || bpf_probe_read_kernel(x->h, IP4_HEADER, (void *)from)))
		return 0;
	const u8 *h = x->h;
	u32 header = (h[0] & 15) * 4;
	u32 total = (u32)h[2] << 8 | h[3];
	u32 fragment = ((u32)h[6] << 8 | h[7]) & 0x3FFF;

	p->family = 4;
	p->proto = h[9];
	__builtin_memcpy(p->saddr, h + 12, 4);
	__builtin_memcpy(p->daddr, h + 16, 4);
	/* Short Ethernet frames are padded; a total of 0 is a packet over 64 KiB. */
	p->length = total && total < len ? total : len;
	if (fragment)
		p->flags |= PATH_FRAGMENT;
	t->offset = (fragment & 0x1FFF) * 8;
	t->first = !t->offset;
	t->number = (u32)h[4] << 8 | h[5];
	t->at = x->base + header;
	t->length = p->length > header ? p->length - header : 0;
	return 1;
}

INLINE int read_ip6(struct flight *f, struct headers *x, const struct where *w, u32 len, struct transport *t)
{
	struct path *p = &f->rec;
	u64 from = bytes_at(w, x->base, IP6_HEADER);

	if (!from || (x->have < IP6_HEADER && bpf_probe_read_kernel(x->h, IP6_HEADER, (void *)from)))
		return 0;
	const u8 *h = x->h;
	u32 total = ((u32)h[4] << 8 | h[5]) + IP6_HEADER;
	u32 header = IP6_HEADER;
	u8 next = h[6], e[8];

	p->family = 6;
	__builtin_memcpy(p->saddr, h + 8, 16);
	__builtin_memcpy(p->daddr, h + 24, 16);
	p->length = total > IP6_HEADER && total < len ? total : len;
	t->first = 1;
	for (u32 i = 0; i < 4; i++) {
		OPAQUE(i);
		if (i >= 4 || (next != 0 && next != 43 && next != 44 && next != 60))
			break;
		from = bytes_at(w, x->base + header, sizeof(e));
		if (!from || bpf_probe_read_kernel(e, sizeof(e), (void *)from))
			break;
		if (next == 44) {
			p->flags |= PATH_FRAGMENT;
			t->offset = ((u32)e[2] << 8 | e[3]) & 0xFFF8;
			t->first = !t->offset;
			t->number = (u32)e[4] << 24 | (u32)e[5] << 16 | (u32)e[6] << 8 | e[7];
			header += 8;
		} else {
			header += ((u32)e[1] + 1) * 8;
		}
		next = e[0];
	}
	p->proto = next;
	t->at = x->base + header;
	t->length = p->length > header ? p->length - header : 0;
	return 1;
}

/* Note what parse asks of the skb. Received: data is the network header. Sent: the stack says where it is. */
INLINE void look_at(struct flight *f, struct object skb, struct cpu_state *c)
{
	struct look *l = &f->look;
	u64 data = GET(skb, u64, OFF_SKB_DATA);
	u32 len = GET(skb, u32, OFF_SKB_LEN);

	if (!is_rx(f)) {
		u64 network = f->head + GET(skb, u16, OFF_SKB_NETWORK_HEADER);
		len -= (u32)(network - data);
		data = network;
	}
	l->data = data;
	l->len = len;
	l->data_len = GET(skb, u32, OFF_SKB_DATA_LEN);
	l->end = skb_end(skb, f->head);
	l->type = swap16(GET(skb, u16, OFF_SKB_PROTOCOL));
	f->rec.mark = GET(skb, u32, OFF_SKB_MARK);
	if (!is_rx(f) && !(f->rec.mask >> POINT_TX_DEVICE & 1)) {
		/* Before the device queue skb->dev is not to be trusted, the route is. */
		l->dev = read_u64(GET(skb, u64, OFF_SKB_DST) & ~1ull, OFF_DST_DEV);
		f->rec.ifindex = read_u32(l->dev, OFF_DEV_IFINDEX);
		f->rec.netns = read_u32(read_u64(l->dev, OFF_DEV_NET), OFF_NET_INUM);
	} else {
		struct object dev = FOLLOW(skb, OFF_SKB_DEV, c);
		l->dev = dev.at;
		read_device(skb, c, &f->rec.ifindex, &f->rec.netns);
	}
	f->device = f->rec.ifindex;
}

/* What the headers say. */
INLINE void parse(struct flight *f)
{
	u32 len = f->look.len, type = f->look.type;
	struct transport t = {};
	struct headers x = {};
	struct where w;
	int is_ip = 0;

	locate(&w, &f->look);
	if (type == ETH_VLAN) {
		type = swap16(read_u16(bytes_at(&w, 0, 4), 2));
		x.base = 4;
		len -= 4;
	}
	f->rec.length = len;
	f->payload = 0;
	read_headers(&x, &w);
	if (type == ETH_IP)
		is_ip = read_ip4(f, &x, &w, len, &t);
	else if (type == ETH_IP6)
		is_ip = read_ip6(f, &x, &w, len, &t);
	if (!is_ip)
		return;
	read_ports(f, &x, &w, &t);
	if (f->rec.flags & PATH_FRAGMENT) {
		f->part = t.first ? PART_FIRST : PART_LATER;
		f->seq = t.offset;
		f->end_seq = t.offset + t.length;
		f->flow = flow_hash(&f->rec, t.number);
	} else if (f->rec.proto == 6) {
		f->flow = flow_hash(&f->rec, f->rec.sport | (u32)f->rec.dport << 16);
	}
}
