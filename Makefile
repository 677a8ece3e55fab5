# SPDX-License-Identifier: GPL-2.0-only
#
# passvm: the module, pvmctl, and what tests them.
#
#   make                     passvm.ko for the running kernel, and user/pvmctl
#   make KDIR=DIR            for the kernel whose build folder (headers) is DIR
#   make run                 see it work: an emulated PC, a guest with a card and a disk
#   make test                all tests; SUITE=host and the like for a part, JOBS=1 for one lab host at a time
#   make bench               how fast, beside KVM and QEMU
#   make lint                style, sparse, and the rules of Documentation/style.rst; GATE=size for one
#   make install             DESTDIR= and prefix= as usual; make uninstall

VERSION = 0.1.0

# The running kernel's headers, else the newest that are installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -d /lib/modules/*/build 2>/dev/null | sort -rV))

prefix ?= /usr/local

# What a bare Debian machine lacks for `make run`, `make test` and the others.
PACKAGES = make gcc libc6-dev libelf-dev libssl-dev linux-headers-amd64 linux-headers-6.12-amd64 \
	pkg-config libnl-3-dev libnl-genl-3-dev libpci-dev python3 python3-yaml \
	qemu-system-x86 busybox-static debootstrap e2fsprogs kmod pciutils iproute2 procps strace \
	ca-certificates flex bison bc cpio lz4 xz-utils perl clang libclang-rt-dev sparse

.DEFAULT_GOAL := all
.PHONY: all module pvmctl clean packages run test bench lint install uninstall \
	install-module uninstall-module tour

all: module pvmctl
	@cp -f $(B)/passvm.ko passvm.ko

# --- the module ------------------------------------------------------------

# Debian's 6.1 headers say only "6.1.192" in include/config/kernel.release.
release = $(or $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null),$(error \
	no kernel headers$(if $(KDIR), in $(KDIR)): install linux-headers-amd64 or give KDIR=))
B = build/$(release)

# build/RELEASE mirrors the sources by symbolic links. New files get theirs,
# links to files that are gone go, objects stay: the build is incremental.
module:
	@mkdir -p $(B)
	@find $(B)/ -xtype l -delete
	@cp -rsn $(CURDIR)/kmod $(CURDIR)/uapi $(CURDIR)/Kbuild $(B)/
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR)/$(B) W=1 $(if $(V),V=$(V)) $(if $(C),C=$(C)) modules

pvmctl:
	$(if $(wildcard user/Makefile),$(Q)$(MAKE) -C user)

clean:
	rm -rf build passvm.ko
	$(if $(wildcard user/Makefile),$(Q)$(MAKE) -C user clean)

# --- seeing and testing it -------------------------------------------------

# Installs what is missing where that is allowed, else says how. `apt-get update`
# runs only when there is something to install.
packages:
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || \
			missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "installing$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -qq update && apt-get -qq install -y --no-install-recommends $$missing; \
	else \
		echo "packages are missing; as root: apt-get install --no-install-recommends$$missing" >&2; \
		exit 1; \
	fi

run: packages
	@selftests/demo

test: packages
	@selftests/run

bench: packages
	@selftests/bench

lint: packages
	@selftests/lint/all $(GATE)

# The stops of the tour, in order: blocks of comments that begin with "Tour N.M:".
tour:
	@grep -rn --include=*.[chS] -E '^ \* Tour [0-9]+\.[0-9]+:' kmod | \
		sed -E 's/^([^:]+):([0-9]+): \* Tour ([0-9]+)\.([0-9]+):/\3 \4 \1 \2 /' | \
		sort -k1,1n -k2,2n | while read -r n m file line title; do \
			printf '\n%s.%s %s  (%s:%s)\n' "$$n" "$$m" "$$title" "$$file" "$$line"; \
			sed -n "$$((line + 1)),\$$ { /^ \*\/\|^ \* Tour\|^ \*$$/q; s/^ \* /    /; p }" "$$file"; \
		done

# --- installing ------------------------------------------------------------

src_dir = $(DESTDIR)/usr/src/passvm-$(VERSION)
mod_dir = $(DESTDIR)/lib/modules/$(release)/updates
dkms := $(shell command -v dkms 2>/dev/null)

define DKMS_CONF
PACKAGE_NAME="passvm"
PACKAGE_VERSION="$(VERSION)"
MAKE[0]="make module KDIR=$${kernel_source_dir}"
CLEAN="rm -rf build"
BUILT_MODULE_NAME[0]="passvm"
BUILT_MODULE_LOCATION[0]="build/$${kernelver}"
DEST_MODULE_LOCATION[0]="/updates/dkms"
AUTOINSTALL="yes"
endef
export DKMS_CONF

install: install-module
	$(MAKE) -C user install DESTDIR=$(DESTDIR) prefix=$(prefix)

uninstall: uninstall-module
	$(MAKE) -C user uninstall DESTDIR=$(DESTDIR) prefix=$(prefix)

# Sources for DKMS where it is there, so that the module follows kernel updates;
# the module for one kernel otherwise.
ifneq ($(dkms),)
install-module:
	install -d $(src_dir)
	cp -R Kbuild Makefile COPYING kmod uapi $(src_dir)/
	printf '%s\n' "$$DKMS_CONF" > $(src_dir)/dkms.conf
	$(if $(DESTDIR),,$(dkms) install --force -m passvm -v $(VERSION))

uninstall-module:
	$(if $(DESTDIR),,-$(dkms) remove -m passvm -v $(VERSION) --all)
	rm -rf $(src_dir)
else
install-module: module
	install -d $(mod_dir)
	install -m 644 $(B)/passvm.ko $(mod_dir)/passvm.ko
	$(if $(DESTDIR),,depmod $(release))

uninstall-module:
	rm -f $(mod_dir)/passvm.ko
	$(if $(DESTDIR),,depmod $(release))
endif

# `make -s` is silent about the kernel's make as well.
Q := $(if $(findstring s,$(firstword -$(MAKEFLAGS))),@)
