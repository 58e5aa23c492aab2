//! A test bench in memory: half-duplex line with faults, flash that loses power at any write, virtual clock, one seed.
 