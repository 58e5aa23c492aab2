//! CJ/T 188: frames, identifiers, values, master and slave for water, gas and heat meters, without an allocator.
#![no_std]
