/* SPDX-License-Identifier: MIT */
/*
 * Copyright © 2026 dmabuf-pal developers
 *
 * The part of libigt.so.0 of IGT 2.5 that our tests use, for a build without IGT's
 * sources: Debian ships the library and the runner, and no headers. Names, signatures
 * and the ways in which the macros of a test have to call the library are IGT's; in an
 * IGT tree its own igt.h is used and not this file.
 *
 * What the library expects, and a header could get wrong: the jump buffer is no
 * thread-local variable, but igt_ioctl is; __igt_fixture_complete() returns,
 * __igt_fixture_end() does not; __igt_run_subtest() is false while tests are listed.
 */
#ifndef PAL_ABI_IGT_H
#define PAL_ABI_IGT_H

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <xf86drm.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN(v, a)		(((v) + (typeof(v))(a) - 1) & ~((typeof(v))(a) - 1))
#define ALIGN_DOWN(v, a)	((v) & ~((typeof(v))(a) - 1))

/* Of the chipsets of drm_open_driver() */
#define DRIVER_VGEM		(1 << 2)
#define DRIVER_AMDGPU		(1 << 3)
#define DRIVER_XE		(1 << 7)

enum igt_log_level {
	IGT_LOG_DEBUG,
	IGT_LOG_INFO,
	IGT_LOG_WARN,
};

#define PAL_NORETURN		__attribute__((noreturn))
#define PAL_PRINTF(f, a)	__attribute__((format(printf, f, a)))

extern jmp_buf igt_subtest_jmpbuf;
extern __thread int (*igt_ioctl)(int fd, unsigned long request, void *arg);

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_options,
				const struct option *long_options, const char *help,
				int (*handler)(int opt, int index, void *data),
				void *data);
PAL_NORETURN void igt_exit(void);
void igt_success(void);

bool __igt_fixture(void);
void __igt_fixture_complete(void);
bool __igt_run_subtest(const char *name, const char *file, const int line);
void __igt_subtest_group_save(int *skip, int *description);
void __igt_subtest_group_restore(int skip, int description);
PAL_PRINTF(1, 2) void igt_describe_f(const char *format, ...);

PAL_PRINTF(3, 4) void igt_log(const char *domain, enum igt_log_level level,
			      const char *format, ...);
PAL_NORETURN PAL_PRINTF(5, 6)
void __igt_skip_check(const char *file, const int line, const char *function,
		      const char *check, const char *format, ...);
PAL_NORETURN PAL_PRINTF(6, 7)
void __igt_fail_assert(const char *domain, const char *file, const int line,
		       const char *function, const char *assertion,
		       const char *format, ...);
void igt_emit_ignore_dmesg_regex(const char *regex);
void igt_install_exit_handler(void (*handler)(int sig));

int drm_open_driver(int chipset);
int drm_reopen_driver(int fd);
int drm_close_driver(int fd);
bool is_xe_device(int fd);
void gem_close(int fd, uint32_t handle);
uint32_t prime_fd_to_handle(int fd, int dma_buf_fd);

#ifndef DRM_RDWR
#define DRM_RDWR		O_RDWR
#endif

/* The shape of a test */

#define IGT_TEST_DESCRIPTION(text) const char *__igt_test_description = text

#define PAL_JOIN_(a, b)		a ## b
#define PAL_JOIN(a, b)		PAL_JOIN_(a, b)
#define PAL_UNIQUE(name)	PAL_JOIN(pal_ ## name ## _, __LINE__)

/* "int igt_main() { ... }": the block becomes a function that main() calls. */
#define igt_main() \
	main(int argc, char **argv); \
	static void pal_test_body(void); \
	int main(int argc, char **argv) \
	{ \
		igt_subtest_init_parse_opts(&argc, argv, NULL, NULL, NULL, NULL, NULL); \
		pal_test_body(); \
		igt_exit(); \
	} \
	static void pal_test_body(void)

/* A failed requirement in a block jumps here, with a value that is not zero. */
#define PAL_ENTERED()		(!sigsetjmp(igt_subtest_jmpbuf, 1))

#define igt_fixture() \
	for (volatile int PAL_UNIQUE(once) = 0; \
	     !PAL_UNIQUE(once) && __igt_fixture() && PAL_ENTERED(); \
	     PAL_UNIQUE(once)++, __igt_fixture_complete())

#define igt_subtest(name) \
	for (; __igt_run_subtest(name, __FILE__, __LINE__) && PAL_ENTERED(); igt_success())

#define igt_subtest_group() \
	for (int PAL_UNIQUE(once) = 0, PAL_UNIQUE(skip) = 0, PAL_UNIQUE(text) = 0; \
	     !PAL_UNIQUE(once) && \
	     (__igt_subtest_group_save(&PAL_UNIQUE(skip), &PAL_UNIQUE(text)), true); \
	     PAL_UNIQUE(once)++, \
	     __igt_subtest_group_restore(PAL_UNIQUE(skip), PAL_UNIQUE(text)))

#define igt_describe(text)	igt_describe_f("%s", text)
#define igt_info(...)		igt_log(NULL, IGT_LOG_INFO, __VA_ARGS__)

/* Requirements and assertions */

#define igt_require_f(expr, ...) \
	do { \
		if (!(expr)) \
			__igt_skip_check(__FILE__, __LINE__, __func__, #expr, \
					 __VA_ARGS__); \
	} while (0)

#define PAL_FAIL(text, ...) \
	__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, text, __VA_ARGS__)

#define igt_assert(expr) \
	do { \
		if (!(expr)) \
			PAL_FAIL(#expr, NULL); \
	} while (0)

#define igt_assert_f(expr, ...) \
	do { \
		if (!(expr)) \
			PAL_FAIL(#expr, __VA_ARGS__); \
	} while (0)

#define PAL_COMPARE(type, format, a, op, b) \
	do { \
		type pal_a = (a), pal_b = (b); \
		if (!(pal_a op pal_b)) \
			PAL_FAIL(#a " " #op " " #b, "error: !(" format " " #op " " \
				 format ")\n", pal_a, pal_b); \
	} while (0)

#define igt_assert_eq(a, b)		PAL_COMPARE(int, "%d", a, ==, b)
#define igt_assert_lt(a, b)		PAL_COMPARE(int, "%d", a, <, b)
#define igt_assert_lte(a, b)		PAL_COMPARE(int, "%d", a, <=, b)
#define igt_assert_eq_u32(a, b)		PAL_COMPARE(uint32_t, "%#x", a, ==, b)
#define igt_assert_eq_u64(a, b)		PAL_COMPARE(unsigned long long, "%#llx", a, ==, b)
#define igt_assert_lt_u64(a, b)		PAL_COMPARE(unsigned long long, "%#llx", a, <, b)
#define igt_assert_lte_u64(a, b)	PAL_COMPARE(unsigned long long, "%#llx", a, <=, b)

#define do_ioctl(fd, request, arg) \
	do { \
		igt_assert_eq(igt_ioctl(fd, request, arg), 0); \
		errno = 0; \
	} while (0)

#endif
