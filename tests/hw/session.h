/* SPDX-License-Identifier: GPL-2.0-only */
/* A server in a thread of its own and a client of it, over a socketpair. */
#ifndef TESTS_HW_SESSION_H
#define TESTS_HW_SESSION_H

#include <pthread.h>

#include "client.h"
#include "vfio-user/server.h"

struct session {
	struct client client;
	struct vfu *vfu;
	pthread_t thread;
	int end;
};

/* 0, or -1 without what it needs. Not negotiated yet. */
int session_start(struct session *session, struct pci_dev *dev,
		  struct mem *mem);

/* The same with what QEMU proposes agreed on. */
int session_open(struct session *session, struct pci_dev *dev,
		 struct mem *mem);

/* Closes the client, waits for the server. What vfu_run() returned. */
int session_end(struct session *session);

/* The capabilities of QEMU 11.1, word by word. */
extern const char session_json[];

#endif
