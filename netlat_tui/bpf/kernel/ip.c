/* Places in the driver, the IP layer and at the door of the transport layer that only function hooks see. */

INLINE int passes_by(u64 address, u32 index)
{
	u64 now = bpf_ktime_get_ns();
	struct object skb = plain(address);
	struct cpu_state *c = index == POINT_IP ? 0 : this_cpu();
	if (c)
		take_up(skb, c);
	struct flight *f = rx_of(skb);
	if (f && f->state == FLIGHT_LINKED && !(f->rec.mask >> index & 1))
		reached(f, index, now);
	return 0;
}

#ifdef HAVE_ETH_TYPE_TRANS
/* The driver's first sight of a frame. lo and veth call it for what they send, too: that has a protocol already, and a
 * MAC header. Of what is received a driver may have set one of the two: virtio_net does. */
INLINE int at_eth_type_trans(u64 skb)
{
	if (read_u16(skb, OFF_SKB_PROTOCOL) && read_u16(skb, OFF_SKB_MAC_HEADER) != 0xFFFF)
		return 0;
	struct cpu_state *c = this_cpu();
	if (!c)
		return 0;
	u64 now = bpf_ktime_get_ns();
	struct flight *f = flight_birth(skb, read_u64(skb, OFF_SKB_HEAD), now, c, DIRECTION_RX);
	if (f)
		f->driver_ns = f->last_ns = now;
	return 0;
}
#endif

#ifdef HAVE_IP_RCV_CORE
INLINE int at_ip_rcv_core(u64 skb) { return passes_by(skb, POINT_IP); }
#endif
#ifdef HAVE_IP6_RCV_CORE
INLINE int at_ip6_rcv_core(u64 skb) { return passes_by(skb, POINT_IP); }
#endif
#ifdef HAVE_IP_LOCAL_DELIVER
INLINE int at_ip_local_deliver(u64 skb) { return passes_by(skb, POINT_LOCAL); }
#endif
#ifdef HAVE_IP6_INPUT
INLINE int at_ip6_input(u64 skb) { return passes_by(skb, POINT_LOCAL); }
#endif
#ifdef HAVE_TCP_V4_RCV
INLINE int at_tcp_v4_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
#ifdef HAVE_TCP_V6_RCV
INLINE int at_tcp_v6_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
#ifdef HAVE_UDP_RCV
INLINE int at_udp_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
#ifdef HAVE_UDPV6_RCV
INLINE int at_udpv6_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
#ifdef HAVE_ICMP_RCV
INLINE int at_icmp_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
#ifdef HAVE_ICMPV6_RCV
INLINE int at_icmpv6_rcv(u64 skb) { return passes_by(skb, POINT_TRANSPORT); }
#endif
