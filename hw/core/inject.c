// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/inject.h"
#include "core/trace.h"

static int parse_number(const char **text, uint64_t *value)
{
	char *end;

	/* strtoull() would take blanks and a sign. */
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(*text, &end, 0);
	if (end == *text || errno)
		return -EINVAL;
	*text = end;
	return 0;
}

static int parse_rule(struct inject_rule *rule, const char *text)
{
	uint64_t value;

	if (*text == '=') {
		text++;
		if (parse_number(&text, &rule->key))
			return -EINVAL;
		rule->has_key = true;
	}
	if (*text == '@') {
		text++;
		if (parse_number(&text, &value) || value > 1u << 30)
			return -EINVAL;
		rule->nth = value;
	}
	if (!strncmp(text, ",ms=", 4)) {
		text += 4;
		if (parse_number(&text, &value) || value > 600000)
			return -EINVAL;
		rule->ms = value;
	}
	return *text ? -EINVAL : 0;
}

int inject_add(struct inject *inject, const char *spec,
	       const char *const *points)
{
	struct inject_rule rule = { .nth = 1, .ms = 100 };
	size_t len = strcspn(spec, "=@,");
	int ret;

	if (inject->nr == INJECT_RULES)
		return -ENOSPC;
	while (*points && (strlen(*points) != len || strncmp(*points, spec, len)))
		points++;
	if (!*points || len >= sizeof(rule.point))
		return -ENOENT;
	memcpy(rule.point, spec, len);
	ret = parse_rule(&rule, spec + len);
	if (!ret)
		inject->rule[inject->nr++] = rule;
	return ret;
}

const struct inject_rule *inject_hit(struct inject *inject, const char *point,
				     uint64_t key)
{
	const struct inject_rule *hit = NULL;
	unsigned int i;

	/* All rules count, whichever of them takes effect. */
	for (i = 0; i < inject->nr; i++) {
		struct inject_rule *rule = &inject->rule[i];

		if (strcmp(rule->point, point) ||
		    (rule->has_key && rule->key != key))
			continue;
		rule->seen++;
		if (!hit && (!rule->nth || rule->seen == rule->nth))
			hit = rule;
	}
	if (hit)
		trace(TRACE_NOTE, "injected: %s, key %#llx, occurrence %u",
		      point, (unsigned long long)key, hit->seen);
	return hit;
}
