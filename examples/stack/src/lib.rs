//! Everything in one program on embedded defaults.
 