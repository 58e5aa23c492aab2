//! A dual-core meter assembled from the crates, and a host program that runs it.
 