// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test importer of physical address lists
 *
 * Stands for an importer like KVM: it maps when there is an access, does not
 * pin, gives the list back whenever the exporter asks for that, and maps again
 * at the next access. Its page table is the list itself, which is why it is only
 * valid under the dma_resv lock, and its accesses are read() and write().
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf-pal-test.h>

#include "dma-buf-pal-test.h"

struct pal_test_imp {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	bool stay_dead;

	/* Protected by the dma_resv lock */
	struct dma_buf_phys_list *phys;
	bool ram;
	bool dead;
	u64 maps;
	u64 invalidations;
	u64 available;
};

static void imp_unmap(struct pal_test_imp *imp)
{
	if (!imp->phys)
		return;
	dma_buf_pal_unmap_phys(imp->attach, imp->phys);
	imp->phys = NULL;
}

static void imp_invalidate(struct dma_buf_attachment *attach)
{
	struct pal_test_imp *imp = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	imp_unmap(imp);
	imp->invalidations++;
	if (imp->stay_dead)
		imp->dead = true;
}

static void imp_available(struct dma_buf_attachment *attach)
{
	struct pal_test_imp *imp = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	imp->available++;
}

static const struct dma_buf_attach_ops imp_attach_ops = {
	.invalidate_mappings = imp_invalidate,
	.mappings_available = imp_available,
};

/* Whether all ranges are RAM, or none touches any */
static bool all_are(const struct dma_buf_phys_list *phys, int kind)
{
	size_t i;

	for (i = 0; i < phys->length; i++)
		if (region_intersects(phys->phys[i].paddr, phys->phys[i].len,
				      IORESOURCE_SYSTEM_RAM,
				      IORES_DESC_NONE) != kind)
			return false;
	return true;
}

static int imp_map(struct pal_test_imp *imp)
{
	struct dma_buf_phys_list *phys;

	dma_resv_assert_held(imp->dmabuf->resv);

	if (imp->dead)
		return -ENODEV;
	if (imp->phys)
		return 0;

	phys = dma_buf_pal_map_phys(imp->attach);
	if (IS_ERR(phys))
		return PTR_ERR(phys);
	imp->ram = all_are(phys, REGION_INTERSECTS);
	if (!imp->ram && !all_are(phys, REGION_DISJOINT)) {
		dma_buf_pal_unmap_phys(imp->attach, phys);
		return -EOPNOTSUPP;
	}
	imp->phys = phys;
	imp->maps++;
	return 0;
}

/* Memory of a device has no address in the kernel's linear map */
static int imp_copy_io(struct pal_test_imp *imp, size_t offset, void *buf,
		       size_t length, bool write)
{
	struct pal_test_walk walk;
	phys_addr_t paddr;
	void __iomem *io;
	size_t len;

	pal_test_walk_seek(&walk, imp->phys->phys, offset);
	for (; length; length -= len, buf += len) {
		len = pal_test_walk_next(&walk, length, &paddr);
		io = ioremap_wc(paddr, len);
		if (!io)
			return -ENOMEM;
		if (write) {
			memcpy_toio(io, buf, len);
			/* Nothing may wait in a write combining buffer */
			readb(io);
		} else {
			memcpy_fromio(buf, io, len);
		}
		iounmap(io);
	}
	return 0;
}

/* One access of the "device": everything is at one place while it lasts */
static int imp_access(struct pal_test_imp *imp, size_t offset, void *bounce,
		      size_t len, bool write)
{
	int ret;

	ret = dma_resv_lock_interruptible(imp->dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = imp_map(imp);
	if (!ret && imp->ram)
		pal_test_copy(imp->phys->phys, offset, bounce, len, write);
	else if (!ret)
		ret = imp_copy_io(imp, offset, bounce, len, write);
	dma_resv_unlock(imp->dmabuf->resv);
	return ret;
}

static ssize_t imp_rw(struct pal_test_imp *imp, char __user *data,
		      size_t length, loff_t *ppos, bool write)
{
	size_t size = imp->dmabuf->size;
	size_t done = 0;
	int ret = 0;
	void *bounce;
	size_t len;

	if (*ppos < 0)
		return -EINVAL;
	if (*ppos >= size)
		return write && length ? -ENOSPC : 0;
	length = min(length, size - (size_t)*ppos);

	bounce = kvmalloc(PAL_TEST_BOUNCE, GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;

	for (; done < length; done += len, *ppos += len) {
		len = min(length - done, PAL_TEST_BOUNCE);
		if (write && copy_from_user(bounce, data + done, len))
			ret = -EFAULT;
		if (!ret)
			ret = imp_access(imp, *ppos, bounce, len, write);
		if (!ret && !write && copy_to_user(data + done, bounce, len))
			ret = -EFAULT;
		if (ret)
			break;
	}
	kvfree(bounce);
	return done ?: ret;
}

static ssize_t imp_read(struct file *file, char __user *data, size_t length,
			loff_t *ppos)
{
	return imp_rw(file->private_data, data, length, ppos, false);
}

static ssize_t imp_write(struct file *file, const char __user *data,
			 size_t length, loff_t *ppos)
{
	struct pal_test_imp *imp = file->private_data;

	if (!(imp->dmabuf->file->f_mode & FMODE_WRITE))
		return -EPERM;
	return imp_rw(imp, (char __user *)data, length, ppos, true);
}

static long imp_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct pal_test_imp *imp = file->private_data;
	struct dma_buf_pal_test_imp_query arg = {};

	if (cmd != DMA_BUF_PAL_TEST_IMP_QUERY)
		return -ENOTTY;

	dma_resv_lock(imp->dmabuf->resv, NULL);
	arg.maps = imp->maps;
	arg.invalidations = imp->invalidations;
	arg.available = imp->available;
	arg.mapped = !!imp->phys;
	arg.nr_ranges = imp->phys ? imp->phys->length : 0;
	dma_resv_unlock(imp->dmabuf->resv);
	return copy_to_user((void __user *)uarg, &arg, sizeof(arg)) ? -EFAULT :
								      0;
}

static int imp_release(struct inode *inode, struct file *file)
{
	struct pal_test_imp *imp = file->private_data;

	dma_resv_lock(imp->dmabuf->resv, NULL);
	imp_unmap(imp);
	dma_resv_unlock(imp->dmabuf->resv);
	dma_buf_detach(imp->dmabuf, imp->attach);
	dma_buf_put(imp->dmabuf);
	kfree(imp);
	return 0;
}

static const struct file_operations imp_fops = {
	.owner = THIS_MODULE,
	.read = imp_read,
	.write = imp_write,
	.unlocked_ioctl = imp_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = imp_release,
};

/**
 * pal_test_import - make an importer of a dma-buf
 * @dmabuf: the buffer, of which the importer takes a reference of its own
 * @flags: of &enum dma_buf_pal_test_import_flags
 *
 * Return: a file descriptor or a negative error code.
 */
int pal_test_import(struct dma_buf *dmabuf, u32 flags)
{
	const struct dma_buf_mapping_match match = DMA_BUF_IMAPPING_PAL();
	struct pal_test_imp *imp;
	struct file *file;
	int ret, fd;

	if (flags & ~DMA_BUF_PAL_TEST_STAY_DEAD)
		return -EINVAL;

	imp = kzalloc_obj(*imp, GFP_KERNEL_ACCOUNT);
	if (!imp)
		return -ENOMEM;
	imp->dmabuf = dmabuf;
	imp->stay_dead = flags & DMA_BUF_PAL_TEST_STAY_DEAD;
	imp->attach = dma_buf_mapping_attach(dmabuf, &match, 1,
					     &imp_attach_ops, imp);
	if (IS_ERR(imp->attach)) {
		ret = PTR_ERR(imp->attach);
		goto err_free;
	}

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_detach;
	}
	file = anon_inode_getfile_fmode("[dma_buf_pal_test]", &imp_fops, imp,
					O_RDWR,
					FMODE_PREAD | FMODE_PWRITE);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_put_fd;
	}
	get_dma_buf(dmabuf);
	fd_install(fd, file);
	return fd;

err_put_fd:
	put_unused_fd(fd);
err_detach:
	dma_buf_detach(dmabuf, imp->attach);
err_free:
	kfree(imp);
	return ret;
}
