// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux wants to find when it starts by the 64-bit boot protocol of
 * Documentation/arch/x86/boot.rst: itself, the initrd and the zero page in RAM, a
 * memory map, an MP table (there is no firmware, hence no ACPI), and a CPU in long
 * mode whose page tables map the first GiB onto itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asm/bootparam.h>

#include "vmm.h"

/* In RAM, below what the kernel takes */
#define GDT_ADDR	0x0500
#define ZERO_PAGE	0x7000
#define PAGE_TABLES	0x9000
#define CMDLINE_ADDR	0x20000
#define CMDLINE_MAX	2048
#define MP_TABLE	0x9fc00
#define LOW_END		0xa0000
#define HIGH_START	0x100000

/* Of the 64-bit entry, from the start of what is loaded */
#define ENTRY_OFFSET	0x200

#define CODE_SELECTOR	0x10
#define DATA_SELECTOR	0x18

#define APIC_ADDR	0xfee00000
#define IOAPIC_ADDR	0xfec00000
#define APIC_VERSION	0x14
#define ISA_IRQS	16

/* Intel MultiProcessor Specification 1.4, chapter 4 */
struct mp_floating {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
} __attribute__((packed));

struct mp_header {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, entries;
	uint32_t apic;
	uint32_t reserved;
} __attribute__((packed));

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
} __attribute__((packed));

struct mp_bus {
	uint8_t type, id;
	char name[6];
} __attribute__((packed));

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t addr;
} __attribute__((packed));

struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, bus_irq, apic, pin;
} __attribute__((packed));

enum { MP_CPU, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };
enum { MP_INT, MP_NMI, MP_SMI, MP_EXTINT };

/* Reads all of @path to guest address @addr; the bytes */
static uint64_t load_file(struct vm *vm, const char *path, uint64_t addr, off_t from)
{
	uint64_t done = 0, size;
	struct stat st;
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die(VMM_BAD_USE, "%s: %s", path, strerror(errno));
	size = st.st_size > from ? st.st_size - from : 0;
	if (addr + size > vm->ram_size)
		die(VMM_BAD_USE, "%s: does not fit into the guest's RAM", path);
	while (done < size) {
		len = pread(fd, vm->ram + addr + done, size - done, from + done);
		if (len <= 0)
			die(VMM_BAD_USE, "%s: cannot be read", path);
		done += len;
	}
	close(fd);
	return size;
}

static void load_header(const char *path, struct setup_header *header)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(VMM_BAD_USE, "%s: %s", path, strerror(errno));
	if (pread(fd, header, sizeof(*header), offsetof(struct boot_params, hdr)) !=
	    sizeof(*header) || memcmp(&header->header, "HdrS", 4))
		die(VMM_BAD_USE, "%s: no bzImage", path);
	close(fd);
	if (header->version < 0x020c || !(header->xloadflags & XLF_KERNEL_64))
		die(VMM_BAD_USE, "%s: no 64-bit kernel", path);
}

static void add_memory(struct boot_params *params, uint64_t start, uint64_t end,
		       uint32_t type)
{
	struct boot_e820_entry *entry = &params->e820_table[params->e820_entries++];

	*entry = (struct boot_e820_entry){
		.addr = start, .size = end - start, .type = type,
	};
}

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return -sum;
}

static uint8_t *append(uint8_t *at, const void *entry, size_t size)
{
	memcpy(at, entry, size);
	return at + size;
}

/* KVM connects each ISA interrupt to the pin of the same number. */
static uint8_t *add_interrupts(uint8_t *at, struct mp_header *header, uint8_t ioapic)
{
	struct mp_interrupt entry = { .type = MP_INTERRUPT, .kind = MP_INT, .apic = ioapic };
	unsigned int i;

	for (i = 0; i < ISA_IRQS; i++) {
		entry.bus_irq = entry.pin = i;
		at = append(at, &entry, sizeof(entry));
		header->entries++;
	}
	/* Of all local APICs: pin 0 is the legacy controller, pin 1 the NMI. */
	for (i = 0; i < 2; i++) {
		entry = (struct mp_interrupt){
			.type = MP_LOCAL_INTERRUPT, .kind = i ? MP_NMI : MP_EXTINT,
			.apic = 0xff, .pin = i,
		};
		at = append(at, &entry, sizeof(entry));
		header->entries++;
	}
	return at;
}

static void make_mp_table(struct vm *vm)
{
	struct mp_floating *floating = vm->ram + MP_TABLE;
	struct mp_header *header = (void *)(floating + 1);
	uint8_t *at = (void *)(header + 1);
	uint8_t ioapic = vm->nr_cpus;
	unsigned int i;

	*header = (struct mp_header){
		.signature = "PCMP", .revision = 4, .oem = "PAL     ",
		.product = "VMM         ", .apic = APIC_ADDR,
	};
	for (i = 0; i < vm->nr_cpus; i++, header->entries++)
		at = append(at, &(struct mp_cpu){
			.type = MP_CPU, .apic_id = i, .apic_version = APIC_VERSION,
			.flags = i ? 1 : 3, }, sizeof(struct mp_cpu));
	at = append(at, &(struct mp_bus){ .type = MP_BUS, .name = "ISA   " },
		     sizeof(struct mp_bus));
	at = append(at, &(struct mp_ioapic){
		.type = MP_IOAPIC, .id = ioapic, .version = 0x11, .flags = 1,
		.addr = IOAPIC_ADDR, }, sizeof(struct mp_ioapic));
	header->entries += 2;
	at = add_interrupts(at, header, ioapic);
	header->length = at - (uint8_t *)header;
	header->checksum = checksum(header, header->length);

	*floating = (struct mp_floating){
		.signature = "_MP_", .table = MP_TABLE + sizeof(*floating),
		.length = 1, .revision = 4,
	};
	floating->checksum = checksum(floating, sizeof(*floating));
}

/* What the guest's programs learn of device memory: vram=ADDRESS,SIZE for each */
static void make_cmdline(struct vm *vm, const char *text)
{
	char *cmdline = vm->ram + CMDLINE_ADDR;
	unsigned int i;
	int len;

	len = snprintf(cmdline, CMDLINE_MAX, "%s", text);
	for (i = 0; i < vm->nr_vram && len < CMDLINE_MAX; i++)
		len += snprintf(cmdline + len, CMDLINE_MAX - len, " vram=0x%llx,0x%llx",
				(unsigned long long)vm->vram[i].gpa,
				(unsigned long long)vm->vram[i].size);
	if (len >= CMDLINE_MAX)
		die(VMM_BAD_USE, "--cmdline: longer than %d bytes", CMDLINE_MAX);
}

static void make_page_tables(struct vm *vm)
{
	uint64_t *pml4 = vm->ram + PAGE_TABLES, *pdpt = pml4 + 512, *pd = pdpt + 512;
	unsigned int i;

	/* Present and writable; in the last level leaves of 2 MiB */
	pml4[0] = (PAGE_TABLES + 0x1000) | 3;
	pdpt[0] = (PAGE_TABLES + 0x2000) | 3;
	for (i = 0; i < 512; i++)
		pd[i] = (uint64_t)i << 21 | 0x83;
}

void boot_load(struct vm *vm, const struct options *opt)
{
	struct boot_params *params = vm->ram + ZERO_PAGE;
	struct setup_header header;
	uint64_t kernel, initrd = 0, size;
	unsigned int i;

	load_header(opt->kernel, &header);
	kernel = header.pref_address;
	if (kernel + header.init_size > vm->ram_size)
		die(VMM_BAD_USE, "--ram: the kernel wants %llu MiB",
		    (unsigned long long)(kernel + header.init_size) >> 20);
	load_file(vm, opt->kernel, kernel, ((header.setup_sects ?: 4) + 1) * 512);

	memset(params, 0, sizeof(*params));
	params->hdr = header;
	params->hdr.type_of_loader = 0xff;
	params->hdr.cmd_line_ptr = CMDLINE_ADDR;
	if (opt->initrd) {
		struct stat st;

		if (stat(opt->initrd, &st))
			die(VMM_BAD_USE, "%s: %s", opt->initrd, strerror(errno));
		/* Above what the kernel needs until it has found it */
		initrd = (vm->ram_size - st.st_size) & ~(VMM_PAGE_SIZE - 1);
		if (initrd < kernel + header.init_size)
			die(VMM_BAD_USE, "--ram: too small for kernel and initrd");
		size = load_file(vm, opt->initrd, initrd, 0);
		params->hdr.ramdisk_image = initrd;
		params->hdr.ramdisk_size = size;
	}
	add_memory(params, 0, MP_TABLE, 1);
	add_memory(params, MP_TABLE, LOW_END, 2);
	add_memory(params, HIGH_START, vm->ram_size, 1);
	for (i = 0; i < vm->nr_vram; i++)
		add_memory(params, vm->vram[i].gpa, vm->vram[i].gpa + vm->vram[i].size, 2);
	make_cmdline(vm, opt->cmdline);
	make_mp_table(vm);
	make_page_tables(vm);
}

static void set_registers(struct vcpu *vcpu, uint64_t entry)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = CODE_SELECTOR, .type = 0xb,
		.present = 1, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = DATA_SELECTOR, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_regs regs = { .rip = entry, .rsi = ZERO_PAGE, .rflags = 2 };
	uint64_t *gdt = vcpu->vm->ram + GDT_ADDR;
	struct kvm_sregs sregs;

	gdt[CODE_SELECTOR / 8] = 0x00af9b000000ffff;
	gdt[DATA_SELECTOR / 8] = 0x00cf93000000ffff;
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		die(VMM_FAILED, "KVM_GET_SREGS: %s", strerror(errno));
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GDT_ADDR;
	sregs.gdt.limit = DATA_SELECTOR + 7;
	/* PAE; protection, paging; long mode enabled and active */
	sregs.cr3 = PAGE_TABLES;
	sregs.cr4 = 1 << 5;
	sregs.cr0 = 1u << 31 | 1 << 4 | 1;
	sregs.efer = 1 << 8 | 1 << 10;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) || ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		die(VMM_FAILED, "the vCPU's registers: %s", strerror(errno));
}

void boot_vcpu(struct vcpu *vcpu)
{
	struct boot_params *params = vcpu->vm->ram + ZERO_PAGE;

	/* The others wait for the kernel to start them. */
	if (!vcpu->id)
		set_registers(vcpu, params->hdr.pref_address + ENTRY_OFFSET);
}
