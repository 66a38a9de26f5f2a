// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session.h"

const char session_json[] =
	"{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, "
	"\"max_dma_maps\": 65535, \"max_data_xfer_size\": 1048576, "
	"\"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096}, "
	"\"write_multiple\": true}}";

static void *serve(void *arg)
{
	struct session *session = arg;

	session->end = vfu_run(session->vfu);
	return NULL;
}

int session_start(struct session *session, struct pci_dev *dev,
		  struct mem *mem)
{
	int pair[2];

	memset(session, 0, sizeof(*session));
	session->vfu = vfu_new(dev, mem);
	if (!session->vfu)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		goto err_free;
	client_init(&session->client, pair[0]);
	vfu_attach(session->vfu, pair[1]);
	if (!pthread_create(&session->thread, NULL, serve, session))
		return 0;
	client_close(&session->client);
err_free:
	vfu_free(session->vfu);
	return -1;
}

int session_open(struct session *session, struct pci_dev *dev,
		 struct mem *mem)
{
	if (session_start(session, dev, mem))
		return -1;
	if (!client_version(&session->client, session_json))
		return 0;
	session_end(session);
	return -1;
}

int session_end(struct session *session)
{
	client_close(&session->client);
	pthread_join(session->thread, NULL);
	vfu_free(session->vfu);
	return session->end;
}
