"""What Linux can take away from a process for good: other processes, the file system, its user, resources."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 1, 2, 4, 16384, 1 << 18
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 4, 38, 24
_CAPABILITY_VERSION = 0x20080522

MADV_COLLAPSE = 25
_CLONE = {"x86_64": 56, "aarch64": 220}
_OUTSIDE = os.getuid(), os.getgid()

_libc = ctypes.CDLL(None, use_errno=True)
_libc_in_python = ctypes.PyDLL(None, use_errno=True)  # keeps the interpreter's lock, as a fork must
_libc_in_python.syscall.restype = ctypes.c_long


@dataclass(frozen=True)
class Limits:
    """What one exercise may use: bytes beyond what the preloader has, seconds of CPU, and counts."""

    memory: int = 2 << 30
    cpu: int = 30
    file: int = 16 << 20
    scratch: int = 64 << 20
    files: int = 128
    processes: int = 48


def undumpable(dumpable: bool = False) -> None:
    """Whether others of the same user may read this process's memory."""
    _libc.prctl(PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


def fork_into(namespaces: int) -> int:
    """Fork, the child into new namespaces; one fork, not two, as each copies all of torch's page tables.

    Raises
    ------
    OSError
        Where that is not allowed, or on a processor whose system calls are not known here.
    """
    call = _CLONE.get(platform.machine())
    if call is None:
        raise OSError("unknown processor")
    ctypes.pythonapi.PyOS_BeforeFork()
    made = _libc_in_python.syscall(call, namespaces | signal.SIGCHLD, 0, 0, 0, 0)
    number = ctypes.get_errno()
    if made == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if made < 0:
        raise OSError(number, os.strerror(number))
    return int(made)


def map_own_user() -> None:
    """In a new user namespace: the same user id is the only one."""
    uid, gid = _OUTSIDE
    undumpable(True)  # else /proc/self belongs to root, and the map cannot be written
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    undumpable()


def collapse_memory() -> None:
    """Put large private memory into huge pages: a fork then copies a third of the page tables."""
    _libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, access, _, _, inode, *_ = line.split()
        first, _, last = place.partition("-")
        start, size = int(first, 16), int(last, 16) - int(first, 16)
        if inode == "0" and access == "rw-p" and size >= 1 << 20:
            _libc.madvise(start, size, MADV_COLLAPSE)  # older kernels refuse, and nothing is lost


def mount_empty(target: str, size: int, read_only: bool = False) -> None:
    """Put an empty folder in memory over a folder."""
    flags = MS_NOSUID | MS_NODEV | (MS_RDONLY if read_only else 0)
    mode = "0555" if read_only else "1777"
    done = _libc.mount(b"none", target.encode(), b"tmpfs", flags, f"size={size},mode={mode}".encode())
    if done:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def private_mounts() -> None:
    """What is mounted from here on is seen by nobody else."""
    _libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def without_capabilities() -> None:
    """Give up every capability, for good."""
    for capability in range(64):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _libc.capset(header, (ctypes.c_uint32 * 6)())
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def become(uid: int) -> None:
    """Another user for good: nobody else's, so that its processes can be counted and reach no other."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    undumpable()


def limit(limits: Limits) -> None:
    """Set resource limits, hard."""
    pages, data = _memory_in_use()
    wanted = {
        resource.RLIMIT_DATA: data + limits.memory,
        resource.RLIMIT_AS: pages + 2 * limits.memory,  # shared memory is no data
        resource.RLIMIT_CPU: limits.cpu,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in wanted.items():
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _memory_in_use() -> tuple[int, int]:
    """Bytes of address space, and of data, that the process has now."""
    found = {"VmSize": 16 << 30, "VmData": 1 << 30}
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0]) * 1024
    except OSError:
        pass
    return found["VmSize"], found["VmData"]


def first_to_go() -> None:
    """When memory runs out, the kernel ends this process before any other."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
