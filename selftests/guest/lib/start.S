/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest payload begins: Multiboot entry in flat 32-bit mode, then long
 * mode with the first 4 GiB mapped, then main(). The same image runs under
 * passvm and, as `-kernel`, under QEMU with KVM or TCG.
 */
#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x3		/* page-aligned modules, memory map */

	.section .multiboot, "a"
	.balign 4
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.section .text.start, "ax"
	.code32
	.globl	_start
_start:
	cli
	cld
	mov	%ebx, boot_info
	mov	%eax, boot_magic
	/* Page tables: one PML4 entry, four directories of 2 MiB pages. */
	mov	$pdpt + 7, %eax
	mov	%eax, pml4
	mov	$pd + 7, %eax
	mov	$pdpt, %edi
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	1b
	mov	$0x87, %eax
	mov	$pd, %edi
	mov	$2048, %ecx
1:	mov	%eax, (%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	1b
	lgdt	gdt_pointer
	jmp	go_long

	.globl	go_long
go_long:			/* APs come here, too, in flat protected mode */
	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax		/* LME, NXE, SCE */
	wrmsr
	mov	%cr0, %eax
	and	$~0x6000000c, %eax	/* CD, NW, EM, TS off */
	or	$0x80000023, %eax	/* PG, NE, MP, PE */
	mov	%eax, %cr0
	ljmp	$0x08, $1f
	.code64
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	/* Each CPU takes the next stack. */
	mov	$1, %eax
	lock xadd %eax, cpus_up
	mov	%eax, %edi
	inc	%eax
	shl	$14, %eax
	lea	stacks(%rax), %rsp
	test	%edi, %edi
	jnz	2f
	call	payload_start
	hlt
2:	call	ap_start
3:	hlt
	jmp	3b

/* Exceptions and interrupts: one stub each, a common tail. */
	.macro	vector n
	.balign	16
	.if \n == 8 || \n == 10 || \n == 11 || \n == 12 || \n == 13 || \n == 14 || \n == 17
	nop
	.else
	push	$0
	.endif
	push	$\n
	jmp	common
	.endm

	.balign	16
	.globl	vectors
vectors:
	.altmacro
	.set	i, 0
	.rept	256
	vector	%i
	.set	i, i + 1
	.endr
	.noaltmacro

common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$~15, %rsp
	call	trap
	mov	%rbx, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

/* catch_call(code, arg): a trap inside comes back at catch_resume with this stack. */
	.globl	catch_call, catch_resume
catch_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rax
	mov	%rsp, resume_rsp
	mov	%rdi, %rax
	mov	%rsi, %rdi
	call	*%rax
catch_resume:
	pop	%rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* Copied below 1 MiB for application processors: real mode to go_long. */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_trampoline
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x18, $ap_flat
ap_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_trampoline_end:
	.code32
ap_flat:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	jmp	go_long

	.data
	.balign	16
	.globl	gdt, gdt_end
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 10: data */
	.quad	0x00cf9b000000ffff	/* 18: 32-bit code */
	.quad	0x00affb000000ffff	/* 20: 64-bit user code */
	.quad	0x00cff3000000ffff	/* 28: user data */
	.quad	0x008f9b000000ffff	/* 30: 16-bit code */
	.quad	0x008f93000000ffff	/* 38: 16-bit data */
	.quad	0, 0			/* 40: TSS, filled at run time */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt, 0
	.globl	cpus_up, boot_info, boot_magic
cpus_up:	.long	0
boot_info:	.long	0
boot_magic:	.long	0

	.bss
	.balign	4096
	.globl	pml4, pdpt, pd, stacks
pml4:	.skip	4096
pdpt:	.skip	4096
pd:	.skip	4 * 4096
stacks:	.skip	16384 * 17

	.section .note.GNU-stack, "", @progbits
