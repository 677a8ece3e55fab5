# SPDX-License-Identifier: GPL-2.0-only
"""Host kernels of the lab: where they come from, and their modules.

Debian's own come as packages, unpacked beside the system and never installed;
`debug` is built from Debian's source. All are kept in the user's cache folder.
"""

import fcntl
import glob
import hashlib
import lzma
import os
import re
import shutil
import subprocess

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HERE = os.path.join(TREE, "selftests", "lab.d")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "passvm")

# What the host needs before it has its root; order does not matter here.
BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")


class Unavailable(Exception):
    """The kernel asked for cannot be had here; the text says why and what to do."""


class Kernel:
    def __init__(self, release, image, modules, kdir):
        self.release = release      # as uname -r says
        self.image = image          # bzImage
        self.modules = modules      # folder that becomes /lib/modules/RELEASE
        self.kdir = kdir            # build folder for modules, or None


def locked(path):
    """An exclusive lock that ends with the returned file object."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lock = open(path, "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def run(args, **kw):
    return subprocess.run(args, check=True, text=True, capture_output=True, **kw).stdout


def fetch_deb(package, into):
    """Downloads a Debian package and returns its path."""
    os.makedirs(into, exist_ok=True)
    try:
        run(["apt-get", "-qq", "download", package], cwd=into)
    except (OSError, subprocess.CalledProcessError) as e:
        reason = getattr(e, "stderr", "") or str(e)
        raise Unavailable(f"cannot download {package}: {reason.strip()}\n"
                          f"try: apt-get update && apt-get install linux-headers-amd64 "
                          f"linux-headers-6.12-amd64") from None
    return max(glob.glob(os.path.join(into, package.split("=")[0] + "_*.deb")),
               key=os.path.getmtime)


def newest_headers(series):
    """Release of the newest installed headers of this series, or None."""
    found = [os.path.basename(p)[len("linux-headers-"):]
             for p in glob.glob(f"/usr/src/linux-headers-{series}.*-amd64")
             if not p.endswith("-rt-amd64") and not p.endswith("-cloud-amd64")]
    return max(found, key=lambda r: [int(n) for n in re.findall(r"\d+", r)], default=None)


def debian(series):
    release = newest_headers(series)
    if not release:
        meta = "amd64" if series == "6.1" else f"{series}-amd64"
        raise Unavailable(f"no headers of Linux {series} here: apt-get install linux-headers-{meta}")
    top = os.path.join(CACHE, "kernels", release)
    lock = locked(top + ".lock")
    if not os.path.isdir(top):
        part = top + ".part"
        shutil.rmtree(part, ignore_errors=True)
        deb = fetch_deb(f"linux-image-{release}", os.path.join(CACHE, "deb"))
        run(["dpkg", "-x", deb, part])
        run(["depmod", "-b", part, release])
        os.unlink(deb)
        os.rename(part, top)
    lock.close()
    return Kernel(release, f"{top}/boot/vmlinuz-{release}", f"{top}/lib/modules/{release}",
                  f"/usr/src/linux-headers-{release}")


def debug():
    config = os.path.join(TREE, "selftests", "hosts", "debug-host.config")
    policy = run(["apt-cache", "policy", "linux-source-6.1"])
    found = re.search(r"Candidate: (\S+)", policy)
    if not found or found[1] == "(none)":
        raise Unavailable("apt knows no package linux-source-6.1; try: apt-get update")
    with open(config, "rb") as f:
        key = hashlib.sha256(f.read() + found[1].encode()).hexdigest()[:12]
    top = os.path.join(CACHE, "kernels", "debug-" + key)
    lock = locked(top + ".lock")
    if not os.path.isdir(top):
        print(f"lab: building the debug kernel (once, about ten minutes), log in {top}.log",
              file=__import__("sys").stderr, flush=True)
        deb = fetch_deb(f"linux-source-6.1={found[1]}", os.path.join(CACHE, "deb"))
        src = top + ".src"
        run(["dpkg", "-x", deb, src])
        os.unlink(deb)
        with open(top + ".log", "w") as log:
            status = subprocess.call([os.path.join(HERE, "build-debug"),
                                      f"{src}/usr/src/linux-source-6.1.tar.xz", config, top],
                                     stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        shutil.rmtree(src)
        if status:
            raise Unavailable(f"the debug kernel did not build, see {top}.log")
    lock.close()
    with open(f"{top}/release") as f:
        release = f.read().strip()
    return Kernel(release, f"{top}/bzImage", f"{top}/modules/lib/modules/{release}",
                  f"{top}/build")


def release_of(image):
    """The version text that a bzImage carries."""
    with open(image, "rb") as f:
        head = f.read(0x10000)
    if head[0x202:0x206] == b"" or head[0x202 - 0:0x206] != b"HdrS":
        raise Unavailable(f"{image} is no bzImage")
    at = 0x200 + int.from_bytes(head[0x20e:0x210], "little")
    return head[at:at + 200].split(b"\0")[0].decode().split()[0]


def from_file(image):
    if not os.path.isfile(image):
        raise Unavailable(f"no such kernel: {image} (known: 6.1, 6.12, debug, or a file)")
    release = release_of(image)
    near = os.path.dirname(os.path.realpath(image))
    places = [f"{near}/modules/lib/modules/{release}", f"{near}/../lib/modules/{release}",
              f"{near}/lib/modules/{release}", f"/lib/modules/{release}"]
    modules = next((p for p in places if os.path.isfile(p + "/modules.dep")), None)
    if not modules:
        raise Unavailable(f"no modules of {release} found in " + ", ".join(places))
    kdir = next((p for p in (f"{near}/build", f"{modules}/build",
                             f"/usr/src/linux-headers-{release}")
                 if os.path.exists(p + "/Makefile")), None)
    return Kernel(release, os.path.realpath(image), os.path.realpath(modules), kdir)


def find(name):
    if name in ("6.1", "6.12"):
        return debian(name)
    if name == "debug":
        return debug()
    if name == "7.2":
        raise Unavailable("Linux 7.2 is not available yet")
    return from_file(name)


def dependencies(kernel, wanted):
    """Files (relative to kernel.modules) of these modules, in load order."""
    needs, path = {}, {}
    with open(f"{kernel.modules}/modules.dep") as f:
        for line in f:
            file, _, rest = line.partition(":")
            needs[file] = rest.split()
            path[re.sub(r"\.ko.*", "", os.path.basename(file)).replace("-", "_")] = file
    order = []

    def add(file):
        for d in needs[file]:
            add(d)
        if file not in order:
            order.append(file)

    for name in wanted:
        if name in path:        # else it is built in
            add(path[name])
    return order


def read_module(path):
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            return f.read()
    with open(path, "rb") as f:
        return f.read()


def modinfo(ko):
    """What decides whether depmod has to run again for a new passvm.ko."""
    return run(["modinfo", "-F", "depends", ko]) + run(["modinfo", "-F", "alias", ko]) \
        + run(["modinfo", "-F", "softdep", ko])


def with_passvm(kernel, ko):
    """A modules folder: this kernel's own and passvm.ko in updates/."""
    base = os.path.join(os.path.dirname(ko), "lab")
    top = os.path.join(base, "lib", "modules", kernel.release)
    stamp, want = os.path.join(base, "stamp"), kernel.modules + "\n" + modinfo(ko)
    lock = locked(base + ".lock")
    have = open(stamp).read() if os.path.exists(stamp) else None
    if have != want:
        shutil.rmtree(base, ignore_errors=True)
        os.makedirs(top + "/updates")
        # Inside the host this folder covers /lib/modules/RELEASE: no link may lead there.
        if os.path.realpath(kernel.modules).startswith(("/lib/modules/", "/usr/lib/modules/")):
            shutil.copytree(kernel.modules + "/kernel", top + "/kernel")
        else:
            os.symlink(kernel.modules + "/kernel", top + "/kernel")
        for name in glob.glob(kernel.modules + "/modules.*"):
            shutil.copy(name, top)
    shutil.copyfile(ko, top + "/updates/passvm.ko.new")
    os.rename(top + "/updates/passvm.ko.new", top + "/updates/passvm.ko")
    if have != want:
        run(["depmod", "-b", base, kernel.release])
        with open(stamp, "w") as f:
            f.write(want)
    lock.close()
    return top
