// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test exporter of physical address lists
 *
 * Makes dma-bufs of any number of ranges of system RAM that can be revoked,
 * restored, moved and made to fail by user space. It is the one exporter that
 * may list RAM, since machines without a suitable device are to run the tests,
 * too: importers can be given access to memory that the module keeps for that,
 * and to no other.
 *
 * What can change of a buffer is protected by its dma_resv lock.
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/math.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf-pal-test.h>

#include "dma-buf-pal-test.h"

struct pal_test_backing {
	size_t nr;
	struct phys_vec vecs[] __counted_by(nr);
};

struct pal_test_buf {
	size_t size;
	u32 nr_ranges;
	u32 flags;
	u64 seed;

	struct pal_test_backing *backing;
	u64 generation;
	u64 maps;
	u64 unmaps;
	unsigned int pins;
	bool revoked;
	u32 fail_kind;
	u32 fail_error;
	u32 fail_count;
};

static void free_backing(struct pal_test_backing *backing)
{
	size_t i;

	/* One page more than the range has, see alloc_backing() */
	for (i = 0; i < backing->nr && backing->vecs[i].len; i++)
		free_pages_exact(phys_to_virt(backing->vecs[i].paddr),
				 backing->vecs[i].len + PAGE_SIZE);
	kvfree(backing);
}

static void shuffle(struct pal_test_backing *backing, u64 seed)
{
	struct rnd_state rnd;
	size_t i, other;

	prandom_seed_state(&rnd, seed);
	for (i = backing->nr - 1; i; i--) {
		other = prandom_u32_state(&rnd) % (i + 1);
		swap(backing->vecs[i], backing->vecs[other]);
	}
}

/*
 * Behind each range there is a page that is not used, so that the number of
 * ranges is what was asked for: adjacent ones would become one in the core.
 */
static struct pal_test_backing *alloc_backing(const struct pal_test_buf *buf,
					      u64 generation)
{
	size_t pages = buf->size / PAGE_SIZE;
	struct pal_test_backing *backing;
	size_t i, len;
	void *mem;

	backing = kvzalloc_flex(*backing, vecs, buf->nr_ranges,
				GFP_KERNEL_ACCOUNT);
	if (!backing)
		return NULL;
	backing->nr = buf->nr_ranges;

	for (i = 0; i < backing->nr; i++) {
		len = (pages / backing->nr + (i < pages % backing->nr)) *
		      PAGE_SIZE;
		mem = alloc_pages_exact(len + PAGE_SIZE,
					GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					__GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!mem || fatal_signal_pending(current)) {
			if (mem)
				free_pages_exact(mem, len + PAGE_SIZE);
			free_backing(backing);
			return NULL;
		}
		backing->vecs[i].paddr = virt_to_phys(mem);
		backing->vecs[i].len = len;
		cond_resched();
	}

	if (buf->flags & DMA_BUF_PAL_TEST_SHUFFLE)
		shuffle(backing, buf->seed + generation);
	return backing;
}

/* What a good list is turned into; it has at least one range */
static void spoil_list(struct dma_buf_phys_list *phys, u32 kind)
{
	struct phys_vec *last = &phys->phys[phys->length - 1];

	switch (kind) {
	case DMA_BUF_PAL_TEST_FAIL_NO_RANGES:
		phys->length = 0;
		break;
	case DMA_BUF_PAL_TEST_FAIL_EMPTY_RANGE:
		last->len = 0;
		break;
	case DMA_BUF_PAL_TEST_FAIL_MISALIGNED:
		last->paddr += PAGE_SIZE / 2;
		break;
	case DMA_BUF_PAL_TEST_FAIL_SHORT:
		last->len -= PAGE_SIZE;
		break;
	case DMA_BUF_PAL_TEST_FAIL_LONG:
		last->len += PAGE_SIZE;
		break;
	case DMA_BUF_PAL_TEST_FAIL_WRAP:
		last->paddr = -PAGE_SIZE;
		last->len = 2 * PAGE_SIZE;
		break;
	}
}

static struct dma_buf_phys_list *
pal_test_map_phys(struct dma_buf_attachment *attach)
{
	struct pal_test_buf *buf = attach->dmabuf->priv;
	struct dma_buf_phys_list *phys;
	u32 kind = DMA_BUF_PAL_TEST_FAIL_NOT;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (buf->revoked)
		return ERR_PTR(-ENODEV);

	if (buf->fail_count) {
		buf->fail_count--;
		kind = buf->fail_kind;
	}
	if (kind == DMA_BUF_PAL_TEST_FAIL_ERRNO)
		return ERR_PTR(-(long)buf->fail_error);

	phys = kvmalloc_flex(*phys, phys, buf->backing->nr, GFP_KERNEL_ACCOUNT);
	if (!phys)
		return ERR_PTR(-ENOMEM);
	phys->length = buf->backing->nr;
	memcpy(phys->phys, buf->backing->vecs,
	       array_size(buf->backing->nr, sizeof(*phys->phys)));
	spoil_list(phys, kind);
	buf->maps++;
	return phys;
}

static void pal_test_unmap_phys(struct dma_buf_attachment *attach,
				struct dma_buf_phys_list *phys)
{
	struct pal_test_buf *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->unmaps++;
	kvfree(phys);
}

static const struct dma_buf_mapping_pal_exp_ops pal_test_pal_ops = {
	.map_phys = pal_test_map_phys,
	.unmap_phys = pal_test_unmap_phys,
};

static int pal_test_match_mapping(struct dma_buf_match_args *args)
{
	struct dma_buf_mapping_match match =
		DMA_BUF_EMAPPING_PAL(&pal_test_pal_ops);

	match.pal_data.allow_ram = true;
	return dma_buf_match_mapping(args, &match, 1);
}

static int pal_test_pin(struct dma_buf_attachment *attach)
{
	struct pal_test_buf *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->pins++;
	return 0;
}

static void pal_test_unpin(struct dma_buf_attachment *attach)
{
	struct pal_test_buf *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->pins--;
}

static void pal_test_release(struct dma_buf *dmabuf)
{
	struct pal_test_buf *buf = dmabuf->priv;

	free_backing(buf->backing);
	kfree(buf);
}

static const struct dma_buf_ops pal_test_dma_buf_ops = {
	.match_mapping = pal_test_match_mapping,
	.pin = pal_test_pin,
	.unpin = pal_test_unpin,
	.release = pal_test_release,
};

/* A dma-buf of this exporter, to be put by the caller */
static struct dma_buf *get_own(s32 fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (!IS_ERR(dmabuf) && dmabuf->ops != &pal_test_dma_buf_ops) {
		dma_buf_put(dmabuf);
		return ERR_PTR(-EINVAL);
	}
	return dmabuf;
}

static int check_create(const struct dma_buf_pal_test_create *arg)
{
	u32 access = arg->fd_flags & O_ACCMODE;
	u64 pages = arg->size / PAGE_SIZE;

	if (arg->reserved || arg->flags & ~DMA_BUF_PAL_TEST_SHUFFLE)
		return -EINVAL;
	if (arg->seed && !(arg->flags & DMA_BUF_PAL_TEST_SHUFFLE))
		return -EINVAL;
	if (arg->fd_flags & ~(O_ACCMODE | O_CLOEXEC) ||
	    (access != O_RDONLY && access != O_RDWR))
		return -EINVAL;
	if (!arg->size || arg->size > DMA_BUF_PAL_TEST_MAX_SIZE ||
	    !PAGE_ALIGNED(arg->size))
		return -EINVAL;
	if (!arg->nr_ranges || arg->nr_ranges > DMA_BUF_PAL_TEST_MAX_RANGES ||
	    arg->nr_ranges > pages)
		return -EINVAL;
	if (DIV_ROUND_UP_ULL(pages, arg->nr_ranges) >
	    DMA_BUF_PAL_TEST_MAX_RANGE / PAGE_SIZE)
		return -EINVAL;
	return 0;
}

static int ioctl_create(void __user *uarg)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct dma_buf_pal_test_create arg;
	struct pal_test_buf *buf;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	ret = check_create(&arg);
	if (ret)
		return ret;

	buf = kzalloc_obj(*buf, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	buf->size = arg.size;
	buf->nr_ranges = arg.nr_ranges;
	buf->flags = arg.flags;
	buf->seed = arg.seed;
	buf->backing = alloc_backing(buf, 0);
	if (!buf->backing) {
		ret = -ENOMEM;
		goto err_free_buf;
	}

	exp_info.ops = &pal_test_dma_buf_ops;
	exp_info.size = buf->size;
	exp_info.flags = arg.fd_flags & O_ACCMODE;
	exp_info.priv = buf;
	dmabuf = dma_buf_export(&exp_info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto err_free_backing;
	}

	ret = dma_buf_fd(dmabuf, arg.fd_flags & O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);
	return ret;

err_free_backing:
	free_backing(buf->backing);
err_free_buf:
	kfree(buf);
	return ret;
}

static int set_revoked(struct dma_buf *dmabuf, bool revoked)
{
	struct pal_test_buf *buf = dmabuf->priv;
	int ret = -EALREADY;

	dma_resv_lock(dmabuf->resv, NULL);
	if (buf->revoked == revoked)
		goto out_unlock;
	/* First, so that nobody maps in between or is told of it too early */
	buf->revoked = revoked;
	if (revoked)
		dma_buf_invalidate_mappings(dmabuf);
	else
		dma_buf_mappings_available(dmabuf);
	ret = 0;
out_unlock:
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static void copy_backing(const struct pal_test_backing *to,
			 const struct pal_test_backing *from, size_t length)
{
	struct pal_test_walk walk;
	phys_addr_t paddr;
	size_t i, j, len;

	pal_test_walk_seek(&walk, from->vecs, 0);
	for (i = 0; i < to->nr; i++) {
		for (j = 0; j < to->vecs[i].len; j += len) {
			len = pal_test_walk_next(&walk, to->vecs[i].len - j,
						 &paddr);
			memcpy(phys_to_virt(to->vecs[i].paddr + j),
			       phys_to_virt(paddr), len);
		}
		cond_resched();
	}
}

static int move_buf(struct dma_buf *dmabuf)
{
	struct pal_test_buf *buf = dmabuf->priv;
	struct pal_test_backing *backing;
	int ret = -EBUSY;

	/* Two moves at once may make the same order, which does not matter */
	backing = alloc_backing(buf, READ_ONCE(buf->generation) + 1);
	if (!backing)
		return -ENOMEM;

	dma_resv_lock(dmabuf->resv, NULL);
	if (buf->pins)
		goto out_unlock;
	dma_buf_invalidate_mappings(dmabuf);
	/* The core warned of an importer that keeps a list: do not help it */
	if (buf->maps != buf->unmaps)
		goto out_unlock;

	copy_backing(backing, buf->backing, buf->size);
	swap(buf->backing, backing);
	WRITE_ONCE(buf->generation, buf->generation + 1);
	ret = 0;
out_unlock:
	dma_resv_unlock(dmabuf->resv);
	free_backing(backing);
	return ret;
}

static int ioctl_buf(unsigned int cmd, void __user *uarg)
{
	struct dma_buf_pal_test_buf arg;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;

	if (cmd == DMA_BUF_PAL_TEST_IMPORT) {
		dmabuf = dma_buf_get(arg.fd);
		if (IS_ERR(dmabuf))
			return PTR_ERR(dmabuf);
		ret = pal_test_import(dmabuf, arg.flags);
		goto out_put;
	}

	if (arg.flags)
		return -EINVAL;
	dmabuf = get_own(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (cmd == DMA_BUF_PAL_TEST_MOVE)
		ret = move_buf(dmabuf);
	else
		ret = set_revoked(dmabuf, cmd == DMA_BUF_PAL_TEST_REVOKE);
out_put:
	dma_buf_put(dmabuf);
	return ret;
}

static int check_fail(const struct dma_buf_pal_test_fail *arg)
{
	bool none = arg->kind == DMA_BUF_PAL_TEST_FAIL_NOT;

	if (arg->kind > DMA_BUF_PAL_TEST_FAIL_WRAP || none != !arg->count)
		return -EINVAL;
	if (arg->kind != DMA_BUF_PAL_TEST_FAIL_ERRNO)
		return arg->error ? -EINVAL : 0;

	switch (arg->error) {
	case EINTR:
	case EIO:
	case ENOMEM:
	case EBUSY:
	case ENODEV:
	case ENOSPC:
		return 0;
	}
	return -EINVAL;
}

static int ioctl_fail(void __user *uarg)
{
	struct dma_buf_pal_test_fail arg;
	struct pal_test_buf *buf;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	ret = check_fail(&arg);
	if (ret)
		return ret;
	dmabuf = get_own(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buf = dmabuf->priv;
	dma_resv_lock(dmabuf->resv, NULL);
	buf->fail_kind = arg.kind;
	buf->fail_error = arg.error;
	buf->fail_count = arg.count;
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return 0;
}

static int ioctl_query(void __user *uarg)
{
	struct dma_buf_pal_test_query arg;
	struct pal_test_buf *buf;
	struct dma_buf *dmabuf;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	dmabuf = get_own(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buf = dmabuf->priv;
	dma_resv_lock(dmabuf->resv, NULL);
	arg.nr_ranges = buf->nr_ranges;
	arg.size = buf->size;
	arg.live_maps = buf->maps - buf->unmaps;
	arg.pins = buf->pins;
	arg.revoked = buf->revoked;
	arg.fail_count = buf->fail_count;
	arg.generation = buf->generation;
	arg.maps = buf->maps;
	arg.unmaps = buf->unmaps;
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int access_buf(struct dma_buf *dmabuf,
		      const struct dma_buf_pal_test_data *arg, bool write)
{
	struct pal_test_buf *buf = dmabuf->priv;
	void __user *data = u64_to_user_ptr(arg->data);
	size_t length = arg->length;
	size_t offset = arg->offset;
	int ret = 0;
	void *bounce;
	size_t len;

	bounce = kvmalloc(PAL_TEST_BOUNCE, GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;

	for (; length; length -= len, offset += len, data += len) {
		len = min(length, PAL_TEST_BOUNCE);
		if (write && copy_from_user(bounce, data, len)) {
			ret = -EFAULT;
			break;
		}
		dma_resv_lock(dmabuf->resv, NULL);
		pal_test_copy(buf->backing->vecs, offset, bounce, len, write);
		dma_resv_unlock(dmabuf->resv);
		if (!write && copy_to_user(data, bounce, len)) {
			ret = -EFAULT;
			break;
		}
	}
	kvfree(bounce);
	return ret;
}

static int ioctl_data(void __user *uarg, bool write)
{
	struct dma_buf_pal_test_data arg;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.reserved || !arg.length)
		return -EINVAL;
	dmabuf = get_own(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	if (arg.offset >= dmabuf->size ||
	    arg.length > dmabuf->size - arg.offset)
		ret = -EINVAL;
	else
		ret = access_buf(dmabuf, &arg, write);
	dma_buf_put(dmabuf);
	return ret;
}

static long pal_test_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case DMA_BUF_PAL_TEST_CREATE:
		return ioctl_create(uarg);
	case DMA_BUF_PAL_TEST_REVOKE:
	case DMA_BUF_PAL_TEST_RESTORE:
	case DMA_BUF_PAL_TEST_MOVE:
	case DMA_BUF_PAL_TEST_IMPORT:
		return ioctl_buf(cmd, uarg);
	case DMA_BUF_PAL_TEST_FAIL:
		return ioctl_fail(uarg);
	case DMA_BUF_PAL_TEST_QUERY:
		return ioctl_query(uarg);
	case DMA_BUF_PAL_TEST_PEEK:
	case DMA_BUF_PAL_TEST_POKE:
		return ioctl_data(uarg, cmd == DMA_BUF_PAL_TEST_POKE);
	}
	return -ENOTTY;
}

static const struct file_operations pal_test_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = pal_test_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice pal_test_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dma_buf_pal_test",
	.fops = &pal_test_fops,
	.mode = 0600,
};
module_misc_device(pal_test_misc);

MODULE_DESCRIPTION("Test exporter and importer of dma-buf physical address lists");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
