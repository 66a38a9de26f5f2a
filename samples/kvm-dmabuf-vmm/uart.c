// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serial ports as Linux's 8250 driver wants them: a 16550A that sends at once, with
 * interrupts and without flow control. Register names are those of the kernel.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/serial_reg.h>

#include "vmm.h"

void uart_init(struct uart *uart, struct vm *vm, unsigned int irq, int in, int out)
{
	*uart = (struct uart){ .vm = vm, .irq = irq, .in = in, .out = out,
			       .thr_empty = true };
	pthread_mutex_init(&uart->lock, NULL);
}

/* What it has to say, by priority: data that arrived, then room to send */
static uint8_t pending(struct uart *uart)
{
	if ((uart->regs[UART_IER] & UART_IER_RDI) && uart->count)
		return UART_IIR_RDI;
	if ((uart->regs[UART_IER] & UART_IER_THRI) && uart->thr_empty)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void update_irq(struct uart *uart)
{
	bool level = pending(uart) != UART_IIR_NO_INT;

	/* An ISA line: the controller wants to see an edge. */
	if (level != uart->irq_level)
		vm_irq(uart->vm, uart->irq, level);
	uart->irq_level = level;
}

static bool has_divisor(struct uart *uart, unsigned int reg)
{
	return (uart->regs[UART_LCR] & UART_LCR_DLAB) && reg <= UART_DLM;
}

static uint8_t pop(struct uart *uart)
{
	uint8_t value;

	if (!uart->count)
		return 0;
	value = uart->fifo[uart->head];
	uart->head = (uart->head + 1) % sizeof(uart->fifo);
	uart->count--;
	return value;
}

/* As a real port, it loses what does not fit. */
static void push(struct uart *uart, uint8_t value)
{
	if (uart->count == sizeof(uart->fifo))
		return;
	uart->fifo[(uart->head + uart->count++) % sizeof(uart->fifo)] = value;
}

/* In a loop the lines that go out are those that come in. */
static uint8_t modem_status(struct uart *uart)
{
	uint8_t mcr = uart->regs[UART_MCR];

	if (!(mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	       (mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	       (mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	       (mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static uint8_t read_reg(struct uart *uart, unsigned int reg)
{
	uint8_t value;

	switch (reg) {
	case UART_RX:
		return pop(uart);
	case UART_IIR:
		value = pending(uart);
		/* Reading it is what takes this one back. */
		if (value == UART_IIR_THRI)
			uart->thr_empty = false;
		return value | UART_IIR_FIFO_ENABLED_16550A;
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE | (uart->count ? UART_LSR_DR : 0);
	case UART_MSR:
		return modem_status(uart);
	default:
		return uart->regs[reg];
	}
}

uint8_t uart_read(struct uart *uart, unsigned int reg)
{
	uint8_t value;

	pthread_mutex_lock(&uart->lock);
	if (has_divisor(uart, reg))
		value = uart->divisor[reg];
	else
		value = read_reg(uart, reg);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return value;
}

static void send(struct uart *uart, uint8_t value)
{
	ssize_t ret;

	/* In a loop, as the driver uses it to find out whether there is a port. */
	if (uart->regs[UART_MCR] & UART_MCR_LOOP) {
		push(uart, value);
		return;
	}
	if (uart->out < 0)
		return;
	do {
		ret = write(uart->out, &value, 1);
	} while (ret < 0 && errno == EINTR);
	/* Nobody listens any more. */
	if (ret < 0)
		uart->out = -1;
}

static void write_reg(struct uart *uart, unsigned int reg, uint8_t value)
{
	switch (reg) {
	case UART_TX:
		send(uart, value);
		uart->thr_empty = true;
		break;
	case UART_IER:
		if (!(uart->regs[UART_IER] & UART_IER_THRI) && (value & UART_IER_THRI))
			uart->thr_empty = true;
		uart->regs[UART_IER] = value & 0xf;
		break;
	case UART_FCR:
		if (value & UART_FCR_CLEAR_RCVR)
			uart->count = 0;
		break;
	case UART_LSR:
	case UART_MSR:
		break;
	default:
		uart->regs[reg] = value;
	}
}

void uart_write(struct uart *uart, unsigned int reg, uint8_t value)
{
	pthread_mutex_lock(&uart->lock);
	if (has_divisor(uart, reg))
		uart->divisor[reg] = value;
	else
		write_reg(uart, reg, value);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
}

bool uart_receive(struct uart *uart)
{
	uint8_t value;
	ssize_t ret;

	ret = read(uart->in, &value, 1);
	if (ret < 0)
		return errno == EINTR || errno == EAGAIN;
	if (!ret)
		return false;
	pthread_mutex_lock(&uart->lock);
	push(uart, value);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return true;
}
