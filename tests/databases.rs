//! Databases: their kinds, faults, statements, several instances.

mod backup;
mod cleanup;
mod clock;
mod database;
mod database_url;
mod durability;
mod each_database;
mod instances;
mod pgbouncer;
mod rolling_restart;
mod statements;
