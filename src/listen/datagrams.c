#include "listen/datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/must.h"

/* Room for either kind of IP_PKTINFO, aligned as the length that begins one. */
union control {
	char ip4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char ip6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	size_t align;
};

struct datagrams {
	struct mmsghdr messages[DATAGRAMS_MAX];
	struct iovec   parts[DATAGRAMS_MAX];
	union {
		struct sockaddr     any;
		struct sockaddr_in  in4;
		struct sockaddr_in6 in6;
	} peers[DATAGRAMS_MAX];
	union control  controls[DATAGRAMS_MAX];

	/* Of all, when they are sent to one peer. */
	struct sockaddr_in6 to;
	union control       from;
	char *bytes;			/* owned; DATAGRAM_ROOM for each */
};

struct datagrams *datagrams_create(void)
{
	struct datagrams *d = memory_new(1, sizeof *d);

	d->bytes = memory_new(DATAGRAMS_MAX, DATAGRAM_ROOM);
	for (uint32_t i = 0; i < DATAGRAMS_MAX; i++) {
		d->parts[i].iov_base = d->bytes + i * (size_t)DATAGRAM_ROOM;
		d->messages[i].msg_hdr.msg_iov = &d->parts[i];
		d->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return d;
}

void datagrams_destroy(struct datagrams *d)
{
	if (d == NULL)
		return;
	free(d->bytes);
	free(d);
}

static uint32_t receive(struct datagrams *d, int fd, int *error)
{
	for (uint32_t i = 0; i < DATAGRAMS_MAX; i++)
		d->parts[i].iov_len = DATAGRAM_ROOM;
	int n = recvmmsg(fd, d->messages, DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
	if (n < 0) {
		*error = errno;
		return 0;
	}
	for (int i = 0; i < n; i++)
		d->parts[i].iov_len = d->messages[i].msg_len;
	return (uint32_t)n;
}

uint32_t datagrams_receive(struct datagrams *d, int fd, int *error)
{
	for (uint32_t i = 0; i < DATAGRAMS_MAX; i++) {
		struct msghdr *h = &d->messages[i].msg_hdr;
		h->msg_name = &d->peers[i];
		h->msg_namelen = sizeof d->peers[i];
		h->msg_control = &d->controls[i];
		h->msg_controllen = sizeof d->controls[i];
	}
	return receive(d, fd, error);
}

static void address_to_nobody(struct datagrams *d, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++) {
		struct msghdr *h = &d->messages[i].msg_hdr;
		h->msg_name = h->msg_control = NULL;
		h->msg_namelen = 0;
		h->msg_controllen = 0;
	}
}

uint32_t datagrams_receive_connected(struct datagrams *d, int fd, int *error)
{
	address_to_nobody(d, 0, DATAGRAMS_MAX);
	return receive(d, fd, error);
}

uint32_t datagrams_length(const struct datagrams *d, uint32_t i)
{
	return d->messages[i].msg_len;
}

const struct sockaddr *datagrams_peer(const struct datagrams *d, uint32_t i)
{
	return &d->peers[i].any;
}

static void map_ip4(struct in6_addr *to, const struct in_addr *ip)
{
	*to = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(&to->s6_addr[12], ip, 4);
}

/* A socket of IPv6 tells of IPv4 too, mapped (ip6_datagram_recv_common_ctl of Linux). */
bool datagrams_local(const struct datagrams *d, uint32_t i, struct in6_addr *local)
{
	const struct msghdr *h = &d->messages[i].msg_hdr;

	if (h->msg_controllen < sizeof(struct cmsghdr))
		return false;
	const struct cmsghdr *c = CMSG_FIRSTHDR(h);
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		map_ip4(local, &info.ipi_spec_dst);	/* ours, also for a broadcast */
		return true;
	}
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		*local = info.ipi6_addr;
		return true;
	}
	return false;
}

/* Returns the length. */
static size_t write_control(union control *at, sa_family_t family, const struct in6_addr *local)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)at;

	memset(at, 0, sizeof *at);
	if (family == AF_INET) {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, &local->s6_addr[12], 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
		return CMSG_SPACE(sizeof info);
	}
	struct in6_pktinfo info = {.ipi6_addr = *local};
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	return CMSG_SPACE(sizeof info);
}

void datagrams_address(struct datagrams *d, const struct sockaddr *peer, sa_family_t family,
		       const struct in6_addr *local)
{
	socklen_t len = peer->sa_family == AF_INET ? sizeof(struct sockaddr_in)
						   : sizeof(struct sockaddr_in6);
	size_t control_len = local != NULL ? write_control(&d->from, family, local) : 0;

	memcpy(&d->to, peer, len);
	for (uint32_t i = 0; i < DATAGRAMS_MAX; i++) {
		struct msghdr *h = &d->messages[i].msg_hdr;
		h->msg_name = &d->to;
		h->msg_namelen = len;
		h->msg_control = local != NULL ? &d->from : NULL;
		h->msg_controllen = control_len;
	}
}

uint32_t datagrams_send(struct datagrams *d, int fd, uint32_t first, uint32_t count,
			int *error)
{
	must(first + count <= DATAGRAMS_MAX);
	int n = sendmmsg(fd, d->messages + first, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		return (uint32_t)n;
	*error = errno;
	return 0;
}

uint32_t datagrams_send_connected(struct datagrams *d, int fd, uint32_t first, uint32_t count,
				  int *error)
{
	if (count == 1) {
		ssize_t n = send(fd, d->parts[first].iov_base, d->parts[first].iov_len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			return 1;
		*error = errno;
		return 0;
	}
	address_to_nobody(d, first, count);
	return datagrams_send(d, fd, first, count, error);
}
