//! Tariffs, prepaid purse and settlement in exact integers, for meters and for the cloud.
#![no_std]
