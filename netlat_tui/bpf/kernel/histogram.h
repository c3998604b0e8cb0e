/* Log-linear histograms, the same buckets as the model's: eight per octave from 8 ns on. */

/* 1 where v > limit; without a branch, so that the verifier has one path to follow instead of two to the sixth. */
INLINE u64 above(u64 v, u64 limit)
{
	u64 difference = limit - v;
	asm volatile("" : "+r"(difference));
	return difference >> 63;
}

/* v < 2^63 */
INLINE u32 log2_of(u64 v)
{
	u64 r = 0, s;
	s = above(v, 0xFFFFFFFFull) << 5; v >>= s; r += s;
	s = above(v, 0xFFFF) << 4; v >>= s; r += s;
	s = above(v, 0xFF) << 3; v >>= s; r += s;
	s = above(v, 0xF) << 2; v >>= s; r += s;
	s = above(v, 3) << 1; v >>= s; r += s;
	return r + above(v, 1);
}

INLINE u32 bucket_of(u64 ns)
{
	if (ns < (1 << FIRST_OCTAVE))
		return 0;
	u32 octave = log2_of(ns);
	if (octave > LAST_OCTAVE)
		return N_BUCKETS - 1;
	return 1 + (octave - FIRST_OCTAVE) * SUB_BUCKETS + ((ns >> (octave - FIRST_OCTAVE)) & (SUB_BUCKETS - 1));
}

INLINE void observe(u32 region, u32 distribution, u64 ns)
{
	u32 at = region * N_DISTRIBUTIONS + distribution;
	struct dist *d = dists.lookup(&at);
	if (!d)
		return;
	u32 bucket = bucket_of(ns);
	if (bucket < N_BUCKETS)
		ADD(d->bucket[bucket], 1);
	ADD(d->sum_ns, ns);
	/* A race may lose an extreme, never a count: user space corrects it by the outermost bucket. */
	if (ns > d->max_ns)
		d->max_ns = ns;
	if (~ns > d->min_inv)
		d->min_inv = ~ns;
}
