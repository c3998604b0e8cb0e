/* What a packet's headers say, read at the link layer: there skb->data is the network header. */

#define ETH_IP 0x0800
#define ETH_IP6 0x86DD
#define ETH_VLAN 0x8100
#define TCP_FIN 1
#define TCP_SYN 2

INLINE u16 skb_gso_segs(u64 skb, u64 head)
{
	u32 end = read_u32(skb, OFF_SKB_END);
	return read_u16(head, end + OFF_SHINFO_GSO_SEGS);
}

INLINE void read_dev(u64 dev, u32 *ifindex, u32 *netns)
{
	if (!dev)
		return;
	*ifindex = read_u32(dev, OFF_DEV_IFINDEX);
	*netns = read_u32(read_u64(dev, OFF_DEV_NET), OFF_NET_INUM);
}

INLINE void read_device(u64 skb, u32 *ifindex, u32 *netns)
{
	read_dev(read_u64(skb, OFF_SKB_DEV), ifindex, netns);
}

#define AF_INET 2
#define AF_INET6 10

INLINE int is_inet(u64 sk)
{
	u16 family = read_u16(sk, OFF_SK_FAMILY);
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

INLINE void locate(struct where *w, u64 skb, u64 head, u64 data, u32 len)
{
	u32 paged = read_u32(skb, OFF_SKB_DATA_LEN);

	w->data = data;
	w->linear = len - paged;
	w->paged = 0;
	w->page = 0;
	if (!paged)
		return;
	u64 frag = head + read_u32(skb, OFF_SKB_END) + OFF_SHINFO_FRAGS;
	u64 mapped = page_address(read_u64(frag, OFF_FRAG_PAGE));
	if (!mapped)
		return;
	w->page = mapped + read_u32(frag, OFF_FRAG_OFFSET);
	w->paged = read_u32(frag, OFF_FRAG_LEN);
}

struct transport {
	u32 at;          /* offset of the transport header from the network header */
	u32 length;      /* bytes from it to the end of the packet */
	u32 first;       /* not a later fragment */
	u32 number;      /* of the datagram this is a fragment of; where in it, in bytes */
	u32 offset;
};

INLINE void read_ports(struct flight *f, const struct where *w, const struct transport *t)
{
	struct path *p = &f->rec;
	u8 h[14] = {};

	f->payload = 0;
	if (!t->first || (p->proto != 6 && p->proto != 17))
		return;
	/* A datagram may be shorter than TCP's header. */
	u64 from = bytes_at(w, t->at, p->proto == 6 ? 14 : 8);
	if (!from || bpf_probe_read_kernel(h, p->proto == 6 ? 14 : 8, (void *)from))
		return;
	p->sport = h[0] << 8 | h[1];
	p->dport = h[2] << 8 | h[3];
	if (p->proto != 6) {
		f->payload = t->length > 8 ? t->length - 8 : 0;
		return;
	}
	u32 header = (h[12] >> 4) * 4;
	u32 flags = h[13];
	f->payload = t->length > header ? t->length - header : 0;
	f->seq = (u32)h[4] << 24 | (u32)h[5] << 16 | (u32)h[6] << 8 | h[7];
	p->seq = f->seq;
	f->end_seq = f->seq + f->payload + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
}

INLINE void read_ip4(struct flight *f, const struct where *w, u32 base, u32 len, struct transport *t)
{
	struct path *p = &f->rec;
	u8 h[20];
	u64 from = bytes_at(w, base, sizeof(h));

	if (!from || bpf_probe_read_kernel(h, sizeof(h), (void *)from))
		return;
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
	t->at = base + header;
	t->length = p->length > header ? p->length - header : 0;
}

INLINE void read_ip6(struct flight *f, const struct where *w, u32 base, u32 len, struct transport *t)
{
	struct path *p = &f->rec;
	u8 h[40], x[8];
	u64 from = bytes_at(w, base, sizeof(h));

	if (!from || bpf_probe_read_kernel(h, sizeof(h), (void *)from))
		return;
	u32 total = ((u32)h[4] << 8 | h[5]) + 40;
	u32 header = 40;
	u8 next = h[6];

	p->family = 6;
	__builtin_memcpy(p->saddr, h + 8, 16);
	__builtin_memcpy(p->daddr, h + 24, 16);
	p->length = total > 40 && total < len ? total : len;
	t->first = 1;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (next != 0 && next != 43 && next != 44 && next != 60)
			break;
		from = bytes_at(w, base + header, sizeof(x));
		if (!from || bpf_probe_read_kernel(x, sizeof(x), (void *)from))
			break;
		if (next == 44) {
			p->flags |= PATH_FRAGMENT;
			t->offset = ((u32)x[2] << 8 | x[3]) & 0xFFF8;
			t->first = !t->offset;
			t->number = (u32)x[4] << 24 | (u32)x[5] << 16 | (u32)x[6] << 8 | x[7];
			header += 8;
		} else {
			header += ((u32)x[1] + 1) * 8;
		}
		next = x[0];
	}
	p->proto = next;
	t->at = base + header;
	t->length = p->length > header ? p->length - header : 0;
}

/* Received: data is the network header. Sent: the stack says where it is; before the device queue skb->dev is not to be
 * trusted, the route is. */
INLINE void parse(struct flight *f, u64 skb)
{
	u64 data = read_u64(skb, OFF_SKB_DATA);
	u32 len = read_u32(skb, OFF_SKB_LEN);
	u64 dev = read_u64(skb, OFF_SKB_DEV);
	if (!is_rx(f)) {
		u64 network = f->head + read_u16(skb, OFF_SKB_NETWORK_HEADER);
		len -= (u32)(network - data);
		data = network;
		if (!(f->rec.mask >> POINT_TX_DEVICE & 1))
			dev = read_u64(read_u64(skb, OFF_SKB_DST) & ~1ull, OFF_DST_DEV);
	}
	u16 type = swap16(read_u16(skb, OFF_SKB_PROTOCOL));
	struct transport t = {};
	struct where w;
	u32 base = 0;

	locate(&w, skb, f->head, data, len);
	if (type == ETH_VLAN) {
		type = swap16(read_u16(bytes_at(&w, 0, 4), 2));
		base = 4;
		len -= 4;
	}
	f->rec.length = len;
	f->rec.mark = read_u32(skb, OFF_SKB_MARK);
	read_dev(dev, &f->rec.ifindex, &f->rec.netns);
	f->device = f->rec.ifindex;
	if (type == ETH_IP)
		read_ip4(f, &w, base, len, &t);
	else if (type == ETH_IP6)
		read_ip6(f, &w, base, len, &t);
	else
		return;
	read_ports(f, &w, &t);
	if (f->rec.flags & PATH_FRAGMENT) {
		f->part = t.first ? PART_FIRST : PART_LATER;
		f->seq = t.offset;
		f->end_seq = t.offset + t.length;
		f->flow = flow_hash(&f->rec, t.number);
	} else {
		f->flow = flow_hash(&f->rec, f->rec.sport | (u32)f->rec.dport << 16);
	}
}
