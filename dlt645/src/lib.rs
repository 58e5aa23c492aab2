//! DL/T 645-2007 and -1997: frames, identifiers, values, master and slave for electricity meters, without an allocator.
#![no_std]
