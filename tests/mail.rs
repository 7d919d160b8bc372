//! Mails: how they are sent, and how many.

mod mail_limits;
mod smtp;
