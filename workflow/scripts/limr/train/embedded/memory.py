"""Memory that a training step frees stays with the process, in huge pages, for the next step.

Otherwise glibc gives most of it back to the kernel and takes it anew at every step, page by page.
"""

from __future__ import annotations

import ctypes

POOL = 1 << 28  # bytes of address space that the heap grows by; only what is used takes memory
LARGEST = 1 << 25  # bytes; glibc takes nothing larger from its heap
# from <malloc.h> and <sys/mman.h> of Linux
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MADV_HUGEPAGE = 14
PAGE = 1 << 21  # bytes of a huge page, which is where advice may begin


def keep() -> None:
    """Keep freed memory from now on; where the C library is not glibc, nothing changes."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return
    library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    library.mallopt(M_TOP_PAD, POOL)
    library.mallopt(M_MMAP_THRESHOLD, LARGEST)
    library.sbrk.restype = library.malloc.restype = ctypes.c_void_p
    before = library.sbrk(ctypes.c_ssize_t(0))
    library.free(ctypes.c_void_p(library.malloc(ctypes.c_size_t(LARGEST - PAGE))))
    start, end = -(-before // PAGE) * PAGE, library.sbrk(ctypes.c_ssize_t(0))
    if end > start:  # not where an earlier call made the heap large enough
        library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_HUGEPAGE)
