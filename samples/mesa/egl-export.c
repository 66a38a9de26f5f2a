// SPDX-License-Identifier: MIT
/*
 * egl-export --nvme BDF [--linear] [--refused [--blind]] GPU_BDF
 *
 * A texture of OpenGL ES becomes an EGLImage, and that a dma-buf by
 * eglExportDMABUFImageMESA(), which nvme_dmabuf_demo has an NVMe controller read and write.
 * How the pixels lie in it is up to the driver: only the bytes are looked at here. With
 * --linear the image is not of a texture but of a linear buffer of GBM.
 *
 * --refused: iommufd is expected to refuse it, since the driver leaves it to the kernel
 * whether the image is in VRAM, or, with --blind, since it does not let the CPU map it.
 *
 * TAP on stdout. Exit status: 0 all is well, 1 not, 2 bad use, 77 no such device.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define EGL_NO_X11
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <gbm.h>

#include "handover.h"

#define WIDTH	512
#define HEIGHT	512

struct egl {
	EGLDisplay display;
	EGLContext context;
	PFNEGLCREATEIMAGEKHRPROC create_image;
	PFNEGLDESTROYIMAGEKHRPROC destroy_image;
	PFNEGLEXPORTDMABUFIMAGEQUERYMESAPROC query;
	PFNEGLEXPORTDMABUFIMAGEMESAPROC export;
};

static void need(EGLBoolean done, const char *what)
{
	if (!done)
		bail_out(what, eglGetError());
}

static void need_extensions(EGLDisplay display)
{
	static const char * const names[] = {
		"EGL_KHR_surfaceless_context", "EGL_KHR_gl_texture_2D_image",
		"EGL_MESA_image_dma_buf_export",
	};
	const char *have = eglQueryString(display, EGL_EXTENSIONS);
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!have || !strstr(have, names[i]))
			die(NOT_HERE, "EGL has no %s", names[i]);
}

/* The display is that of the GPU, and there is no surface to draw to. */
static void egl_open(struct egl *egl, struct gbm_device *gbm)
{
	static const EGLint config_wants[] = {
		EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE
	};
	static const EGLint context_wants[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
	PFNEGLGETPLATFORMDISPLAYEXTPROC get_display;
	EGLConfig config;
	EGLint nr = 0;

	get_display = (void *)eglGetProcAddress("eglGetPlatformDisplayEXT");
	if (!get_display)
		die(NOT_HERE, "EGL has no EGL_EXT_platform_base");
	egl->display = get_display(EGL_PLATFORM_GBM_KHR, gbm, NULL);
	need(egl->display != EGL_NO_DISPLAY, "eglGetPlatformDisplayEXT");
	need(eglInitialize(egl->display, NULL, NULL), "eglInitialize");
	need_extensions(egl->display);
	need(eglBindAPI(EGL_OPENGL_ES_API), "eglBindAPI");
	need(eglChooseConfig(egl->display, config_wants, &config, 1, &nr) && nr,
	     "eglChooseConfig");
	egl->context = eglCreateContext(egl->display, config, EGL_NO_CONTEXT, context_wants);
	check(egl->context != EGL_NO_CONTEXT, "EGL has a context of OpenGL ES");
	need(egl->context != EGL_NO_CONTEXT, "eglCreateContext");
	need(eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, egl->context),
	     "eglMakeCurrent");
	printf("# %s: %s\n", eglQueryString(egl->display, EGL_VENDOR),
	       (const char *)glGetString(GL_RENDERER));
	egl->create_image = (void *)eglGetProcAddress("eglCreateImageKHR");
	egl->destroy_image = (void *)eglGetProcAddress("eglDestroyImageKHR");
	egl->query = (void *)eglGetProcAddress("eglExportDMABUFImageQueryMESA");
	egl->export = (void *)eglGetProcAddress("eglExportDMABUFImageMESA");
}

static void egl_close(struct egl *egl)
{
	eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
	eglDestroyContext(egl->display, egl->context);
	eglTerminate(egl->display);
}

/* The dma-buf; its size is what the driver made of the texture. */
static int export_image(struct egl *egl, EGLImageKHR image, uint64_t *size)
{
	EGLint stride = 0, offset = 0;
	int fourcc = 0, planes = 0, fd = -1;
	EGLuint64KHR modifier = 0;

	need(egl->query(egl->display, image, &fourcc, &planes, &modifier),
	     "eglExportDMABUFImageQueryMESA");
	printf("# format %.4s, %d plane(s), modifier 0x%llx\n", (const char *)&fourcc, planes,
	       (unsigned long long)modifier);
	if (planes != 1)
		bail_out("planes that one file does not have", planes);
	need(egl->export(egl->display, image, &fd, &stride, &offset),
	     "eglExportDMABUFImageMESA");
	*size = (uint64_t)stride * HEIGHT + offset;
	return fd;
}

static EGLImageKHR texture_image(struct egl *egl)
{
	GLuint texture;
	GLenum error;

	/* It is deleted with the context. */
	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDTH, HEIGHT, 0, GL_RGBA, GL_UNSIGNED_BYTE,
		     NULL);
	error = glGetError();
	if (error != GL_NO_ERROR)
		bail_out("glTexImage2D", error);
	return egl->create_image(egl->display, egl->context, EGL_GL_TEXTURE_2D_KHR,
				 (EGLClientBuffer)(uintptr_t)texture, NULL);
}

static void test(struct egl *egl, struct gbm_bo *bo, const char *nvme, bool refused,
		 bool blind)
{
	struct dma_buf buf;
	EGLImageKHR image;
	uint64_t size;
	int fd;

	if (bo)
		image = egl->create_image(egl->display, EGL_NO_CONTEXT,
					  EGL_NATIVE_PIXMAP_KHR, (EGLClientBuffer)bo, NULL);
	else
		image = texture_image(egl);
	check(image != EGL_NO_IMAGE_KHR, "%s of %u x %u pixels is an EGLImage",
	      bo ? "a linear buffer" : "a texture", WIDTH, HEIGHT);
	need(image != EGL_NO_IMAGE_KHR, "eglCreateImageKHR");
	fd = export_image(egl, image, &size);
	dma_buf_open(&buf, fd, size, "what EGL exports",
		     blind ? DMA_BUF_BLIND : DMA_BUF_MAPPED);
	if (refused)
		dma_buf_refused(&buf, nvme);
	else
		dma_buf_peer(&buf, nvme);
	dma_buf_close(&buf);
	egl->destroy_image(egl->display, image);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nvme", required_argument, NULL, 'n' },
		{ "linear", no_argument, NULL, 'l' },
		{ "refused", no_argument, NULL, 'r' },
		{ "blind", no_argument, NULL, 'b' },
		{}
	};
	bool linear = false, refused = false, blind = false;
	const char *nvme = NULL;
	struct gbm_bo *bo = NULL;
	struct gbm_device *gbm;
	struct egl egl = {};
	int opt, drm_fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			nvme = optarg;
			break;
		case 'l':
			linear = true;
			break;
		case 'r':
			refused = true;
			break;
		case 'b':
			blind = true;
			break;
		default:
			return BAD_USE;
		}
	}
	if (!nvme || argc - optind != 1 || (blind && !refused))
		die(BAD_USE, "usage: --nvme BDF [--linear] [--refused [--blind]] GPU_BDF");

	drm_fd = open_render_node(argv[optind]);
	begin();
	gbm = gbm_create_device(drm_fd);
	if (!gbm)
		bail_out("gbm_create_device", errno);
	egl_open(&egl, gbm);
	if (linear) {
		bo = gbm_bo_create(gbm, WIDTH, HEIGHT, GBM_FORMAT_XRGB8888,
				   GBM_BO_USE_LINEAR | GBM_BO_USE_RENDERING);
		if (!bo)
			bail_out("gbm_bo_create", errno);
	}
	test(&egl, bo, nvme, refused, blind);
	if (bo)
		gbm_bo_destroy(bo);
	egl_close(&egl);
	gbm_device_destroy(gbm);
	close(drm_fd);
	return finish();
}
