# SPDX-License-Identifier: GPL-2.0-only
#
# The module's objects, relative to kmod/. Read by Kbuild and by
# selftests/host/Makefile, which compiles the pure ones outside the kernel.

pure-y := x86/decode.o x86/decode_table.o x86/exec.o x86/exec_alu.o x86/exec_string.o \
	  x86/exec_seg.o x86/exec_sse.o x86/walk.o x86/cpuid.o x86/cpuid_table.o \
	  x86/msr_table.o
pure-y += mem/spt.o mem/spt_npt.o mem/spt_ept.o
pure-y += svm/caps.o svm/controls.o svm/bitmap.o
pure-y += irqchip/lapic.o irqchip/lapic_timer.o irqchip/lapic_ipi.o irqchip/ioapic.o \
	  irqchip/pic.o
pure-y += dev/pmtimer.o dev/debugcon.o dev/resetport.o dev/pit.o dev/rtc.o dev/hpet.o \
	  dev/uart.o dev/i8042.o dev/acpi_pm.o
pure-y += pci/root.o pci/config.o pci/cap.o pci/bar.o pci/msi.o pci/msix.o
pure-y += pass/config_table.o pass/mediate.o
pure-y += virtio/ring.o virtio/pci.o
pure-y += fw/aml.o fw/dsdt.o fw/acpi.o fw/smbios.o fw/e820.o

kern-y := main.o
kern-y += bus/bus.o dev/dev.o mem/slot.o mem/backing.o mem/access.o mem/flush.o
kern-y += irqchip/route.o
kern-y += cpu/hw.o cpu/host.o cpu/vcpu.o cpu/run.o cpu/exit.o cpu/emul.o cpu/event.o \
	  cpu/request.o cpu/msr.o cpu/time.o
kern-y += svm/hw.o svm/vcpu.o svm/enter.o svm/run.o svm/exit.o svm/event.o svm/ops.o
kern-y += vm/vm.o vm/build.o vm/start.o vm/load.o vm/board.o vm/board_pci.o vm/console.o \
	  vm/status.o
kern-y += iommu/group.o iommu/domain.o iommu/map.o iommu/fault.o
kern-y += pass/select.o pass/pass.o pass/claim.o pass/own.o pass/boot.o pass/config.o pass/bar.o \
	  pass/intr.o pass/rom.o pass/vga.o pass/inuse.o
kern-y += reset/reset.o reset/table.o reset/canary.o reset/flr.o reset/af_flr.o reset/pm.o \
	  reset/bus.o reset/slot.o
kern-y += virtio/work.o virtio/blk.o virtio/net.o
kern-y += trace/stat.o
kern-y += nl/passvm_nl.o nl/nl.o nl/vm.o nl/build.o nl/pass.o nl/event.o

# In debug builds.
test-y := test/core.o test/mock_iommu.o
