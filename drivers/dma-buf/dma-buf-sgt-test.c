// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test importer of scatterlists
 *
 * Stands for an importer that maps once and transfers often. Its device is a
 * platform device with a DMA mask, and its DMA engine is memcpy() to and from
 * where its DMA addresses lead: to the memory of the buffer, or to a slot of
 * swiotlb if there is one in between. That is what makes a missing bracket
 * visible on machines whose caches are coherent or are not there.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iommu-dma.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf-sgt-test.h>

static struct platform_device *sgt_test_pdev;

struct sgt_test_imp {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

static_assert((int)DMA_BUF_SGT_TEST_ANY == DMA_SGT_COHERENCY_ANY);
static_assert((int)DMA_BUF_SGT_TEST_REQUIRE_COHERENT ==
	      DMA_SGT_REQUIRE_COHERENT);
static_assert((int)DMA_BUF_SGT_TEST_CACHES_MAPPING == DMA_SGT_CACHES_MAPPING);
static_assert((int)DMA_BUF_SGT_TEST_BIDIRECTIONAL == DMA_BIDIRECTIONAL);
static_assert((int)DMA_BUF_SGT_TEST_TO_DEVICE == DMA_TO_DEVICE);
static_assert((int)DMA_BUF_SGT_TEST_FROM_DEVICE == DMA_FROM_DEVICE);

/* Where the device finds @offset, and how many of @max bytes in this page */
static int imp_seek(struct sgt_test_imp *imp, size_t offset, size_t max,
		    phys_addr_t *paddr, size_t *len)
{
	struct device *dev = dma_buf_sgt_dma_device(imp->attach);
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(imp->sgt, sg, i) {
		if (offset >= sg_dma_len(sg)) {
			offset -= sg_dma_len(sg);
			continue;
		}
		*paddr = dma_to_phys(dev, sg_dma_address(sg) + offset);
		*len = min3(max, sg_dma_len(sg) - offset,
			    PAGE_SIZE - offset_in_page(*paddr));
		return pfn_valid(PHYS_PFN(*paddr)) ? 0 : -ENXIO;
	}
	return -ENXIO;
}

static ssize_t imp_rw(struct sgt_test_imp *imp, char __user *data,
		      size_t length, loff_t *ppos, bool write)
{
	size_t size = imp->dmabuf->size;
	size_t done = 0, left, len;
	phys_addr_t paddr;
	void *vaddr;
	int ret = 0;

	if (*ppos < 0)
		return -EINVAL;
	if (*ppos >= size)
		return write && length ? -ENOSPC : 0;
	length = min(length, size - (size_t)*ppos);

	for (; done < length; done += len, *ppos += len) {
		ret = imp_seek(imp, *ppos, length - done, &paddr, &len);
		if (ret)
			break;
		vaddr = kmap_local_page(pfn_to_page(PHYS_PFN(paddr))) +
			offset_in_page(paddr);
		left = write ? copy_from_user(vaddr, data + done, len) :
			       copy_to_user(data + done, vaddr, len);
		kunmap_local(vaddr);
		if (left) {
			ret = -EFAULT;
			break;
		}
	}
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
	struct sgt_test_imp *imp = file->private_data;

	if (!(imp->dmabuf->file->f_mode & FMODE_WRITE) ||
	    imp->dir == DMA_TO_DEVICE)
		return -EPERM;
	return imp_rw(imp, (char __user *)data, length, ppos, true);
}

static bool imp_needs_sync(struct sgt_test_imp *imp)
{
	struct device *dev = dma_buf_sgt_dma_device(imp->attach);
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(imp->sgt, sg, i)
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

static int imp_query(struct sgt_test_imp *imp, void __user *uarg)
{
	struct dma_buf_attachment *attach = imp->attach;
	struct dma_buf_sgt_test_query arg = {
		.need = attach->map_type.sgt_data.importer_coherency,
		.dev_coherent = dma_buf_sgt_dev_coherent(attach->dev),
		.needs_sync = imp_needs_sync(imp),
	};

	dma_resv_lock(imp->dmabuf->resv, NULL);
	arg.all_coherent = dma_buf_all_coherent(imp->dmabuf);
	dma_resv_unlock(imp->dmabuf->resv);
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long imp_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct sgt_test_imp *imp = file->private_data;
	void __user *uarg = (void __user *)arg;
	struct dma_buf_sgt_test_bracket bracket;

	switch (cmd) {
	case DMA_BUF_SGT_TEST_BEGIN:
	case DMA_BUF_SGT_TEST_END:
		break;
	case DMA_BUF_SGT_TEST_QUERY:
		return imp_query(imp, uarg);
	default:
		return -ENOTTY;
	}

	if (copy_from_user(&bracket, uarg, sizeof(bracket)))
		return -EFAULT;
	if (bracket.reserved || bracket.dir > DMA_BUF_SGT_TEST_FROM_DEVICE)
		return -EINVAL;
	/* What the DMA API allows for a mapping */
	if (imp->dir != DMA_BIDIRECTIONAL && bracket.dir != imp->dir)
		return -EINVAL;
	if (cmd == DMA_BUF_SGT_TEST_BEGIN)
		return dma_buf_begin_access(imp->attach, imp->sgt, bracket.dir);
	return dma_buf_end_access(imp->attach, imp->sgt, bracket.dir);
}

static void imp_free(struct sgt_test_imp *imp)
{
	if (!IS_ERR_OR_NULL(imp->sgt))
		dma_buf_unmap_attachment_unlocked(imp->attach, imp->sgt,
						  imp->dir);
	if (!IS_ERR_OR_NULL(imp->attach))
		dma_buf_detach(imp->dmabuf, imp->attach);
	dma_buf_put(imp->dmabuf);
	kfree(imp);
}

static int imp_release(struct inode *inode, struct file *file)
{
	imp_free(file->private_data);
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

static int imp_map(struct sgt_test_imp *imp, struct device *dev,
		   const struct dma_buf_sgt_test_import *arg)
{
	const struct dma_buf_mapping_match matches[] = {
		DMA_BUF_IMAPPING_SGT_COHERENCY(dev, DMA_SGT_NO_P2P, arg->need),
		DMA_BUF_IMAPPING_SGT(dev, DMA_SGT_NO_P2P),
	};
	bool legacy = arg->flags & DMA_BUF_SGT_TEST_LEGACY_ENTRY;

	imp->attach = dma_buf_mapping_attach(imp->dmabuf, matches,
					     legacy ? 2 : 1, NULL, imp);
	if (IS_ERR(imp->attach))
		return PTR_ERR(imp->attach);

	imp->sgt = dma_buf_map_attachment_unlocked(imp->attach, imp->dir);
	return PTR_ERR_OR_ZERO(imp->sgt);
}

static int sgt_test_import(void __user *uarg)
{
	struct device *dev = &sgt_test_pdev->dev;
	struct dma_buf_sgt_test_import arg;
	struct sgt_test_imp *imp;
	struct file *file;
	int ret, fd;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.need > DMA_BUF_SGT_TEST_CACHES_MAPPING ||
	    arg.dir > DMA_BUF_SGT_TEST_FROM_DEVICE ||
	    arg.flags & ~DMA_BUF_SGT_TEST_LEGACY_ENTRY)
		return -EINVAL;
	if (use_dma_iommu(dev) || get_dma_ops(dev))
		return -ENODEV;

	imp = kzalloc_obj(*imp, GFP_KERNEL_ACCOUNT);
	if (!imp)
		return -ENOMEM;
	imp->dir = arg.dir;
	imp->dmabuf = dma_buf_get(arg.fd);
	if (IS_ERR(imp->dmabuf)) {
		ret = PTR_ERR(imp->dmabuf);
		kfree(imp);
		return ret;
	}
	ret = imp_map(imp, dev, &arg);
	if (ret)
		goto err_free;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_free;
	}
	file = anon_inode_getfile_fmode("[dma_buf_sgt_test]", &imp_fops, imp,
					O_RDWR, FMODE_PREAD | FMODE_PWRITE);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		put_unused_fd(fd);
		goto err_free;
	}
	fd_install(fd, file);
	return fd;

err_free:
	imp_free(imp);
	return ret;
}

static long sgt_test_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	if (cmd != DMA_BUF_SGT_TEST_IMPORT)
		return -ENOTTY;
	return sgt_test_import((void __user *)arg);
}

static const struct file_operations sgt_test_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sgt_test_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice sgt_test_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dma_buf_sgt_test",
	.fops = &sgt_test_fops,
	.mode = 0600,
};

static int __init sgt_test_init(void)
{
	int ret;

	/* Coherent or not as the architecture has it for devices of no firmware */
	sgt_test_pdev = platform_device_register_simple("dma_buf_sgt_test",
							PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(sgt_test_pdev))
		return PTR_ERR(sgt_test_pdev);

	ret = dma_set_mask_and_coherent(&sgt_test_pdev->dev, DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&sgt_test_misc);
	if (ret)
		platform_device_unregister(sgt_test_pdev);
	return ret;
}
module_init(sgt_test_init);

static void __exit sgt_test_exit(void)
{
	misc_deregister(&sgt_test_misc);
	platform_device_unregister(sgt_test_pdev);
}
module_exit(sgt_test_exit);

MODULE_DESCRIPTION("Test importer of dma-buf scatterlists");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
