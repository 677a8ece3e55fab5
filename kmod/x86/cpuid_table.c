// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID policy: which bits of the host's leaves a guest sees.
 *
 * A register that has no row reads as zero, so that a feature of a future CPU
 * stays hidden until somebody has thought about it.
 *
 * World:   pure
 * Context: any; const data
 * Spec:    SDM2 "CPUID"; APM3 Appendix E
 */
#include "x86/cpuid.h"

#define A	0
#define B	1
#define C	2
#define D	3

#define ALL	0xffffffffu
#define b(n)	(1u << (n))
#define bits(h, l)	((ALL << (l)) & (ALL >> (31 - (h))))

const struct pvm_cpuid_row pvm_cpuid_table[] = {
	/* family, model, stepping */
	{ 1, 0, A, 0, ALL, 0, "SDM2 \"CPUID\": 01H EAX" },
	/* CLFLUSH line; the other fields are topology */
	{ 1, 0, B, 0, bits(15, 8), 0, "SDM2 \"CPUID\": 01H EBX" },
	/*
	 * SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE
	 * AVX F16C RDRAND; not MONITOR, VMX, SMX, DTES64, PDCM
	 */
	{ 1, 0, C, 0, b(0) | b(1) | b(9) | b(12) | b(13) | b(17) | b(19) | b(20) | b(22) | b(23) |
	  b(25) | b(26) | b(28) | b(29) | b(30), 0, "SDM2 \"CPUID\": 01H ECX" },
	/*
	 * all up to SSE2 and self-snoop but DS, ACPI, PSN, HTT (topology), TM, PBE;
	 * what is emulated is there always: MCE, APIC, MTRR, MCA, PAT
	 */
	{ 1, 0, D, 0, bits(6, 0) | b(8) | b(11) | b(13) | b(15) | b(17) | b(19) | bits(27, 23),
	  b(7) | b(9) | b(12) | b(14) | b(16), "SDM2 \"CPUID\": 01H EDX" },
	{ 2, 0, A, 'I', ALL, 0, "SDM2 \"CPUID\": 02H" },
	{ 2, 0, B, 'I', ALL, 0, "SDM2 \"CPUID\": 02H" },
	{ 2, 0, C, 'I', ALL, 0, "SDM2 \"CPUID\": 02H" },
	{ 2, 0, D, 'I', ALL, 0, "SDM2 \"CPUID\": 02H" },
	/* ARAT: the emulated APIC timer never stops */
	{ 6, 0, A, 0, 0, b(2), "SDM2 \"CPUID\": 06H EAX" },
	/*
	 * FSGSBASE BMI1 AVX2 FDP_EXCPTN SMEP BMI2 ERMS INVPCID FCS_FDS AVX512F
	 * AVX512DQ RDSEED ADX SMAP AVX512IFMA CLFLUSHOPT CLWB AVX512CD SHA AVX512BW
	 * AVX512VL; TSC_ADJUST is emulated; not HLE, RTM, MPX, SGX, PT, PQM
	 */
	{ 7, 0, B, 0, b(0) | b(3) | bits(10, 5) | b(13) | bits(21, 16) | b(23) | b(24) |
	  bits(31, 28), b(1), "SDM2 \"CPUID\": 07H EBX" },
	/*
	 * PREFETCHWT1 VBMI UMIP PKU VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ
	 * RDPID CLDEMOTE MOVDIRI MOVDIR64B; not WAITPKG, CET, TME, LA57, ENQCMD, PKS
	 */
	{ 7, 0, C, 0, bits(3, 0) | b(6) | bits(12, 8) | b(14) | b(22) | b(25) | b(27) | b(28), 0,
	  "SDM2 \"CPUID\": 07H ECX" },
	/*
	 * 4VNNIW 4FMAPS FSRM VP2INTERSECT MD_CLEAR SERIALIZE FP16 IBRS/IBPB STIBP
	 * SSBD; not UINTR, TSX, PCONFIG, LBR, IBT, AMX, L1D_FLUSH
	 */
	{ 7, 0, D, 0, bits(4, 2) | b(8) | b(10) | b(14) | b(23) | bits(27, 26) | b(31), 0,
	  "SDM2 \"CPUID\": 07H EDX" },
	{ 7, 0, D, 'I', b(29), 0, "SDM2 \"CPUID\": 07H EDX, ARCH_CAPABILITIES" },
	/* AVX_VNNI AVX512_BF16 CMPCCXADD FZRM FSRS FSRC AVX_IFMA */
	{ 7, 1, A, 0, b(4) | b(5) | b(7) | bits(12, 10) | b(23), 0, "SDM2 \"CPUID\": 07H.1 EAX" },
	/* AVX_VNNI_INT8 AVX_NE_CONVERT PREFETCHI */
	{ 7, 1, D, 0, b(4) | b(5) | b(14), 0, "SDM2 \"CPUID\": 07H.1 EDX" },
	/* MCDT_NO; the rest are bits of SPEC_CTRL */
	{ 7, 2, D, 0, b(5), 0, "SDM2 \"CPUID\": 07H.2 EDX" },
	/* XSAVEOPT XSAVEC XGETBV1 XSAVES; not XFD */
	{ 0xd, 1, A, 0, bits(3, 0), 0, "SDM2 \"CPUID\": 0DH.1 EAX" },

	{ 0x80000001, 0, A, 0, ALL, 0, "APM3 E.4.2" },
	{ 0x80000001, 0, B, 'A', ALL, 0, "APM3 E.4.2" },
	/*
	 * LAHF CR8 ABM SSE4A MISALIGNSSE PREFETCHW XOP FMA4 TBM TOPOEXT; not SVM,
	 * EXTAPIC, OSVW, IBS, SKINIT, WDT, the performance counters, MWAITX
	 */
	{ 0x80000001, 0, C, 0, b(0) | bits(8, 4) | b(11) | b(16) | b(21) | b(22), 0,
	  "APM3 E.4.2" },
	/* the copy of leaf 1, SYSCALL NX MMXEXT FFXSR 1G RDTSCP LM 3DNOW */
	{ 0x80000001, 0, D, 0, bits(6, 0) | b(8) | b(11) | b(13) | b(15) | b(17) | b(20) |
	  bits(27, 22) | bits(31, 29), 0, "APM3 E.4.2" },
	{ 0x80000001, 0, D, 'A', 0, b(7) | b(9) | b(12) | b(14) | b(16), "APM3 E.4.2" },
	{ 0x80000005, 0, A, 'A', ALL, 0, "APM3 E.4.4" },
	{ 0x80000005, 0, B, 'A', ALL, 0, "APM3 E.4.4" },
	{ 0x80000005, 0, C, 'A', ALL, 0, "APM3 E.4.4" },
	{ 0x80000005, 0, D, 'A', ALL, 0, "APM3 E.4.4" },
	{ 0x80000006, 0, A, 'A', ALL, 0, "APM3 E.4.5" },
	{ 0x80000006, 0, B, 'A', ALL, 0, "APM3 E.4.5" },
	{ 0x80000006, 0, C, 0, ALL, 0, "APM3 E.4.5" },
	{ 0x80000006, 0, D, 'A', ALL, 0, "APM3 E.4.5" },
	/* invariant TSC */
	{ 0x80000007, 0, D, 0, b(8), 0, "APM3 E.4.6" },
	/* address widths; guest physical width does not apply */
	{ 0x80000008, 0, A, 0, bits(15, 0), 0, "APM3 E.4.7" },
	/*
	 * CLZERO XSAVEERPTR WBNOINVD IBPB IBRS STIBP STIBP_ALWAYS IBRS_PREFERRED
	 * IBRS_SAME_MODE SSBD SSB_NO PSFD BTC_NO IBPB_RET; not INVLPGB, RDPRU
	 */
	{ 0x80000008, 0, B, 'A', b(0) | b(2) | b(9) | b(12) | b(14) | b(15) | bits(19, 17) |
	  b(24) | b(26) | bits(30, 28), 0, "APM3 E.4.7" },
	{ 0x80000019, 0, A, 'A', ALL, 0, "APM3 E.4.15" },
	{ 0x80000019, 0, B, 'A', ALL, 0, "APM3 E.4.15" },
	{ 0x8000001a, 0, A, 'A', bits(2, 0), 0, "APM3 E.4.16" },
	/* no nested data breakpoints, LFENCE serialises, null clears base, SRSO_NO and kin */
	{ 0x80000021, 0, A, 'A', b(0) | b(2) | b(6) | bits(29, 28), 0, "APM3 E.4.20" },
};

const u32 pvm_cpuid_rows = ARRAY_SIZE(pvm_cpuid_table);

/* Bits that go when XCR0 does not offer the state they need. */
const struct pvm_cpuid_need pvm_cpuid_needs[] = {
	/* AVX: FMA AVX F16C, XOP FMA4, AVX2 VAES VPCLMULQDQ, AVX_VNNI and kin */
	{ PVM_XCR0_AVX, 1, 0, C, b(12) | b(28) | b(29) },
	{ PVM_XCR0_AVX, 0x80000001, 0, C, b(11) | b(16) },
	{ PVM_XCR0_AVX, 7, 0, B, b(5) },
	{ PVM_XCR0_AVX, 7, 0, C, b(9) | b(10) },
	{ PVM_XCR0_AVX, 7, 1, A, b(4) | b(23) },
	{ PVM_XCR0_AVX, 7, 1, D, b(4) | b(5) },
	{ PVM_XCR0_AVX512, 7, 0, B, b(16) | b(17) | b(21) | b(28) | b(30) | b(31) },
	{ PVM_XCR0_AVX512, 7, 0, C, b(1) | b(6) | b(11) | b(12) | b(14) },
	{ PVM_XCR0_AVX512, 7, 0, D, b(2) | b(3) | b(8) | b(23) },
	{ PVM_XCR0_AVX512, 7, 1, A, b(5) },
	{ PVM_XCR0_PKRU, 7, 0, C, b(3) },
	{ PVM_XCR0_SSE, 1, 0, C, b(26) },
};

const u32 pvm_cpuid_need_rows = ARRAY_SIZE(pvm_cpuid_needs);
