"""A tree of tiny headers that lets BCC compile without the kernel's own.

BCC runs clang in the directory named by ``BCC_KERNEL_SOURCE`` and includes eight kernel headers for its own helpers.
What these need is types and a few macros; offsets and enums of the running kernel come from BTF as ``-D`` flags.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_TYPES = """\
#ifndef NETLAT_TYPES_H
#define NETLAT_TYPES_H
typedef signed char s8, __s8;
typedef unsigned char u8, __u8;
typedef short s16, __s16;
typedef unsigned short u16, __u16;
typedef int s32, __s32;
typedef unsigned int u32, __u32;
typedef long long s64, __s64;
typedef unsigned long long u64, __u64;
typedef __u64 __aligned_u64 __attribute__((aligned(8)));
typedef __u16 __be16, __le16, __sum16;
typedef __u32 __be32, __le32, __wsum;
typedef __u64 __be64, __le64;
typedef _Bool bool;
typedef unsigned long size_t, uintptr_t;
#define true 1
#define false 0
#define NULL ((void *)0)
#endif
"""


def _version(release: str) -> str:
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    major, minor, patch = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    code = (major << 16) + (minor << 8) + min(patch, 255)
    return (
        f"#define LINUX_VERSION_CODE {code}\n"
        "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
    )


def write_tree(root: Path, release: str | None = None) -> Path:
    """Write the header tree under ``root`` (made if missing) for a kernel release, by default the running one's."""
    files = {
        "linux/kconfig.h": "#define CONFIG_BPF_SYSCALL 1\n",
        "linux/types.h": _TYPES,
        "linux/version.h": _version(release or os.uname().release),
        "linux/log2.h": "",
        "linux/bpf_common.h": "",
        "uapi/linux/bpf.h": "",
        "uapi/linux/if_packet.h": "",
        "uapi/linux/ptrace.h": "",
        "asm/page.h": f"#define PAGE_SIZE {os.sysconf('SC_PAGESIZE')}\n",
    }
    for name, text in files.items():
        path = root / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
