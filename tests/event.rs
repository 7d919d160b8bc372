//! Events that applications send: what is taken, what becomes of it, and that it is there once.

mod bundles;
mod calls;
mod kills;
mod lake;
mod odd;
mod once;
