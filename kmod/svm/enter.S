/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The register switch around VMRUN.
 *
 * void pvm_svm_vmrun(struct pvm_svm_entry *e, u64 *gpr)
 *
 * RAX and RSP travel in the VMCB; the others are loaded from and stored to
 * gpr[], which is in the order of instruction encoding. FS, GS, TR, LDTR and
 * the system-call MSRs are switched by VMLOAD and VMSAVE, so between the two
 * VMLOADs no per-CPU variable exists. The caller has cleared GIF and IF; STI
 * sets IF for VMRUN, which makes host interrupts exit while they stay blocked.
 *
 * World:   kernel
 * Context: GIF clear, IRQs off, SVM on
 * Spec:    APM2 15.5 "VMRUN Instruction"
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/alternative.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#define E_VMCB		0x00
#define E_HOST		0x08
#define E_SPEC_GUEST	0x10
#define E_SPEC_HOST	0x18
#define E_SPEC_SWITCH	0x20
#define E_FAULTED	0x24
#define G(n)		((n) * 8)

	.section .rodata
	.balign 2
pvm_svm_verw_sel:
	.word __KERNEL_DS

	.text

/* WRMSR of SPEC_CTRL with the value at \field(\entry); clobbers rax, rcx, rdx. */
.macro PVM_SPEC_CTRL entry:req field:req
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	\field(\entry), %eax
	mov	(\field + 4)(\entry), %edx
	wrmsr
.endm

SYM_FUNC_START(pvm_svm_vmrun)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rsi			/* 8(%rsp): gpr */
	push	%rdi			/* 0(%rsp): entry */

	cmpl	$0, E_SPEC_SWITCH(%rdi)
	je	1f
	PVM_SPEC_CTRL %rdi, E_SPEC_GUEST
1:
	mov	E_VMCB(%rdi), %rax
	mov	G(1)(%rsi), %rcx
	mov	G(2)(%rsi), %rdx
	mov	G(3)(%rsi), %rbx
	mov	G(5)(%rsi), %rbp
	mov	G(7)(%rsi), %rdi
	mov	G(8)(%rsi), %r8
	mov	G(9)(%rsi), %r9
	mov	G(10)(%rsi), %r10
	mov	G(11)(%rsi), %r11
	mov	G(12)(%rsi), %r12
	mov	G(13)(%rsi), %r13
	mov	G(14)(%rsi), %r14
	mov	G(15)(%rsi), %r15
	mov	G(6)(%rsi), %rsi

	/* Microarchitectural buffers, where this CPU leaks them to guests. */
	ALTERNATIVE "jmp .Lno_verw", "", X86_FEATURE_CLEAR_CPU_BUF_VM
	verw	pvm_svm_verw_sel(%rip)
.Lno_verw:
2:	vmload	%rax
	sti
3:	vmrun	%rax
4:	cli
5:	vmsave	%rax
	mov	0(%rsp), %rax
	mov	E_HOST(%rax), %rax
6:	vmload	%rax
	jmp	.Lstore
.Lfault:
	/* #UD: somebody switched SVM off; nothing of the guest has run. */
	cli
	mov	0(%rsp), %rax
	movl	$1, E_FAULTED(%rax)
	jmp	.Lout
.Lstore:
	mov	8(%rsp), %rax
	mov	%rcx, G(1)(%rax)
	mov	%rdx, G(2)(%rax)
	mov	%rbx, G(3)(%rax)
	mov	%rbp, G(5)(%rax)
	mov	%rsi, G(6)(%rax)
	mov	%rdi, G(7)(%rax)
	mov	%r8, G(8)(%rax)
	mov	%r9, G(9)(%rax)
	mov	%r10, G(10)(%rax)
	mov	%r11, G(11)(%rax)
	mov	%r12, G(12)(%rax)
	mov	%r13, G(13)(%rax)
	mov	%r14, G(14)(%rax)
	mov	%r15, G(15)(%rax)
.Lout:
	/* Return predictions that the guest planted. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT

	mov	0(%rsp), %rdi
	cmpl	$0, E_SPEC_SWITCH(%rdi)
	je	1f
	PVM_SPEC_CTRL %rdi, E_SPEC_HOST
1:
	/* Before the first RET: what Retbleed and SRSO ask for, as the kernel has decided. */
	ALTERNATIVE "jmp .Lno_ibpb", "", PVM_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
.Lno_ibpb:
	PVM_UNTRAIN_RET
	/* No guest value is left where a mispredicted load could use it. */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	add	$16, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	_ASM_EXTABLE(2b, .Lfault)
	_ASM_EXTABLE(3b, .Lfault)
	_ASM_EXTABLE(5b, .Lfault)
	_ASM_EXTABLE(6b, .Lfault)
SYM_FUNC_END(pvm_svm_vmrun)
