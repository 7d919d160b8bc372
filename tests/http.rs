//! Connections, proxies, pages and headers.

mod connections;
mod health;
mod pages;
mod public_url;
mod request_id;
mod tls;
mod trusted_proxies;
