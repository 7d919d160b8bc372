//! The document, what is generated from it, and the traffic held against it.

mod conformance;
mod dependencies;
mod document;
mod emission;
mod lockstep;
mod modules;
