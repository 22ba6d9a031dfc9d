"""The guest's initramfs: busybox, the tests, what they run, and the kernel modules of zram."""

import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/dev"
MODULES = ("mm/zsmalloc", "crypto/lzo-rle", "drivers/block/zram/zram")
PROGRAMS = ("hearth", "src/runtime/runtime_test", "src/drivers/drivers_test",
            "src/drivers/hearth_test_component")
USER = 1000


class Missing(Exception):
    """Something that has to be there first; the text says how to get it."""


def newest_kernel(folder):
    """The folder of a kernel as tools/setup.sh unpacked it, and the path of its image."""
    found = sorted(folder.glob("linux-image-*/boot/vmlinuz-*"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise Missing(f"no kernel in {folder}: `./check --vm` fetches one")
    return found[-1].parent.parent, found[-1]


def program(name, package):
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is missing: it is in Debian's package {package}")
    return path


def libraries(binary):
    """Every shared library, the loader included, by the path that the binary asks for."""
    told = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?:=> )?(/\S+) \(0x", told)


def add_program(root, binary):
    """Without what only a debugger reads: the guest keeps all of this in memory."""
    if not binary.exists():
        raise Missing(f"{binary} is not built: `./check --vm` builds it")
    target = root / "bin" / binary.name
    subprocess.run([program("strip", "binutils"), "-o", target, binary], check=True)
    for library in libraries(binary):
        copy = root / library.lstrip("/")
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, copy)
    # The tests know each other by the paths they were built at.
    place = root / str(binary).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(f"/bin/{binary.name}")


def add_users(root):
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(
        f"root:x:0:0::/root:/bin/sh\ntester:x:{USER}:{USER}::/tmp:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:0:\ntester:x:{USER}:\n")


def make(root, kernel, image):
    """Fills `root`, which has to be empty, and packs it into the file `image`."""
    os.chmod(root, 0o755)  # the guest's own root: an ordinary user walks through it
    for name in ("bin", "proc", "sys", "dev", "tmp", "root", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(program("busybox", "busybox-static"), root / "bin/busybox")
    shutil.copy(HERE / "guest/init", root / "init")
    os.chmod(root / "init", 0o755)
    shutil.copytree(HERE / "guest", root / "tests", ignore=shutil.ignore_patterns("init"))
    for module in MODULES:
        files = list(kernel.glob(f"lib/modules/*/kernel/{module}.ko"))
        if not files:
            raise Missing(f"{kernel} has no module {module}: remove it, `./check --vm` fetches it")
        shutil.copy(files[0], root / "modules")
    for name in PROGRAMS:
        add_program(root, BUILD / name)
    add_users(root)
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    with open(image, "wb") as file:
        subprocess.run([program("cpio", "cpio"), "-o", "-H", "newc", "-R", "0:0", "--quiet"],
                       cwd=root, input=names, stdout=file, check=True)
