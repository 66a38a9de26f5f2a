/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers and data structures of the NVM Express Base Specification 1.4, as
 * far as the driver uses them. Names follow the specification.
 */
#ifndef SELFTESTS_VFIO_LIB_DRIVERS_NVME_REGISTERS_H
#define SELFTESTS_VFIO_LIB_DRIVERS_NVME_REGISTERS_H

#include <linux/bits.h>
#include <linux/types.h>

/* Section 3.1: controller registers */
#define NVME_REG_CAP		0x00
#define NVME_REG_CC		0x14
#define NVME_REG_CSTS		0x1c
#define NVME_REG_AQA		0x24
#define NVME_REG_ASQ		0x28
#define NVME_REG_ACQ		0x30
#define NVME_REG_DOORBELL	0x1000

#define NVME_CAP_MQES(_cap)	((_cap) & 0xffff)
#define NVME_CAP_TO(_cap)	(((_cap) >> 24) & 0xff)
#define NVME_CAP_DSTRD(_cap)	(((_cap) >> 32) & 0xf)
#define NVME_CAP_MPSMIN(_cap)	(((_cap) >> 48) & 0xf)

#define NVME_CC_EN		BIT(0)
#define NVME_CC_IOSQES(_log2)	((_log2) << 16)
#define NVME_CC_IOCQES(_log2)	((_log2) << 20)

#define NVME_CSTS_RDY		BIT(0)

/* Section 5: admin commands */
#define NVME_ADMIN_CREATE_SQ	0x01
#define NVME_ADMIN_CREATE_CQ	0x05
#define NVME_ADMIN_IDENTIFY	0x06
#define NVME_ADMIN_SET_FEATURES	0x09

#define NVME_QUEUE_PC		BIT(0)
#define NVME_CQ_IEN		BIT(1)

#define NVME_FEAT_NUM_QUEUES	0x07

/* Section 5.15: Identify */
#define NVME_CNS_NAMESPACE	0x00
#define NVME_CNS_CONTROLLER	0x01
#define NVME_CNS_ACTIVE_NS	0x02

#define NVME_ID_CTRL_MDTS	77
#define NVME_ID_NS_NSZE		0
#define NVME_ID_NS_FLBAS	26
#define NVME_ID_NS_LBAF(_i)	(128 + 4 * (_i))

#define NVME_FLBAS_FORMAT(_f)	((_f) & 0xf)
#define NVME_LBAF_MS(_lbaf)	((_lbaf) & 0xffff)
#define NVME_LBAF_LBADS(_lbaf)	(((_lbaf) >> 16) & 0xff)

/* Section 6: NVM commands */
#define NVME_CMD_FLUSH		0x00
#define NVME_CMD_WRITE		0x01
#define NVME_CMD_READ		0x02

/* Section 4.2: submission queue entry */
struct nvme_command {
	u8 opcode;
	u8 flags;
	__le16 cid;
	__le32 nsid;
	__le32 cdw2;
	__le32 cdw3;
	__le64 mptr;
	__le64 prp1;
	__le64 prp2;
	__le32 cdw10;
	__le32 cdw11;
	__le32 cdw12;
	__le32 cdw13;
	__le32 cdw14;
	__le32 cdw15;
};

/* Section 4.6: completion queue entry */
struct nvme_completion {
	__le32 dw0;
	__le32 dw1;
	__le16 sqhd;
	__le16 sqid;
	__le16 cid;
	__le16 status;
};

#define NVME_CQE_PHASE(_status)	((_status) & 1)
#define NVME_CQE_STATUS(_status) ((_status) >> 1)

#endif /* SELFTESTS_VFIO_LIB_DRIVERS_NVME_REGISTERS_H */
