//! The client: its library and its command line.

mod command_line;
mod library;
