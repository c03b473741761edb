"""Runs a program on a kernel without Landlock: a filter answers for it as such a kernel does."""

import ctypes
import errno
import os
import struct
import sys

# The same number on every architecture.
LANDLOCK_CREATE_RULESET = 444
SET_SECCOMP, FILTER, SET_NO_NEW_PRIVILEGES = 22, 2, 38
LOAD, IS_EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000, 0x7FFF0000

RULES = [
    (LOAD, 0, 0, 0),
    (IS_EQUAL, 0, 1, LANDLOCK_CREATE_RULESET),
    (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    (RETURN, 0, 0, ALLOW),
]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]


def give_up(option, value, pointer=0):
    words = [ctypes.c_ulong(word) for word in (value, pointer, 0, 0)]
    if libc.prctl(option, *words) != 0:
        sys.exit(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


libc = ctypes.CDLL(None, use_errno=True)
rules = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *rule) for rule in RULES))
program = Program(len(RULES), ctypes.addressof(rules))
give_up(SET_NO_NEW_PRIVILEGES, 1)
give_up(SET_SECCOMP, FILTER, ctypes.addressof(program))
os.execvp(sys.argv[1], sys.argv[1:])
