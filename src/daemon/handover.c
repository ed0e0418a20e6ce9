#include "daemon/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union room {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(HANDOVER_FDS_MAX * sizeof(int))];
};

int handover_send(int channel, const char *text, const int *fds, uint32_t fd_count)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union room room = {0};

	if (part.iov_len > HANDOVER_TEXT_MAX)
		part.iov_len = HANDOVER_TEXT_MAX;
	if (fd_count > HANDOVER_FDS_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fd_count > 0) {
		message.msg_control = &room;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
	}
	return sendmsg(channel, &message, MSG_NOSIGNAL) >= 0 ? 0 : -1;
}

static void take_descriptors(struct handover_packet *p, struct msghdr *message)
{
	p->fd_count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t bytes = c->cmsg_len - CMSG_LEN(0);
		memcpy(p->fds, CMSG_DATA(c), bytes);	/* there is room for one of these */
		p->fd_count = (uint32_t)(bytes / sizeof(int));
	}
}

int handover_receive(int channel, struct handover_packet *p)
{
	union room room;
	struct iovec part = {.iov_base = p->text, .iov_len = HANDOVER_TEXT_MAX};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &room, .msg_controllen = sizeof room,
	};
	ssize_t len = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);

	p->fd_count = 0;
	if (len <= 0)
		return (int)len;
	take_descriptors(p, &message);
	p->text[len] = '\0';
	if ((message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0)
		return 1;
	while (p->fd_count > 0)
		close(p->fds[--p->fd_count]);
	errno = EBADMSG;
	return -1;
}

const char *handover_after(const struct handover_packet *p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(p->text, word, len) != 0)
		return NULL;
	if (p->text[len] == '\0')
		return p->text + len;
	return p->text[len] == ' ' ? p->text + len + 1 : NULL;
}
