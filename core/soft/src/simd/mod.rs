//! The crate's only unsafe ring: dispatch to SIMD kernels and their loads and stores.
