# SPDX-License-Identifier: GPL-2.0-only
"""--pci LIST: QEMU arguments of the devices that a host has for passthrough."""

import os

VIRTIO = "iommu_platform=on,disable-legacy=on"
DISPLAYS = ("ati-vga", "bochs-display", "virtio-gpu")
USB_DISK_BYTES = 16 << 20


class BadList(Exception):
    pass


def usb_disk(path):
    """A disk with contents that a test can work out: 8-byte counters."""
    with open(path, "wb") as f:
        for start in range(0, USB_DISK_BYTES, 1 << 20):
            f.write(b"".join((start + i).to_bytes(8, "little") for i in range(0, 1 << 20, 8)))


def _image(kind, path, node):
    if not path:
        raise BadList(f"{kind} needs an image: {kind}=FILE")
    if not os.path.exists(path):
        raise BadList(f"{kind}: no such file: {path}")
    # The monitor's lists separate by commas; a doubled one stands for itself.
    name = os.path.realpath(path).replace(",", ",,")
    fmt = "qcow2" if open(path, "rb").read(4) == b"QFI\xfb" else "raw"
    return ["-drive", f"if=none,id={node},file={name},format={fmt},discard=unmap"]


def _function(spec, dev, place, rundir):
    """Arguments for one function: (before, device, after)."""
    kind, _, value = spec.partition("=")
    before, after, n = [], [], dev.replace(".", "-")
    if kind == "nvme":
        before = _image(kind, value, f"drv-{n}")
        text = f"nvme,serial=passvm-{n},drive=drv-{n}"
    elif kind == "virtio-blk":
        before = _image(kind, value, f"drv-{n}")
        text = f"virtio-blk-pci,drive=drv-{n},{VIRTIO}"
    elif kind == "e1000e":
        before = ["-netdev", f"user,id=net-{n}"]
        text = f"e1000e,netdev=net-{n},romfile="
    elif kind == "virtio-net":
        before = ["-netdev", f"user,id=net-{n}"]
        text = f"virtio-net-pci,netdev=net-{n},romfile=,{VIRTIO}"
    elif kind == "ati-vga":
        text = "ati-vga,model=rv100"
    elif kind == "bochs-display":
        text = "bochs-display"
    elif kind == "virtio-gpu":
        text = f"virtio-gpu-pci,{VIRTIO}"
    elif kind == "xhci":
        path = os.path.join(rundir, f"usb-{dev}.img")
        usb_disk(path)
        before = ["-drive", f"if=none,id=drv-{n},file={path},format=raw"]
        text = "qemu-xhci"
        after = ["-device", f"usb-storage,bus={dev}.0,drive=drv-{n},serial=passvm-{n}"]
    elif kind == "hda":
        before = ["-audiodev", f"none,id=snd-{n}"]
        text = "intel-hda"
        after = ["-device", f"hda-duplex,bus={dev}.0,audiodev=snd-{n}"]
    elif kind == "edu":
        text = "edu"
    else:
        raise BadList(f"unknown device {kind!r}; known: nvme=IMAGE ati-vga bochs-display virtio-gpu "
                      "e1000e xhci hda edu virtio-net virtio-blk=IMAGE")
    return before + ["-device", f"{text},id={dev},{place}"] + after


def arguments(text, rundir):
    """QEMU arguments, and the ID of the last display device or None.

    Entry N sits behind root port N at bus N: IDs rpN and pciN; the further
    functions of a slot are pciN-1, pciN-2 and so on.
    """
    args, display = [], None
    for n, entry in enumerate(filter(None, text.split(",")), 1):
        args += ["-device", f"pcie-root-port,id=rp{n},bus=pcie.0,addr={n + 3:#x},chassis={n},"
                            f"slot={n},x-speed=5"]
        functions = entry.split("+")
        for f, spec in enumerate(functions):
            dev = f"pci{n}" + (f"-{f}" if f else "")
            place = f"bus=rp{n},addr=0.{f}"
            if len(functions) > 1 and f == 0:
                place += ",multifunction=on"
            args += _function(spec, dev, place, rundir)
            if spec in DISPLAYS:
                display = dev
    return args, display
