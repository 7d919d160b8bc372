//! The binary `cortex-report`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cortex_report_client::cli::main()
}
