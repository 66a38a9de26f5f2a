// SPDX-License-Identifier: GPL-2.0-only
/*
 * Negotiation. Of the client's JSON only two values matter here, both of them
 * bare words after a name that occurs nowhere else, so nothing is parsed: a name
 * that is not there, or a value that is of another kind, means the default.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio-user/internal.h"

/* Where the value of "@name" begins, or NULL. */
static const char *json_value(const char *json, const char *name)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	at = strstr(json, quoted);
	if (!at)
		return NULL;
	at += strlen(quoted);
	at += strspn(at, " \t\r\n");
	if (*at++ != ':')
		return NULL;
	return at + strspn(at, " \t\r\n");
}

static uint32_t json_number(const char *json, const char *name,
			    uint32_t otherwise)
{
	const char *at = json_value(json, name);
	unsigned long long n;

	if (!at || !isdigit((unsigned char)*at))
		return otherwise;
	n = strtoull(at, NULL, 10);
	return (uint32_t)hw_min(n, (unsigned long long)UINT32_MAX);
}

static bool json_true(const char *json, const char *name)
{
	const char *at = json_value(json, name);

	return at && !strncmp(at, "true", 4);
}

int vfu_version(struct vfu *vfu, struct vfu_message *msg,
		struct vfu_answer *answer)
{
	const struct vfu_version *wanted = msg->data;
	size_t len = msg->len - sizeof(*wanted);
	const char *json = len ? wanted->json : "";
	struct vfu_version *reply;
	uint32_t xfer;
	char text[192];

	if (vfu->negotiated || wanted->major != VFU_MAJOR ||
	    (len && json[len - 1]))
		return -EINVAL;
	xfer = json_number(json, "max_data_xfer_size", VFU_DEFAULT_XFER_SIZE);
	if (!xfer)
		return -EINVAL;
	vfu->dma_chunk = hw_min(xfer, VFU_DMA_CHUNK);
	/* What the client does not propose is not offered. */
	vfu->write_multi = json_true(json, "write_multiple");

	len = (size_t)snprintf(text, sizeof(text),
			       "{\"capabilities\":{\"max_msg_fds\":%u,"
			       "\"max_data_xfer_size\":%u,\"max_dma_maps\":%u,"
			       "\"pgsizes\":%lu%s}}",
			       VFU_MAX_FDS, VFU_DEFAULT_XFER_SIZE,
			       VFU_DEFAULT_DMA_MAPS, HW_PAGE_SIZE,
			       vfu->write_multi ?
			       ",\"write_multiple\":true" : "") + 1;
	reply = vfu_answer_alloc(answer, sizeof(*reply) + len);
	if (!reply)
		return -ENOMEM;
	reply->major = VFU_MAJOR;
	reply->minor = hw_min(wanted->minor, (uint16_t)VFU_MINOR);
	memcpy(reply->json, text, len);
	vfu->negotiated = true;
	return 0;
}
