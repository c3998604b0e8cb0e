/* An object of the kernel's that a hook was given: an skb, a socket, a device. */
struct object {
	u64 at;                 /* its address, a number: may be kept, compared, hashed */
	u64 pointer;            /* the same as the verifier knows it, with its type, where typed */
	int typed;              /* constant wherever it is asked */
};

/* The argument of a raw tracepoint. The verifier does not let one calculate with such a pointer, except for the distance to
 * another: from that and the other's address, which this_cpu has written down, comes the number. */
INLINE struct object typed(u64 pointer, struct cpu_state *c)
{
	struct object o = {.at = pointer, .pointer = pointer, .typed = 1};

	asm("%0 -= %1" : "+r"(o.at) : "r"(c));
	o.at += c->self;
	return o;
}

/* What is known by its address alone. */
INLINE struct object plain(u64 at)
{
	struct object o = {.at = at};
	return o;
}

/* Some pointers must be asked before they are followed. */
INLINE int is_null(struct object o)
{
	return o.typed ? !o.pointer : !o.at;
}

/* A field of it; 0 where it cannot be read. */
#define GET(object, kind, offset)                                                                                      \
	((object).typed ? LOAD(kind, (object).pointer, offset) : (kind)read_##kind((object).at, offset))

#define GET_NOW(object, kind, offset)                                                                                  \
	((object).typed ? LOAD_NOW(kind, (object).pointer, offset) : (kind)read_##kind((object).at, offset))

/* The object a field points to. */
#define FOLLOW(object, offset, c)                                                                                      \
	((object).typed ? typed(LOAD(u64, (object).pointer, offset), c) : plain(read_u64((object).at, offset)))

#define FOLLOW_NOW(object, offset, c)                                                                                  \
	((object).typed ? typed(LOAD_NOW(u64, (object).pointer, offset), c) : plain(read_u64((object).at, offset)))
